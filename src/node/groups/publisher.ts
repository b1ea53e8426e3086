// How nameless operations leave this device.
import type { Anonymous } from '../../groups/index.ts'
import type { LocalGroup } from './local-group.ts'

export interface Publisher {
  /** Sends a vouch, ballot or retract on its way, sooner or later; durable when it returns. */
  publish(group: LocalGroup, bytes: Uint8Array): void
  /** What was published here and is not in the log yet. */
  pending(group: LocalGroup): readonly Anonymous[]
}
