// What the user decided about people, on whichever own device: how one stands to somebody, and the petname. Each is the
// newest of all decisions that are known, by time, feed and seq. So devices that know the same decisions agree, in
// whatever order they heard of them.
import type { Body } from '../feeds/index.ts'
import { formatDid, isDidLike, parseDid } from './did.ts'
import { foldName, normalizePetname } from './names.ts'
import type { SealedQueue } from './sealed-queue.ts'
import type { Row, Statements } from './statements.ts'

export type DecidedRelation = 'followed' | 'blocked' | 'none'

/** Where a decision was written. */
export interface Place {
  feed: Uint8Array
  seq: number
  /** The entry's time, Unix ms. */
  time: number
}

/** What changed by a decision: what the contacts are to show now. */
export interface Decided {
  contact: Uint8Array
  /** Absent: as before. */
  relation?: DecidedRelation
  /** Who has which petname now, among those whom this decision concerns. */
  petnames: { contact: Uint8Array; petname: string | undefined }[]
}

const FEED_SIZE = 32
/** ms u48 ‖ feed ‖ seq u32. What this device has not written yet has zeros after the time, and yields to whatever has not. */
const STAMP_SIZE = 6 + FEED_SIZE + 4
const NEVER = new Uint8Array(STAMP_SIZE)
const MAX_MS = 2 ** 48 - 1
const FIELDS = ['relation', 'petname'] as const
type Field = (typeof FIELDS)[number]

/** Made by Contacts, which owns the tables. All methods are called in its transactions. */
export class Decisions {
  readonly #statements: Statements
  readonly #queue: SealedQueue

  constructor(statements: Statements, queue: SealedQueue) {
    this.#statements = statements
    this.#queue = queue
  }

  /** The user decides on this device: it counts at once, and waits to be written for the other devices. */
  decide(contact: Uint8Array, decision: { relation: DecidedRelation } | { petname: string | undefined }): Decided {
    const field: Field = 'relation' in decision ? 'relation' : 'petname'
    // A clock that went back must not let an older decision win.
    const at = Math.min(MAX_MS, Math.max(Date.now(), timeOf(this.#row(contact)[`${field}_stamp`] as Uint8Array) + 1))
    const value = 'relation' in decision ? decision.relation : decision.petname
    this.#queue.add(`contact/${field}/${formatDid(contact)}`, {
      type: 'contact',
      contact: formatDid(contact),
      at,
      ...('relation' in decision ? decision : { name: decision.petname ?? null })
    })
    return this.#set(contact, field, value, stampOf(at))
  }

  /**
   * Takes what an own device wrote. What has not the form of a decision is passed over.
   * @param self own root key: nothing is decided about it
   * @returns what is to be shown; undefined when nothing new was decided
   */
  apply(body: Body, place: Place, self: Uint8Array): Decided | undefined {
    if (body.type !== 'contact' || typeof body.contact !== 'string') return undefined
    const contact = readDid(body.contact)
    if (contact === undefined || Buffer.compare(contact, self) === 0) return undefined
    const at = isTime(body.at) ? body.at : place.time
    const stamp = stampOf(at, place)
    const relation = readRelation(body.relation)
    const petname = readPetname(body.name)
    const changes = [
      ...(relation === undefined ? [] : [{ field: 'relation' as const, value: relation as string | undefined }]),
      ...(petname === undefined ? [] : [{ field: 'petname' as const, value: petname ?? undefined }])
    ]
    const row = this.#row(contact)
    const newer = changes.filter(({ field }) => Buffer.compare(stamp, row[`${field}_stamp`] as Uint8Array) > 0)
    return newer
      .map(({ field, value }) => this.#set(contact, field, value, stamp))
      .reduce<Decided | undefined>(joined, undefined)
  }

  /**
   * Forgets what a device decided after this seq of its feed: it was revoked there. What counted before is to be read
   * anew from the feeds.
   */
  forgetAfter(feed: Uint8Array, last: number): Decided[] {
    return FIELDS.flatMap((field) =>
      this.#statements
        .all(
          `SELECT contact FROM contact_decisions WHERE substr(${field}_stamp, 7, 32) = ?1 AND substr(${field}_stamp, 39) > ?2`,
          feed,
          seqBytes(last)
        )
        .map(({ contact }) => this.#set(contact as Uint8Array, field, field === 'relation' ? 'none' : undefined, NEVER))
    )
  }

  #row(contact: Uint8Array): Row {
    const row = this.#statements.all('SELECT * FROM contact_decisions WHERE contact = ?', contact)[0]
    return (
      row ?? {
        contact,
        relation: 'none',
        relation_stamp: NEVER,
        petname: null,
        petname_folded: null,
        petname_stamp: NEVER
      }
    )
  }

  #set(contact: Uint8Array, field: Field, value: string | undefined, stamp: Uint8Array): Decided {
    const before = this.#row(contact)
    this.#statements.run(
      'INSERT INTO contact_decisions (contact, relation_stamp, petname_stamp) VALUES (?1, ?2, ?2) ON CONFLICT DO NOTHING',
      contact,
      NEVER
    )
    if (field === 'relation') {
      this.#statements.run(
        'UPDATE contact_decisions SET relation = ?2, relation_stamp = ?3 WHERE contact = ?1',
        contact,
        value ?? 'none',
        stamp
      )
    } else {
      this.#statements.run(
        'UPDATE contact_decisions SET petname = ?2, petname_folded = ?3, petname_stamp = ?4 WHERE contact = ?1',
        contact,
        value ?? null,
        value === undefined ? null : foldName(value),
        stamp
      )
    }
    if (field === 'relation') return { contact, relation: (value ?? 'none') as DecidedRelation, petnames: [] }
    const names = [before.petname_folded, this.#row(contact).petname_folded].filter((name) => name !== null) as string[]
    const holders = [...new Set(names)].flatMap((name) => this.#holders(name))
    return { contact, petnames: [{ contact, petname: undefined }, ...holders] }
  }

  /** Of two people to whom devices gave the same petname, the one who was given it last has it. */
  #holders(folded: string): Decided['petnames'] {
    return this.#statements
      .all(
        'SELECT contact, petname FROM contact_decisions WHERE petname_folded = ? ORDER BY petname_stamp DESC, contact DESC',
        folded
      )
      .map((row, i) => ({
        contact: row.contact as Uint8Array,
        petname: i === 0 ? (row.petname as string) : undefined
      }))
      .reverse() // who loses it goes first: no two ever have it at the same time
  }
}

function joined(before: Decided | undefined, next: Decided): Decided {
  return { ...before, ...next, petnames: [...(before?.petnames ?? []), ...next.petnames] }
}

function stampOf(ms: number, place?: Place): Uint8Array {
  const stamp = Buffer.alloc(STAMP_SIZE)
  stamp.writeUIntBE(ms, 0, 6)
  if (place === undefined) return stamp
  stamp.set(place.feed, 6)
  stamp.set(seqBytes(place.seq), 6 + FEED_SIZE)
  return stamp
}

function timeOf(stamp: Uint8Array): number {
  return Buffer.from(stamp.buffer, stamp.byteOffset, stamp.length).readUIntBE(0, 6)
}

function seqBytes(seq: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(seq)
  return bytes
}

function isTime(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_MS
}

function readDid(text: string): Uint8Array | undefined {
  try {
    return isDidLike(text) ? parseDid(text) : undefined
  } catch {
    return undefined
  }
}

/** 'friend' is following: whether the other side follows is not for the user to decide. */
function readRelation(value: unknown): DecidedRelation | undefined {
  if (value === 'friend') return 'followed'
  return value === 'followed' || value === 'blocked' || value === 'none' ? value : undefined
}

/** null takes a petname away; undefined says nothing about it. */
function readPetname(value: unknown): string | null | undefined {
  if (typeof value !== 'string') return value === null ? null : undefined
  try {
    return normalizePetname(value)
  } catch {
    return undefined
  }
}
