// The one kind of error that this folder makes.
import type { Sentence } from '../feeds/index.ts'

/** What the node layer refuses. `code` is stable; the message says what was expected and what was there. */
export type NodeErrorCode =
  | 'HOME_IN_USE' // exit 75
  | 'LOCKED' // a passphrase is needed: exit 4
  | 'KEYS_EXPOSED'
  | 'BAD_INPUT' // exit 2
  | 'WHO_UNKNOWN'
  | 'WHO_AMBIGUOUS'
  | 'NOT_FOUND'
  | 'NOT_OWN'
  | 'NOT_RUNNING' // exit 69
  | 'SIGNING_PAUSED'
  | 'DISK_FULL'
  | 'UNREACHABLE'
  | 'TIMEOUT'
  | 'USED' // an invite that somebody else has used
  | 'EXPIRED'
  | 'DECLINED'
  | 'BUSY' // asked too often
  | 'UNAVAILABLE' // needs what cannot be loaded on this machine
  | 'FAILED'

export class NodeError extends Error {
  override name = 'NodeError'
  readonly code: NodeErrorCode
  /** What the message says, where it has a code of its own. */
  readonly sentence: Sentence | undefined

  constructor(code: NodeErrorCode, said: string | Sentence, options?: ErrorOptions) {
    super(typeof said === 'string' ? said : said.text, options)
    this.code = code
    this.sentence = typeof said === 'string' ? undefined : said
  }
}
