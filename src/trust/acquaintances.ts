// How far one has come with people on the way to knowing each other: who wants to be known, who was asked, whom one has
// met, who was declined. Strangers can fill only so much of it, and whom contacts know is kept before them.
import type { Row, Statements, Write } from './statements.ts'

/** How long a request stands, and how long a declined one is not listed again, in ms: 30 days. */
export const REQUEST_LIFE_MS = 30 * 86_400_000
/** Requests of others that are listed at a time. */
export const MAX_REQUESTS = 200
/** New requests that one peer may bring in a day. */
export const MAX_REQUESTS_PER_PEER = 5
/** New requests of people whom no contact knows, in a minute, whoever brings them. */
export const MAX_STRANGERS_PER_MINUTE = 20
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** 'asks': they want to meet. 'asked': by this user. */
export type AcquaintanceState = 'asked' | 'asks' | 'met' | 'declined'

export interface Acquaintance {
  /** Root key. */
  person: Uint8Array
  state: AcquaintanceState
  /** The name that they claim: not cleaned, not escaped. */
  name?: string
  /** Peer id of the device that asked. */
  peer?: string
  /** Multiaddrs that they gave; unchecked. */
  addresses: string[]
  /** Whether they know that this user has decided. */
  isTold: boolean
  timeMs: number
  expiresMs: number
}

/** What somebody who wants to be known says of themselves. */
export interface RequestOf {
  person: Uint8Array
  name?: string
  peer: string
  addresses: readonly string[]
}

/** Made by Contacts, which owns the tables. */
export class Acquaintances {
  readonly #statements: Statements
  readonly #write: Write

  constructor(statements: Statements, { write }: { write: Write }) {
    this.#statements = statements
    this.#write = write
  }

  /** How it stands with a person; undefined when nothing was asked, or when that is over. */
  of(person: Uint8Array, nowMs: number = Date.now()): Acquaintance | undefined {
    return this.#select('person = ?', nowMs, person)[0]
  }

  /** Requests without a decision, of either side, newest first; nobody who is blocked, or is a friend by now. */
  pending(nowMs: number = Date.now()): Acquaintance[] {
    return this.#select(
      `state IN ('asks', 'asked') AND person NOT IN
         (SELECT key FROM contacts WHERE relation = 'blocked' OR (relation = 'followed' AND follows_us = 1))`,
      nowMs
    )
  }

  /**
   * Lists a request. It takes the place of an earlier one of this person; a declined one stays declined.
   * @param isKnown whether a contact knows them, or they have proven an invite
   * @returns whether it is a new one; false also when there is no room for it
   */
  noteAsks(request: RequestOf, isKnown: boolean, nowMs: number = Date.now()): boolean {
    const before = this.of(request.person, nowMs)
    if (before?.state === 'declined') return false
    if (before?.state === 'asks') return this.#update(request, isKnown)
    return this.#write(() => {
      if (!this.#hasRoom(request.peer, isKnown, nowMs)) return false
      this.#put(request.person, 'asks', nowMs, { ...request, isKnown })
      return true
    })
  }

  /** The user wants to meet this person, who does not know it yet. */
  ask(person: Uint8Array, nowMs: number = Date.now()): void {
    this.#write(() => this.#put(person, 'asked', nowMs, {}), { isDurable: true })
  }

  /** @param isTold whether the other side knows */
  meet(person: Uint8Array, isTold: boolean, nowMs: number = Date.now()): void {
    this.#write(() => this.#put(person, 'met', nowMs, { isTold }), { isDurable: true })
  }

  /** Their requests are not listed again before 30 days are over. */
  decline(person: Uint8Array, nowMs: number = Date.now()): void {
    this.#write(() => this.#put(person, 'declined', nowMs, {}), { isDurable: true })
  }

  forget(person: Uint8Array): void {
    this.#write(() => this.#statements.run('DELETE FROM acquaintances WHERE person = ?', person), { isDurable: true })
  }

  #hasRoom(peer: string, isKnown: boolean, nowMs: number): boolean {
    const count = (condition: string, ...values: (string | number)[]): number =>
      Number(this.#statements.all(`SELECT count(*) AS n FROM acquaintances WHERE ${condition}`, ...values)[0].n)
    if (count('peer = ? AND time_ms > ?', peer, nowMs - DAY_MS) >= MAX_REQUESTS_PER_PEER) return false
    const strangers = `state = 'asks' AND known = 0`
    if (!isKnown && count(`${strangers} AND time_ms > ?`, nowMs - MINUTE_MS) >= MAX_STRANGERS_PER_MINUTE) return false
    this.#statements.run(`DELETE FROM acquaintances WHERE state <> 'met' AND expires_ms <= ?`, nowMs)
    if (count(`state = 'asks'`) < MAX_REQUESTS) return true
    // The oldest stranger goes for somebody whom a contact knows, and for nobody else.
    const oldest = `SELECT person FROM acquaintances WHERE ${strangers} ORDER BY time_ms LIMIT 1`
    return isKnown && this.#statements.run(`DELETE FROM acquaintances WHERE person IN (${oldest})`) > 0
  }

  /** A request that is listed already says where they are now. */
  #update({ person, name, peer, addresses }: RequestOf, isKnown: boolean): false {
    this.#write(() =>
      this.#statements.run(
        'UPDATE acquaintances SET name = ?2, peer = ?3, addresses = ?4, known = max(known, ?5) WHERE person = ?1',
        person,
        name ?? null,
        peer,
        JSON.stringify(addresses),
        isKnown ? 1 : 0
      )
    )
    return false
  }

  #put(
    person: Uint8Array,
    state: AcquaintanceState,
    nowMs: number,
    { name, peer, addresses, isKnown, isTold }: Partial<RequestOf> & { isKnown?: boolean; isTold?: boolean }
  ): void {
    this.#statements.run(
      `INSERT INTO acquaintances VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
       ON CONFLICT DO UPDATE SET state = ?2, name = coalesce(?3, name), peer = coalesce(?4, peer),
         addresses = CASE WHEN ?4 IS NULL THEN addresses ELSE ?5 END, known = ?6, told = ?7, time_ms = ?8, expires_ms = ?9`,
      person,
      state,
      name ?? null,
      peer ?? null,
      JSON.stringify(addresses ?? []),
      isKnown === true ? 1 : 0,
      isTold === true ? 1 : 0,
      nowMs,
      nowMs + REQUEST_LIFE_MS
    )
  }

  #select(condition: string, nowMs: number, ...values: Uint8Array[]): Acquaintance[] {
    return this.#statements
      .all(
        `SELECT * FROM acquaintances WHERE (${condition}) AND (state = 'met' OR expires_ms > ?)
         ORDER BY time_ms DESC, person`,
        ...values,
        nowMs
      )
      .map(toAcquaintance)
  }
}

function toAcquaintance(row: Row): Acquaintance {
  return {
    person: row.person as Uint8Array,
    state: row.state as AcquaintanceState,
    ...(row.name === null ? {} : { name: row.name as string }),
    ...(row.peer === null ? {} : { peer: row.peer as string }),
    addresses: JSON.parse(row.addresses as string) as string[],
    isTold: row.told === 1,
    timeMs: row.time_ms as number,
    expiresMs: row.expires_ms as number
  }
}
