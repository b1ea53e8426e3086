// What is known of another device while this node runs: what is sent to it, and what waits for it in memory. dispatch.ts
// sends to it while it is connected, mail.ts leaves it in its mailboxes while it is away.
import { type Content, MessageError, newContent } from '../../messages/index.ts'
import { NodeError } from '../comrade.ts'

/** Most messages that one receipt is about. */
const RECEIPTS_AT_ONCE = 32

export interface Line {
  device: Uint8Array
  /** Its key for cells, and the connection's end that gave it. */
  key?: { peer: string; bytes: Uint8Array }
  /** The highest number that was sent since the last attempt began. */
  sentUpTo: number
  isRunning: boolean
  isAgain: boolean
  retryMs: number
  timer?: NodeJS.Timeout
  /** Ids to be acknowledged, and other contents that are not kept when they are lost. */
  receipts: Uint8Array[]
  passing: Content[]
  gathering?: NodeJS.Timeout
  /** Until its mailboxes are used. */
  mailing?: NodeJS.Timeout
  /** How long it was waited since no mailbox took anything. */
  mailRetryMs?: number
}

/** How a line begins, and what is left of it when its device went away. */
export function idle(retryMs: number): Omit<Line, 'device' | 'isRunning' | 'isAgain'> {
  const unset = { key: undefined, timer: undefined, gathering: undefined, mailing: undefined, mailRetryMs: undefined }
  return { ...unset, sentUpTo: 0, retryMs, receipts: [], passing: [] }
}

export function clearTimers({ timer, gathering, mailing }: Line): void {
  for (const each of [timer, gathering, mailing]) clearTimeout(each)
}

/** The next thing that is not kept. */
export function takePassing(line: Line): Content | undefined {
  if (line.passing.length > 0) return line.passing.shift()
  if (line.receipts.length === 0) return undefined
  const ids = line.receipts.splice(0, RECEIPTS_AT_ONCE)
  return newContent({ type: 'receipt', state: 'delivered', ids })
}

/** What happens when somebody goes away, or does not know this device yet: it is tried again. */
export function isPassing(error: unknown): boolean {
  if (error instanceof NodeError) return true
  if (error instanceof MessageError) return error.code === 'CLOSED'
  return !(error instanceof TypeError || error instanceof RangeError)
}
