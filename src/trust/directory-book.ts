// What this device keeps of the directory: the own directory keys' seed and certificates, and the newest records that
// it made or found, so that friends can be told and people be found when the network does not answer.
import { compareRecords, type DirectoryRecord, readRecord } from './directory-record.ts'
import type { Certificate } from './directory-keys.ts'
import type { Row, Statements, Write } from './statements.ts'

/** Records that are kept, own ones included; past it the oldest go. */
export const MAX_KEPT_RECORDS = 20_000
/** How long found records are kept, in days: addresses in them may still be right. */
const KEPT_DAYS = 7
const MAX_CERTIFICATES = 1_024
/** A certificate as it is handed over: rank u32 ‖ signature. */
const HANDED_SIZE = 68

/** What a device needs to publish for its identity, as one device hands it to another. */
export interface DirectoryMaterial {
  /** How many devices had been revoked. Material of a lower one does not count any more. */
  generation: number
  /** Of the directory keys. */
  seed: Uint8Array
  /** The day of the first certificate; the others follow, a day each. */
  day: number
  /** 68 bytes each: rank u32 ‖ signature (64). */
  certificates: Uint8Array
}

/** Made by Contacts, which owns the tables. */
export class DirectoryBook {
  readonly #statements: Statements
  readonly #write: Write

  constructor(statements: Statements, { write }: { write: Write }) {
    this.#statements = statements
    this.#write = write
  }

  /** The seed of the own directory keys, when this device has it. */
  get seed(): { generation: number; seed: Uint8Array } | undefined {
    const row = this.#statements.all('SELECT * FROM directory_seed')[0]
    return row && { generation: row.generation as number, seed: row.seed as Uint8Array }
  }

  certificate(day: number): Certificate | undefined {
    const row = this.#statements.all('SELECT * FROM directory_certificates WHERE day = ?', day)[0]
    return row && toCertificate(row)
  }

  /** The last day up to which there is a certificate for every day from this one; undefined when there is none for it. */
  certifiedUntil(day: number): number | undefined {
    const days = this.#statements.all('SELECT day FROM directory_certificates WHERE day >= ? ORDER BY day', day)
    const count = days.findIndex((row, at) => row.day !== day + at)
    const until = day + (count === -1 ? days.length : count) - 1
    return until < day ? undefined : until
  }

  /** Adds certificates. Those of a lower generation are forgotten, and nothing is added to a higher one. */
  certify(generation: number, seed: Uint8Array, certificates: readonly Certificate[]): void {
    this.#write(() => {
      const known = this.seed
      if (known !== undefined && known.generation > generation) return
      if (known !== undefined && known.generation < generation)
        this.#statements.run('DELETE FROM directory_certificates')
      this.#statements.run('INSERT OR REPLACE INTO directory_seed VALUES (0, ?, ?)', generation, seed)
      for (const { day, rank, signature } of certificates)
        this.#statements.run('INSERT OR REPLACE INTO directory_certificates VALUES (?, ?, ?)', day, rank, signature)
    })
  }

  /**
   * What another device of this identity needs to publish too.
   * @param day the first day that matters: today
   * @returns undefined when this device has nothing to hand over
   */
  exportMaterial(day: number): DirectoryMaterial | undefined {
    const [known, until] = [this.seed, this.certifiedUntil(day)]
    if (known === undefined || until === undefined) return undefined
    const certificates = Buffer.alloc((until - day + 1) * HANDED_SIZE)
    for (let next = day; next <= until; next++) {
      const { rank, signature } = this.certificate(next)!
      certificates.writeUInt32BE(rank, (next - day) * HANDED_SIZE)
      certificates.set(signature, (next - day) * HANDED_SIZE + 4)
    }
    return { ...known, day, certificates: new Uint8Array(certificates) }
  }

  /**
   * Takes over what another device of this identity has handed over, unless what is here is newer.
   * @param material as it was decoded, unchecked
   * @param generationLimit that it may have at most: a higher one, which a stolen device made up, would never be replaced
   * @returns whether it was newer than what was here
   */
  importMaterial(material: unknown, generationLimit = Infinity): boolean {
    if (!isMaterial(material) || material.generation > generationLimit) return false
    const { generation, seed, day, certificates } = material
    const bytes = Buffer.from(certificates)
    const list = Array.from({ length: bytes.length / HANDED_SIZE }, (_, at) => ({
      day: day + at,
      rank: bytes.readUInt32BE(at * HANDED_SIZE),
      signature: new Uint8Array(bytes.subarray(at * HANDED_SIZE + 4, (at + 1) * HANDED_SIZE))
    }))
    const before = { generation: this.seed?.generation ?? -1, until: this.certifiedUntil(day) ?? 0 }
    this.certify(generation, seed, list)
    return generation > before.generation || (this.certifiedUntil(day) ?? 0) > before.until
  }

  /**
   * Keeps a record that was checked, unless a newer one of that day is kept.
   * @returns whether it is the one that counts now
   */
  keep(identity: Uint8Array, blinded: Uint8Array, { day, bytes }: DirectoryRecord): boolean {
    return this.#write(() => {
      const known = this.record(identity, day)
      if (known !== undefined && compareRecords(known, readRecord(bytes)) <= 0) return false
      this.#statements.run(
        'INSERT OR REPLACE INTO directory_records VALUES (?, ?, ?, ?)',
        identity,
        day,
        blinded,
        bytes
      )
      return true
    })
  }

  /** The record of an identity for this day. */
  record(identity: Uint8Array, day: number): DirectoryRecord | undefined {
    return toRecord(
      this.#statements.all('SELECT * FROM directory_records WHERE identity = ? AND day = ?', identity, day)[0]
    )
  }

  /** The record of an identity that was made last, whatever its day. */
  newest(identity: Uint8Array): DirectoryRecord | undefined {
    const records = this.#statements.all('SELECT * FROM directory_records WHERE identity = ?', identity).map(toRecord)
    return records.toSorted((a, b) => b!.sequence - a!.sequence)[0]
  }

  /** The identity whose record is kept under a blinded key, and the record. */
  find(blinded: Uint8Array): { identity: Uint8Array; record: DirectoryRecord } | undefined {
    const row = this.#statements.all('SELECT * FROM directory_records WHERE blinded = ?', blinded)[0]
    return row && { identity: row.identity as Uint8Array, record: toRecord(row)! }
  }

  /** Forgets where an identity's devices were. */
  forgetIdentity(identity: Uint8Array): void {
    this.#write(() => this.#statements.run('DELETE FROM directory_records WHERE identity = ?', identity))
  }

  /** Forgets what is too old to be of use. */
  prune(today: number): void {
    this.#write(() => {
      this.#statements.run('DELETE FROM directory_certificates WHERE day < ?', today - 1)
      this.#statements.run('DELETE FROM directory_records WHERE day < ?', today - KEPT_DAYS)
      this.#statements.run(
        'DELETE FROM directory_records WHERE rowid IN (SELECT rowid FROM directory_records ORDER BY day DESC LIMIT -1 OFFSET ?)',
        MAX_KEPT_RECORDS
      )
    })
  }
}

function isMaterial(value: unknown): value is DirectoryMaterial {
  const { generation, seed, day, certificates } = (value ?? {}) as Partial<DirectoryMaterial>
  return (
    isU32(generation) &&
    isU32(day) &&
    seed instanceof Uint8Array &&
    seed.length === 32 &&
    certificates instanceof Uint8Array &&
    certificates.length % HANDED_SIZE === 0 &&
    certificates.length <= MAX_CERTIFICATES * HANDED_SIZE
  )
}

function isU32(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 0xffff_ffff - MAX_CERTIFICATES
}

function toCertificate(row: Row): Certificate {
  return { day: row.day as number, rank: row.rank as number, signature: row.signature as Uint8Array }
}

function toRecord(row: Row | undefined): DirectoryRecord | undefined {
  return row && readRecord(row.record as Uint8Array)
}
