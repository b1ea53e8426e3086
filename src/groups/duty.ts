// What there can be to do for a member's device. When it is due: duties.ts.
import type { Hex } from './operations.ts'

/** Something to sign now. `isShared`: any member may do it, and one is enough. */
export type Duty = { isShared: boolean } & (
  | { type: 'certificate'; motion: Hex; ballots: readonly Hex[] }
  /** `carried`: to stand on besides what everything new stands on. */
  | { type: 'checkpoint'; day: number; retracts: readonly Hex[]; carried: readonly Hex[] }
  | { type: 'ack'; checkpoint: Hex }
  | { type: 'rekey' }
  /** One's own operation, which came too late: its body is signed again on the present heads. */
  | { type: 'again'; of: Hex }
)

/** Names a duty, so that somebody who waits can tell whether it is still the same one. */
export function dutyKey(duty: Duty): string {
  switch (duty.type) {
    case 'certificate':
      return `certificate ${duty.motion}`
    case 'checkpoint':
      return `checkpoint ${duty.day}`
    case 'ack':
      return `ack ${duty.checkpoint}`
    case 'rekey':
      return 'rekey'
    case 'again':
      return `again ${duty.of}`
  }
}
