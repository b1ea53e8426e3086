// What a member says while it is online: with whom it is connected and where it can be reached. Signed by the member key,
// handed from member to member, kept in memory only. The newest of a member counts.
import * as v from 'valibot'
import { decodeCbor, encodeCbor, FeedError, isValidSignature, sha256, type Signer } from '../feeds/index.ts'
import type { Candidature } from './election.ts'
import { GroupError } from './errors.ts'
import { fromHex, toHex } from './operation.ts'
import type { Hex } from './operations.ts'

/** Largest presence in bytes. */
export const MAX_PRESENCE_SIZE = 8_192
/** Most connections that one names: of more, the first by their keys. */
export const MAX_LINKS = 128
export const MAX_PRESENCE_ADDRESSES = 4
const MAX_ADDRESS_SIZE = 255
/** How long a presence holds without a newer one, and how often one is renewed, in ms. */
export const PRESENCE_LIFE_MS = 120_000
export const PRESENCE_RENEWAL_MS = 60_000
/** How far a member's clock may be off before its words are not taken, in ms: they could not be told from old ones. */
export const MAX_SKEW_MS = 24 * 3_600_000
/** Words of one member that are taken at once, and then one in so many ms: each is passed on to all. */
export const MAX_BURST = 32
const TAKEN_EVERY_MS = 500
const VERSION = 1
const DOMAIN = Buffer.from('comrade/group/presence/1\0')

export interface Presence extends Candidature {
  /** Unix ms by the member's clock; rises with each word of this member. */
  at: number
  /** Raw Ed25519 key of its libp2p peer. */
  peerKey: Uint8Array
  /** Multiaddrs, at most 4. */
  addresses: string[]
}

const key = v.pipe(v.instance(Uint8Array), v.length(32))
const schema = v.strictObject({
  v: v.literal(VERSION),
  circle: key,
  member: key,
  at: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(2 ** 48 - 1)),
  links: v.pipe(v.array(key), v.maxLength(MAX_LINKS)),
  serves: v.boolean(),
  peer: key,
  addresses: v.pipe(v.array(v.pipe(v.string(), v.maxLength(MAX_ADDRESS_SIZE))), v.maxLength(MAX_PRESENCE_ADDRESSES)),
  sig: v.pipe(v.instance(Uint8Array), v.length(64))
})

/**
 * Signs what this member says.
 * @param circle whom it is for: a group's id (32 bytes)
 * @param presence.links of more than 128, the first are told; of more than 4 addresses too
 */
export function signPresence(circle: Uint8Array, signer: Signer, presence: Omit<Presence, 'member'>): Uint8Array {
  const { at, serves, peerKey: peer } = presence
  const links = presence.links.toSorted().slice(0, MAX_LINKS).map(fromHex)
  const addresses = presence.addresses.filter(({ length }) => length <= MAX_ADDRESS_SIZE)
  const unsigned = {
    v: VERSION,
    circle,
    member: signer.publicKey,
    at,
    links,
    serves,
    peer,
    addresses: addresses.slice(0, MAX_PRESENCE_ADDRESSES)
  }
  return encodeCbor({ ...unsigned, sig: new Uint8Array(signer.sign(signingBytes(unsigned))) })
}

/**
 * Reads a presence and checks its signature.
 * @param isWanted asked before the signature is verified, which is dear: whether it could be news. @default always
 * @returns undefined when it is not wanted
 * @throws GroupError OPERATION, SIZE, SIGNATURE; GROUP when it is for another circle
 */
export function readPresence(
  bytes: Uint8Array,
  circle: Uint8Array,
  isWanted: (member: Hex, at: number) => boolean = () => true
): Presence | undefined {
  if (bytes.length > MAX_PRESENCE_SIZE)
    throw new GroupError('SIZE', `a presence has at most ${MAX_PRESENCE_SIZE} bytes, not ${bytes.length}`)
  const { sig, ...unsigned } = parse(bytes)
  if (Buffer.compare(unsigned.circle, circle) !== 0) throw new GroupError('GROUP', 'the presence is for another circle')
  if (!isWanted(toHex(unsigned.member), unsigned.at)) return undefined
  if (!isValidSignature(unsigned.member, signingBytes(unsigned), sig))
    throw new GroupError('SIGNATURE', 'the presence is not signed by its member')
  const { member, at, links, serves, peer, addresses } = unsigned
  return { member: toHex(member), at, links: links.map(toHex), serves, peerKey: peer, addresses }
}

function parse(bytes: Uint8Array): v.InferOutput<typeof schema> {
  try {
    const result = v.safeParse(schema, decodeCbor(bytes), { abortEarly: true })
    if (result.success) return result.output
  } catch (cause) {
    if (!(cause instanceof FeedError)) throw cause
    throw new GroupError('OPERATION', `not a presence: ${cause.message}`, { cause })
  }
  throw new GroupError('OPERATION', 'not a presence: it has another form')
}

function signingBytes(unsigned: object): Uint8Array {
  return Buffer.concat([DOMAIN, sha256(encodeCbor(unsigned))])
}

/** The newest word of a member. */
interface Newest {
  presence: Presence
  bytes: Uint8Array
  untilMs: number
  /** How many more are taken now. */
  credit: number
  takenMs: number
}

/** Of one circle, the newest word of each of its members, for as long as it holds. */
export class PresenceBook {
  readonly #newest = new Map<Hex, Newest>()

  /**
   * Takes a word by somebody who may speak in this circle.
   * @returns whether it was news, to be passed on
   */
  take(presence: Presence, bytes: Uint8Array, nowMs: number): boolean {
    if (!this.isNews(presence.member, presence.at, nowMs)) return false
    const credit = creditOf(this.#newest.get(presence.member), nowMs) - 1
    this.#newest.set(presence.member, { presence, bytes, untilMs: nowMs + PRESENCE_LIFE_MS, credit, takenMs: nowMs })
    return true
  }

  /** Whether a word of this member and time could be news; who says too much is not listened to for a while. */
  isNews(member: Hex, at: number, nowMs: number): boolean {
    const before = this.#newest.get(member)
    return Math.abs(at - nowMs) <= MAX_SKEW_MS && (before?.presence.at ?? -1) < at && creditOf(before, nowMs) >= 1
  }

  /** Forgets who was silent for long (when the clock was set back nobody knows how long), or is no member any more. @returns whether anybody was forgotten */
  expire(isMember: (member: Hex) => boolean, nowMs: number): boolean {
    const holds = ({ untilMs }: Newest): boolean => untilMs > nowMs && untilMs - nowMs <= PRESENCE_LIFE_MS
    const gone = [...this.#newest].filter(([member, newest]) => !holds(newest) || !isMember(member))
    for (const [member] of gone) this.#newest.delete(member)
    return gone.length > 0
  }

  of(member: Hex): Presence | undefined {
    return this.#newest.get(member)?.presence
  }

  all(): Presence[] {
    return [...this.#newest.values()].map(({ presence }) => presence)
  }

  /** As they were signed, by member. */
  bytes(): Map<Hex, Uint8Array> {
    return new Map([...this.#newest].map(([member, { bytes }]) => [member, bytes]))
  }

  get size(): number {
    return this.#newest.size
  }
}

function creditOf(newest: Newest | undefined, nowMs: number): number {
  if (newest === undefined) return MAX_BURST
  return Math.min(MAX_BURST, newest.credit + Math.max(0, nowMs - newest.takenMs) / TAKEN_EVERY_MS)
}
