// Where people's devices, and peers that the user named, can be reached: kept beside the contacts, because the
// network's own peer store may be deleted at any time.
import type { SQLInputValue } from 'node:sqlite'
import { TrustError } from './errors.ts'
import { harmless } from './names.ts'
import type { Row, Statements, Write } from './statements.ts'

/** Addresses kept of one peer, besides those that the user gave. */
export const MAX_ADDRESSES_PER_PEER = 16
/** Addresses kept of one identity, on whichever peers it says they are, besides those that the user gave. */
export const MAX_ADDRESSES_PER_IDENTITY = 128
/** Addresses kept in all, besides those that the user gave. */
export const MAX_ADDRESSES = 8_192
const MAX_ADDRESS_LENGTH = 512
const MAX_PEER_ID_LENGTH = 128
const LEARNED = 'SELECT id FROM contact_addresses WHERE given = 0'
/** Behind it, how many of the most promising are left out. */
const WORST = 'ORDER BY success_ms DESC, failures, id DESC LIMIT -1 OFFSET'

export interface KnownAddress {
  /** Absent when the user gave an address without one. */
  peerId?: string
  /** Multiaddr, with `/p2p/<peerId>` at its end when the peer id is known. */
  address: string
  /** Root key of the identity whose device this is, when it is known. */
  identity?: Uint8Array
  /** By the user: kept until the user forgets it. */
  isGiven: boolean
  /** Unix ms of the last connection that it led to; absent: never. */
  lastSuccess?: number
  /** Attempts that failed since then. */
  failures: number
}

/** A peer to stay connected with, and its addresses, the most promising first. */
export interface DialTarget {
  peerId?: string
  identity?: Uint8Array
  addresses: string[]
}

interface Options {
  self: Uint8Array
  write: Write
}

/** Made by Contacts, which owns the tables. */
export class AddressBook {
  readonly #statements: Statements
  readonly #self: Uint8Array
  readonly #write: Write

  constructor(statements: Statements, { self, write }: Options) {
    this.#statements = statements
    this.#self = self
    this.#write = write
  }

  /**
   * Remembers an address; knowing it already only adds what is new about it. Of each peer the 16 most promising are
   * kept, so a peer that announces thousands gains nothing.
   * @param known.peerId @default the one at the address's end
   * @throws TrustError ADDRESS when it has not the form of a multiaddr of at most 512 characters
   */
  remember(known: { address: string; peerId?: string; identity?: Uint8Array; isGiven?: boolean }): void {
    const { peer, address } = split(known.address, known.peerId)
    this.#write(
      () => {
        if (known.identity !== undefined)
          this.#statements.run('INSERT INTO contacts (key) VALUES (?) ON CONFLICT DO NOTHING', known.identity)
        this.#statements.run(
          `INSERT INTO contact_addresses (peer, address, identity, given) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET identity = coalesce(excluded.identity, identity), given = max(given, excluded.given)`,
          peer,
          address,
          known.identity ?? null,
          known.isGiven === true ? 1 : 0
        )
        this.#prune(peer)
        if (known.identity !== undefined) this.#pruneIdentity(known.identity)
      },
      { isDurable: known.isGiven }
    )
  }

  /** Notes that an address led to a connection at this time (Unix ms). Unknown ones are left alone. */
  noteSuccess(address: string, peerId: string | undefined, atMs: number): void {
    const known = split(address, peerId)
    this.#write(() =>
      this.#statements.run(
        'UPDATE contact_addresses SET success_ms = ?3, failures = 0 WHERE peer = ?1 AND address = ?2',
        known.peer,
        known.address,
        atMs
      )
    )
  }

  /** Notes that an address could not be reached. */
  noteFailure(address: string, peerId?: string): void {
    const known = split(address, peerId)
    this.#write(() =>
      this.#statements.run(
        'UPDATE contact_addresses SET failures = failures + 1 WHERE peer = ?1 AND address = ?2',
        known.peer,
        known.address
      )
    )
  }

  /** Ties all addresses of a peer to the identity that it has proven. */
  tie(peerId: string, identity: Uint8Array): void {
    this.#write(() => {
      this.#statements.run('INSERT INTO contacts (key) VALUES (?) ON CONFLICT DO NOTHING', identity)
      this.#statements.run('UPDATE contact_addresses SET identity = ?2 WHERE peer = ?1', peerId, identity)
      this.#pruneIdentity(identity)
    })
  }

  /** Addresses of an identity's devices, the most promising first. */
  of(identity: Uint8Array): KnownAddress[] {
    return this.#select('identity = ?', identity)
  }

  ofPeer(peerId: string): KnownAddress[] {
    return this.#select('peer = ?', peerId)
  }

  /** Addresses that the user gave. */
  given(): KnownAddress[] {
    return this.#select('given = 1')
  }

  /** Peers to stay connected with: given by the user, or devices of oneself, of people whom one follows, or whom one asked. */
  targets(): DialTarget[] {
    const known = this.#select(
      `given = 1 OR identity = ? OR identity IN (SELECT key FROM contacts WHERE relation = 'followed')
       OR identity IN (SELECT person FROM acquaintances WHERE state = 'asked' AND expires_ms > ?)`,
      this.#self,
      Date.now()
    )
    const targets = Map.groupBy(known, ({ peerId, address }) => peerId ?? address)
    return [...targets.values()].map((addresses) => ({
      peerId: addresses[0].peerId,
      identity: addresses.find(({ identity }) => identity !== undefined)?.identity,
      addresses: addresses.map(({ address }) => address)
    }))
  }

  /** Forgets an address that the user gave or that was learned. @returns whether it was known */
  forget(address: string, peerId?: string): boolean {
    const known = split(address, peerId)
    return this.#write(
      () =>
        this.#statements.run(
          'DELETE FROM contact_addresses WHERE peer = ? AND address = ?',
          known.peer,
          known.address
        ) > 0,
      { isDurable: true }
    )
  }

  /** Forgets where a peer was reached, also what the user gave: it is not who it was. */
  forgetPeer(peerId: string): void {
    this.#write(() => this.#statements.run('DELETE FROM contact_addresses WHERE peer = ?', peerId))
  }

  forgetIdentity(identity: Uint8Array): void {
    this.#write(() => this.#statements.run('DELETE FROM contact_addresses WHERE identity = ?', identity))
  }

  /** Peers cost nothing: somebody with ever new ones would have all of them dialled, and nobody else. */
  #pruneIdentity(identity: Uint8Array): void {
    this.#statements.run(
      `DELETE FROM contact_addresses WHERE id IN (${LEARNED} AND identity = ? ${WORST} ?)`,
      identity,
      MAX_ADDRESSES_PER_IDENTITY
    )
  }

  #prune(peer: string): void {
    this.#statements.run(
      `DELETE FROM contact_addresses WHERE id IN (${LEARNED} AND peer = ? ${WORST} ?)`,
      peer,
      MAX_ADDRESSES_PER_PEER
    )
    const count = Number(this.#statements.all('SELECT count(*) AS n FROM contact_addresses WHERE given = 0')[0].n)
    if (count > MAX_ADDRESSES)
      this.#statements.run(`DELETE FROM contact_addresses WHERE id IN (${LEARNED} ${WORST} ?)`, MAX_ADDRESSES)
  }

  #select(condition: string, ...values: SQLInputValue[]): KnownAddress[] {
    const sql = `SELECT * FROM contact_addresses WHERE ${condition} ORDER BY failures > 0, success_ms DESC, failures, id DESC`
    return this.#statements.all(sql, ...values).map(toKnown)
  }
}

/** Takes the peer's own `/p2p/` off an address, so that one address is not kept twice. */
function split(text: string, peerId?: string): { peer: string; address: string } {
  if (text.length > MAX_ADDRESS_LENGTH || !/^(?:\/[\x21-\x2e\x30-\x7e]+)+$/.test(text)) {
    throw new TrustError(
      'ADDRESS',
      `expected a multiaddr such as /ip4/192.0.2.1/tcp/4001 of at most ${MAX_ADDRESS_LENGTH} characters; found "${harmless(text.slice(0, 80))}"`
    )
  }
  const ending = /\/p2p\/([^/]+)$/.exec(text)?.[1]
  const peer = peerId ?? ending ?? ''
  if (peer.length > MAX_PEER_ID_LENGTH)
    throw new TrustError('ADDRESS', `a peer id has at most ${MAX_PEER_ID_LENGTH} characters, not ${peer.length}`)
  if (ending !== undefined && ending !== peer)
    throw new TrustError('ADDRESS', `the address belongs to peer ${ending}, not to ${harmless(peer)}`)
  return { peer, address: ending === undefined ? text : text.slice(0, -`/p2p/${ending}`.length) }
}

function toKnown(row: Row): KnownAddress {
  const peer = row.peer as string
  const success = row.success_ms as number
  return {
    ...(peer === '' ? {} : { peerId: peer }),
    address: (row.address as string) + (peer === '' ? '' : `/p2p/${peer}`),
    ...(row.identity === null ? {} : { identity: row.identity as Uint8Array }),
    isGiven: row.given === 1,
    ...(success === 0 ? {} : { lastSuccess: success }),
    failures: row.failures as number
  }
}
