// The operations of a group's log as they are once they were read: what evaluation works with. Their bytes are for
// operation.ts.
import type { Rule } from './quorum.ts'

/** 32 bytes (an id or a key) as 64 lower-case hexadecimal digits: it sorts as the bytes do. */
export type Hex = string

/** Keys that a member holds in this group. */
export interface Keys {
  ring: Hex
  kem: Hex
}

export interface Founder extends Keys {
  identity: Hex
  member: Hex
}

interface Placed {
  /** sha256 of the operation's bytes. */
  id: Hex
  /** What it stands on: `prev`, and each operation that its body names. All of it is in its past. */
  parents: readonly Hex[]
}

interface Signed extends Placed {
  /** The Ed25519 key that signed: a member's, a candidate's. */
  author: Hex
}

export interface Create extends Signed {
  type: 'create'
  name: string
  /** Days since 1970-01-01. */
  day: number
  founders: readonly Founder[]
  rule: Rule
  reading: 'open' | 'members'
  history: boolean
}
export interface Candidacy extends Signed {
  type: 'candidacy'
  identity: Hex
  /** Opened by the candidate, who is nobody yet, and not by a member. */
  isOwn: boolean
}
export interface Join extends Signed, Keys {
  type: 'join'
  candidacy: Hex
  identity: Hex
  vouches: readonly Hex[]
}
export interface Motion extends Signed {
  type: 'motion'
  proposal: { kind: 'expel'; identity: Hex } | { kind: 'rule'; rule: Rule }
}
export interface Certificate extends Signed {
  type: 'certificate'
  motion: Hex
  ballots: readonly Hex[]
}
export interface Leave extends Signed {
  type: 'leave'
}
export interface Rekey extends Signed, Keys {
  type: 'rekey'
}
export interface Checkpoint extends Signed {
  type: 'checkpoint'
  day: number
  /** Retracts that its author had seen: those that it leaves out come too late for the joins in its past. */
  retracts: readonly Hex[]
}
export interface Ack extends Signed {
  type: 'ack'
  checkpoint: Hex
}
export interface Epoch extends Signed {
  type: 'epoch'
  /** Names the secret. */
  secret: Hex
  /** Member keys. */
  recipients: readonly Hex[]
}
/** Of a version or type that this program does not know: kept and passed on, and inert. */
export interface Unknown extends Signed {
  type: 'unknown'
}
/** By one member of the motion's ring, and nobody in particular. Its only parent is the motion. */
interface Nameless extends Placed {
  motion: Hex
  tag: Hex
  slotTag: Hex
  slot: number
  proof: Uint8Array
}
/** For a candidate. */
export interface Vouch extends Nameless {
  type: 'vouch'
}
/** For a motion. */
export interface Ballot extends Nameless {
  type: 'ballot'
}
/** Takes back one's vouch for a candidate, for good. */
export interface Retract extends Nameless {
  type: 'retract'
}

export type Anonymous = Vouch | Ballot | Retract
export type SignedOperation =
  | Create
  | Candidacy
  | Join
  | Motion
  | Certificate
  | Leave
  | Rekey
  | Checkpoint
  | Ack
  | Epoch
  | Unknown
export type Operation = SignedOperation | Anonymous
