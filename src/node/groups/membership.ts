// The keys of this device as a member of one group: what signs, what stands in rings, and what content keys are wrapped
// to. They are fresh for each group, and again when somebody who went comes back.
import { randomBytes } from 'node:crypto'
import { agree, generateSeed, type SigningKey, signingKey } from '../../feeds/index.ts'
import { type Hex, possessionContext, proofOfPossession, ringKey, toHex } from '../../groups/index.ts'
import type { StoredKey } from './group-store.ts'

/** u = 9 (RFC 7748, 4.1). */
const X25519_BASE = Uint8Array.of(9, ...new Uint8Array(31))

export interface Membership {
  /** Signs this member's operations. */
  member: SigningKey
  memberKey: Hex
  /** Scalars by ring key, the newest last: earlier ones stay as long as motions need them. */
  ringSecrets: ReadonlyMap<Hex, Uint8Array>
  /** X25519 secrets by public key, the newest last. */
  kemSecrets: ReadonlyMap<Hex, Uint8Array>
}

/** One for each member key, the newest last; none where this device has no keys of the group. */
export function membershipsOf(keys: readonly StoredKey[]): Membership[] {
  const secrets = (kind: StoredKey['kind']): Map<Hex, Uint8Array> =>
    new Map(keys.filter((key) => key.kind === kind).map((key) => [toHex(key.public), key.secret]))
  const [ringSecrets, kemSecrets] = [secrets('ring'), secrets('kem')]
  return keys
    .filter(({ kind }) => kind === 'member')
    .map((key) => ({ member: signingKey(key.secret), memberKey: toHex(key.public), ringSecrets, kemSecrets }))
}

export function freshMemberKey(): StoredKey {
  const secret = new Uint8Array(generateSeed())
  return { kind: 'member', public: signingKey(secret).publicKey, secret }
}

/** A ring key and a KEM key: what a founding, a join and a rekey bring. */
export function freshKeys(): [ring: StoredKey, kem: StoredKey] {
  const ring = ringKey(randomBytes(32))
  const kem = new Uint8Array(randomBytes(32))
  return [
    { kind: 'ring', public: ring.publicKey, secret: ring.secret },
    { kind: 'kem', public: new Uint8Array(agree(kem, X25519_BASE)), secret: kem }
  ]
}

/** The fields of an operation that brings these keys. @param place the group's id, of a founder the founding's terms */
export function broughtKeys(
  [ring, kem]: readonly StoredKey[],
  place: Uint8Array,
  member: Uint8Array
): { ring: Uint8Array; possession: Uint8Array; kem: Uint8Array } {
  const possession = proofOfPossession(ring.secret, possessionContext(place, member))
  return { ring: ring.public, possession: new Uint8Array(possession), kem: kem.public }
}
