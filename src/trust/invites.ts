// One-time invites that this device made: whoever proves the secret first has used it, and nobody else ever. The same
// person may come again, since an answer can be lost. Links that carry the secret are in link.ts.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { sha256 } from '../feeds/index.ts'
import { INVITE_SECRET_SIZE, type LinkKind } from './link.ts'
import type { Row, Statements, Write } from './statements.ts'

/** An invite is named by the first 16 bytes of its secret's hash. */
export const INVITE_ID_SIZE = 16
/** How long it is remembered after its end that there was an invite, in ms: 30 days. */
const MEMORY_MS = 30 * 86_400_000
const PROOF_DOMAINS: Readonly<Record<LinkKind, Buffer>> = {
  meet: Buffer.from('comrade/meet/1\0'),
  device: Buffer.from('comrade/join/1\0')
}

export interface Invite {
  secret: Uint8Array
  expiresMs: number
  /** Whoever brings it is listed as a request; it is not this user's yes. */
  isAsking: boolean
  /** Key of who has used it. */
  usedBy?: Uint8Array
}

/** 'again': by the same one as before. */
export type InviteUse = 'first' | 'again' | 'used' | 'expired'

/** Who proves a secret to whom. Peer ids are multihashes. */
export interface InviteProof {
  asker: Uint8Array
  inviter: Uint8Array
  /** Key that the invite is used for, 32 bytes: a person's root key, or a device's. */
  key: Uint8Array
}

/** What an invite is called in a question: 16 bytes that tell nothing of the secret. */
export function inviteId(secret: Uint8Array): Uint8Array {
  return sha256(secret).subarray(0, INVITE_ID_SIZE)
}

/** HMAC-SHA256(secret, domain ‖ asker's peer id ‖ inviter's peer id ‖ key): worth nothing on another connection. */
export function inviteProof(kind: LinkKind, secret: Uint8Array, { asker, inviter, key }: InviteProof): Uint8Array {
  return createHmac('sha256', secret).update(PROOF_DOMAINS[kind]).update(asker).update(inviter).update(key).digest()
}

export function isInviteProof(kind: LinkKind, secret: Uint8Array, proof: Uint8Array, parts: InviteProof): boolean {
  const expected = inviteProof(kind, secret, parts)
  return proof.length === expected.length && timingSafeEqual(proof, expected)
}

/** Made by Contacts, which owns the tables. */
export class Invites {
  readonly #kind: LinkKind
  readonly #statements: Statements
  readonly #write: Write

  constructor(kind: LinkKind, statements: Statements, { write }: { write: Write }) {
    this.#kind = kind
    this.#statements = statements
    this.#write = write
  }

  /** Makes an invite. @returns its secret, 16 bytes */
  create(
    { expiresMs, isAsking = false }: { expiresMs: number; isAsking?: boolean },
    nowMs: number = Date.now()
  ): Uint8Array {
    const secret = Uint8Array.from(randomBytes(INVITE_SECRET_SIZE))
    this.#write(
      () => {
        this.#statements.run('DELETE FROM invites WHERE expires_ms < ?', nowMs - MEMORY_MS)
        this.#statements.run(
          'INSERT INTO invites VALUES (?, ?, ?, ?, ?, NULL)',
          inviteId(secret),
          this.#kind,
          secret,
          expiresMs,
          isAsking ? 1 : 0
        )
      },
      { isDurable: true }
    )
    return secret
  }

  /** @param id as {@link inviteId} makes it */
  find(id: Uint8Array): Invite | undefined {
    return this.#statements.all('SELECT * FROM invites WHERE id = ? AND kind = ?', id, this.#kind).map(toInvite)[0]
  }

  /**
   * Uses an invite for this key, or says why not, and does what goes with it, all in one transaction that is on the disk
   * when this returns.
   * @param then done when the use counts; what it throws undoes the use
   * @returns undefined when there is no such invite
   */
  use(
    id: Uint8Array,
    key: Uint8Array,
    then: (use: 'first' | 'again') => void = () => {},
    nowMs: number = Date.now()
  ): InviteUse | undefined {
    return this.#write(
      () => {
        const invite = this.find(id)
        if (invite === undefined) return undefined
        const use = useOf(invite, key, nowMs)
        if (use === 'first') this.#statements.run('UPDATE invites SET used_by = ?2 WHERE id = ?1', id, key)
        if (use === 'first' || use === 'again') then(use)
        return use
      },
      { isDurable: true }
    )
  }
}

/** Who has used it in time may come again later. */
function useOf({ usedBy, expiresMs }: Invite, key: Uint8Array, nowMs: number): InviteUse {
  if (usedBy !== undefined) return Buffer.compare(usedBy, key) === 0 ? 'again' : 'used'
  return nowMs < expiresMs ? 'first' : 'expired'
}

function toInvite(row: Row): Invite {
  return {
    secret: row.secret as Uint8Array,
    expiresMs: row.expires_ms as number,
    isAsking: row.asks === 1,
    ...(row.used_by === null ? {} : { usedBy: row.used_by as Uint8Array })
  }
}
