// Errors of other layers and other nodes, as the user of this node gets them: with a code and a sentence of this one.
import type { PeerId } from '@libp2p/interface'
import type { Sentence } from '../feeds/index.ts'
import type { TrustError, TrustErrorCode } from '../trust/index.ts'
import { NodeError, type NodeErrorCode } from './comrade.ts'
import { refuse } from './refusal-sentences.ts'

/** What a name, a key or a link that the user gave is refused for. The rest is no matter of the user's. */
const OF_TRUST = {
  DID: 'refusal.did',
  NAME: 'refusal.name',
  NAME_TAKEN: 'refusal.nameTaken',
  WHO_UNKNOWN: 'refusal.unknown',
  WHO_AMBIGUOUS: 'refusal.ambiguous',
  SELF: 'refusal.self',
  BLOCKED: 'refusal.isBlocked',
  LINK: 'refusal.link'
} as const satisfies Partial<Record<TrustErrorCode, string>>

/** Why the maker of an invite does not take it. */
const OF_INVITES: Partial<Record<NodeErrorCode, Sentence>> = {
  USED: refuse('refusal.inviteUsed'),
  EXPIRED: refuse('refusal.inviteOver'),
  DECLINED: refuse('refusal.declined'),
  NOT_FOUND: refuse('refusal.inviteUnknown')
}

/** What the user asked for is the node's to answer: unknown and ambiguous names keep their code, the rest is bad input. */
export function refusalOf(error: TrustError): NodeError {
  const { code, message: problem } = error
  const own = code === 'WHO_UNKNOWN' || code === 'WHO_AMBIGUOUS' ? code : 'BAD_INPUT'
  const said = code in OF_TRUST ? refuse(OF_TRUST[code as keyof typeof OF_TRUST], { problem }) : problem
  return new NodeError(own, said, { cause: error })
}

/** What another node answered to an invite of its own, in words of this one. */
export function inviteRefusalOf(error: unknown): unknown {
  const sentence = error instanceof NodeError ? OF_INVITES[error.code] : undefined
  return sentence === undefined ? error : new NodeError((error as NodeError).code, sentence, { cause: error })
}

export function noAnswer(peer: PeerId, error: unknown): NodeError {
  const problem = (error as Error).message.split('\n')[0]
  return new NodeError('UNREACHABLE', refuse('refusal.noAnswer', { peer: peer.toString(), problem }), { cause: error })
}
