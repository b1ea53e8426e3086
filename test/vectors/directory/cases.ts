// Builds the directory's vectors: blinded keys, certificates, one whole record, and each change that breaks a rule.
import {
  blindedKey,
  blindedSigningKey,
  certify,
  directoryKey,
  directorySeed,
  RECORD_SIZE,
  sealRecord
} from '../../../src/trust/index.ts'
import { alice, bob, type Key } from '../cases/build.ts'

export const DAY = 20_454 // 2026-01-01
const NOON = DAY * 86_400_000 + 43_200_000

/** Bytes are hexadecimal. */
export interface BlindingVector {
  name: string
  seed: string
  root: string
  day: number
  blinded: string
  /** Of the text `message`, in ASCII, by the blinded key. */
  signature: string
  directorySeed: string
  directoryKey: string
  rank: number
  certificate: string
}

export interface RecordVector {
  name: string
  /** Looked up for this identity, */
  root: string
  /** under this key, */
  blinded: string
  /** on this day. */
  today: number
  record: string
  valid: boolean
  /** Where it is valid: the content's canonical CBOR. */
  content?: string
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function blinding(name: string, owner: Key, day: number, generation = 0): BlindingVector {
  const seed = directorySeed(owner.seed, generation)
  const certificate = certify(owner.seed, generation, day)
  return {
    name,
    seed: hex(owner.seed),
    root: hex(owner.publicKey),
    day,
    blinded: hex(blindedKey(owner.publicKey, day)),
    signature: hex(blindedSigningKey(owner.seed, day).sign(Buffer.from('message'))),
    directorySeed: hex(seed),
    directoryKey: hex(directoryKey(seed, day).publicKey),
    rank: certificate.rank,
    certificate: hex(certificate.signature)
  }
}

export const blindingVectors: BlindingVector[] = [
  blinding('Alice', alice, DAY),
  blinding('Alice on the next day', alice, DAY + 1),
  blinding('Alice after she revoked a device', alice, DAY, 1),
  blinding('Bob', bob, DAY),
  blinding('Bob on the last day there is', bob, 0xffff_ffff)
]

/** Alice's: two devices, one of them with an IPv4 and an IPv6 address. */
const CONTENT = {
  log: { seq: 2, id: Buffer.alloc(32, 0x0a) },
  devices: [
    {
      peer: Buffer.alloc(32, 0x0b),
      addresses: [
        Buffer.from('0401020304060fc8', 'hex'),
        Buffer.from('2920010db8000000000000000000000001060fc8', 'hex')
      ],
      at: 1_767_268_800
    },
    { peer: Buffer.alloc(32, 0x0c), addresses: [], at: 1_767_200_000 }
  ]
}

function seal(owner: Key, { day = DAY, generation = 0, sequence = NOON } = {}): Buffer {
  const key = directoryKey(directorySeed(owner.seed, generation), day)
  const certificate = certify(owner.seed, generation, day)
  const nonce = Buffer.alloc(12, 0x0d)
  return Buffer.from(sealRecord({ root: owner.publicKey, key, certificate, sequence, content: CONTENT, nonce }))
}

/** The record with its signature made again, by whoever holds the directory key, over other bytes. */
function resigned(change: (record: Buffer) => void): Buffer {
  const record = seal(alice)
  change(record)
  const key = directoryKey(directorySeed(alice.seed, 0), DAY)
  const signed = record.subarray(0, RECORD_SIZE - 64)
  return Buffer.concat([signed, key.sign(Buffer.concat([Buffer.from('comrade/directory/record/1\0'), signed]))])
}

function flipped(at: number): Buffer {
  const record = seal(alice)
  record[at] ^= 1
  return record
}

const valid = (name: string, record: Buffer, today = DAY): RecordVector => ({
  ...refused(name, record, today),
  valid: true,
  content: contentOf()
})

function refused(name: string, record: Buffer, today = DAY, owner = alice): RecordVector {
  const blinded = hex(blindedKey(owner.publicKey, DAY))
  return { name, root: hex(owner.publicKey), blinded, today, record: hex(record), valid: false }
}

/** Canonical DAG-CBOR, by hand. */
function contentOf(): string {
  const key = (name: string) => (0x60 + name.length).toString(16) + hex(Buffer.from(name))
  const device = (at: number, peer: string, ...addresses: string[]) =>
    `a3${key('at')}1a${at.toString(16)}${key('peer')}5820${peer.repeat(32)}${key('addresses')}8${addresses.length}${addresses.join('')}`
  const log = `a2${key('id')}5820${'0a'.repeat(32)}${key('seq')}02`
  const laptop = device(1_767_268_800, '0b', '480401020304060fc8', '542920010db8000000000000000000000001060fc8')
  const devices = `82${laptop}${device(1_767_200_000, '0c')}`
  return `a3${key('log')}${log}${key('devices')}${devices}${key('mailboxes')}80`
}

export const recordVectors: RecordVector[] = [
  valid("Alice's record", seal(alice)),
  valid("Alice's record, on the day before", seal(alice), DAY - 1),
  valid("Alice's record, on the day after", seal(alice), DAY + 1),
  valid("Alice's record of rank one higher", seal(alice, { generation: 1 })),
  valid('the latest sequence there can be', seal(alice, { sequence: (DAY + 2) * 86_400_000 - 1 })),
  refused('two days early', seal(alice), DAY - 2),
  refused('two days late', seal(alice), DAY + 2),
  refused('of another day than the key', seal(alice, { day: DAY + 1 })),
  refused('with a sequence in the future', seal(alice, { sequence: (DAY + 2) * 86_400_000 })),
  refused('under the key of somebody else', seal(alice), DAY, bob),
  refused('one byte short', seal(alice).subarray(1)),
  refused('one byte long', Buffer.concat([seal(alice), Buffer.alloc(1)])),
  refused('empty', Buffer.alloc(0)),
  refused(
    'of version 2',
    resigned((record) => (record[0] = 2))
  ),
  refused(
    'with another day, signed again',
    resigned((record) => record.writeUInt32BE(DAY + 1, 1))
  ),
  refused(
    'with a higher rank, signed again',
    resigned((record) => record.writeUInt32BE(0xffff_ffff, 5))
  ),
  refused(
    'with the directory key of somebody else',
    resigned((record) => record.set(bob.publicKey, 17))
  ),
  refused(
    'with a spoiled certificate, signed again',
    resigned((record) => (record[60] ^= 1))
  ),
  refused(
    'with a spoiled content, signed again',
    resigned((record) => (record[300] ^= 1))
  ),
  refused('with a spoiled sequence', flipped(16)),
  refused('with a spoiled content', flipped(300)),
  refused('with a spoiled signature', flipped(RECORD_SIZE - 40))
]
