// The directory records that this node keeps for others, as a node of the DHT. js-libp2p's DHT stores whatever passes its
// validator, for ever and on the disk, and replaces a record by an older one; this store does not. It is in memory:
// nothing of it is worth a disk, since each record lies with twenty nodes and is published again every twelve hours.
import { createHash } from 'node:crypto'
import type { kadDHT, Selectors, Validators } from '@libp2p/kad-dht'
import { base32 } from 'multiformats/bases/base32'
import { checkRecord, compareRecords, dayOf, type DirectoryRecord, readRecord, TrustError } from '../trust/index.ts'

/** Records that are kept; past it those go whose keys are farthest from this node. About 12 MB. */
export const MAX_RECORDS = 8_192
const NAMESPACE = Buffer.from('/comrade/')
/** Where kad-dht puts records in its datastore. */
const STORE_PREFIX = '/dht/record/'
/** Tag of the protobuf field that holds a record's value: number 2, length-delimited. */
const VALUE_TAG = 0x12

export type Datastore = Parameters<ReturnType<typeof kadDHT>>[0]['datastore']
type Key = Parameters<Datastore['get']>[0]

interface Held {
  record: DirectoryRecord
  /** As kad-dht has it: key, value and the time of arrival. */
  bytes: Uint8Array
  /** How far from this node, as the first 48 bits of Kademlia's distance. */
  distance: number
}

/** The key under which the DHT knows a record: "/comrade/" ‖ blinded key. */
export function dhtKey(blinded: Uint8Array): Uint8Array {
  return Buffer.concat([NAMESPACE, blinded])
}

export class RecordStore {
  #self: Uint8Array = new Uint8Array(32)
  readonly #now: () => number
  /** By their names in kad-dht's datastore. */
  readonly #held = new Map<string, Held>()
  readonly validators: Validators
  readonly selectors: Selectors

  /** @param options.now @default Date.now */
  constructor({ now = Date.now }: { now?: () => number } = {}) {
    this.#now = now
    this.validators = {
      comrade: (key, value) => this.#validate(key, value),
      // kad-dht would keep public keys as well; peers tell theirs when they connect.
      pk: () => {
        throw new TrustError('RECORD', 'this node keeps directory records only')
      }
    }
    this.selectors = { comrade: (_, values) => selectRecord(values) }
  }

  /** How many records are kept. */
  get size(): number {
    return this.#held.size
  }

  /** The record that is kept under this key. */
  get(blinded: Uint8Array): DirectoryRecord | undefined {
    return this.#current(nameOf(dhtKey(blinded)))?.record
  }

  /** What is kept, for tests and for curious owners. */
  *records(): Generator<DirectoryRecord> {
    for (const { record } of this.#held.values()) yield record
  }

  /** Forgets what nobody may serve any more. */
  prune(): void {
    for (const name of this.#held.keys()) this.#current(name)
  }

  /**
   * What kad-dht uses in place of libp2p's datastore. Providers are neither kept nor found: nobody asks for any.
   * @param self the multihash of the own peer id
   */
  asDatastore(self: Uint8Array): Datastore {
    this.#self = sha256(self)
    const store: Pick<Datastore, 'get' | 'put' | 'has' | 'delete' | 'query'> = {
      get: (key) => this.#read(key),
      has: (key) => this.#current(key.toString()) !== undefined,
      put: (key, bytes) => this.#write(key, bytes),
      delete: (key) => void this.#held.delete(key.toString()),
      query: () => (async function* () {})()
    }
    return store as Datastore
  }

  /** @throws TrustError RECORD */
  #validate(key: Uint8Array, value: Uint8Array): void {
    const blinded = key.subarray(NAMESPACE.length)
    if (!isDhtKey(key)) throw new TrustError('RECORD', 'the key of a directory record has 41 bytes')
    const record = checkRecord(blinded, value, dayOf(this.#now()))
    const held = this.get(blinded)
    if (held !== undefined && compareRecords(held, record) < 0)
      throw new TrustError('RECORD', 'a newer record is stored than this one')
  }

  #read(key: Key): Uint8Array {
    const held = this.#current(key.toString())
    if (held !== undefined) return held.bytes
    throw Object.assign(new Error(`nothing is stored under ${key.toString()}`), { name: 'NotFoundError' })
  }

  /** The validator may have let two through at once, so that they are compared once more. */
  #write(key: Key, bytes: Uint8Array): Key {
    const name = key.toString()
    const value = name.startsWith(STORE_PREFIX) ? valueOf(bytes) : undefined
    if (value === undefined) return key
    const record = readRecord(value)
    const held = this.#current(name)
    if (held !== undefined && compareRecords(held.record, record) < 0) return key
    const dht = base32.baseDecode(name.slice(STORE_PREFIX.length))
    this.#held.set(name, { record, bytes: new Uint8Array(bytes), distance: this.#distanceTo(dht) })
    if (this.#held.size > MAX_RECORDS) this.#makeRoom()
    return key
  }

  #current(name: string): Held | undefined {
    const held = this.#held.get(name)
    if (held === undefined || Math.abs(held.record.day - dayOf(this.#now())) <= 1) return held
    this.#held.delete(name)
    return undefined
  }

  #makeRoom(): void {
    this.prune()
    if (this.#held.size <= MAX_RECORDS) return
    const [farthest] = [...this.#held].reduce((far, next) => (next[1].distance > far[1].distance ? next : far))
    this.#held.delete(farthest)
  }

  #distanceTo(key: Uint8Array): number {
    const hash = sha256(key)
    return Buffer.from(hash.map((byte, at) => byte ^ this.#self[at])).readUIntBE(0, 6)
  }
}

function isDhtKey(key: Uint8Array): boolean {
  return key.length === NAMESPACE.length + 32 && NAMESPACE.equals(key.subarray(0, NAMESPACE.length))
}

/** Which of several records counts. */
function selectRecord(values: Uint8Array[]): number {
  const records = values.map(readRecord)
  return records.indexOf(records.toSorted(compareRecords)[0])
}

function nameOf(key: Uint8Array): string {
  return STORE_PREFIX + base32.baseEncode(key)
}

/** The value inside of libp2p's record, a protobuf message whose fields are all length-delimited. */
function valueOf(bytes: Uint8Array): Uint8Array | undefined {
  let at = 0
  while (at < bytes.length) {
    const tag = bytes[at++]
    let size = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++]
      size |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    if (tag === VALUE_TAG) return bytes.slice(at, at + size)
    at += size
  }
  return undefined
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}
