// How groups' logs are named and compared on their way. Made from primitives only, apart from the code under test.
import { createHash, createHmac } from 'node:crypto'
import { fill, GROUP, hex } from './build.ts'

const OTHER = fill(0x51)
const NONCES = [fill(0x52, 16), fill(0x53, 16)] as const
const OPERATIONS = [GROUP, fill(0x54), fill(0x55)]
const ID = fill(0x56, 12)

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const text = (value: string) => Buffer.from(value)
const u32 = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 0xff))

const topic = (group: Uint8Array, month: string) => {
  const secret = sha256(text('comrade/group/topic/1\0'), group)
  return `/comrade/group/1/${createHmac('sha256', secret).update(month).digest('hex').slice(0, 32)}`
}

const salt = sha256(text('comrade/sync/salt/1\0'), ...NONCES)
const blinded = (id: Uint8Array) => sha256(salt, id).subarray(0, 12)

function fingerprint(ids: readonly Uint8Array[]): string {
  const items = ids.map((id) => sha256(text('comrade/group/item/1\0'), id).readBigUInt64BE())
  const sum = items.reduce((total, item) => total + item, 0n) % 2n ** 64n
  return sum.toString(16).padStart(16, '0')
}

const frame = (kind: number, ...parts: Uint8Array[]) => hex(Buffer.concat([Uint8Array.of(kind), ...parts]))
const state = frame(4, ID, u32(258), fill(0x57, 8))
const operations = frame(3, ID, u32(2), fill(0x58, 2), u32(1), fill(0x59, 1))

export const replicationVectors: readonly object[] = [
  { name: 'a topic', group: hex(GROUP), time: '2026-01-31T23:59:59.999Z', topic: topic(GROUP, '2026-01') },
  {
    name: 'the topic of the next month',
    group: hex(GROUP),
    time: '2026-02-01T00:00:00.000Z',
    topic: topic(GROUP, '2026-02')
  },
  {
    name: 'the topic of another group',
    group: hex(OTHER),
    time: '2026-01-31T23:59:59.999Z',
    topic: topic(OTHER, '2026-01')
  },
  { name: 'a blinded group', nonces: NONCES.map(hex), of: hex(GROUP), blinded: hex(blinded(GROUP)) },
  {
    name: 'a blinded operation',
    nonces: NONCES.map(hex),
    of: hex(OPERATIONS[1]),
    blinded: hex(blinded(OPERATIONS[1]))
  },
  { name: 'a log without operations', operations: [], fingerprint: fingerprint([]) },
  { name: 'a log with one operation', operations: [hex(GROUP)], fingerprint: fingerprint([GROUP]) },
  { name: 'a log with three', operations: OPERATIONS.map(hex), fingerprint: fingerprint(OPERATIONS) },
  { name: 'a hello', frame: frame(0, Uint8Array.of(1), NONCES[0]), nonce: hex(NONCES[0]), valid: true },
  { name: 'a hello of another version', frame: frame(0, Uint8Array.of(2), NONCES[0]), valid: false },
  { name: 'a hello with a short nonce', frame: frame(0, Uint8Array.of(1), NONCES[0].subarray(1)), valid: false },
  {
    name: 'a comparison',
    frame: frame(2, ID, u32(7), Uint8Array.of(0xc0, 0)),
    id: hex(ID),
    round: 7,
    message: 'c000',
    valid: true
  },
  { name: 'a comparison without a message', frame: frame(2, ID, u32(7)), valid: false },
  { name: 'operations', frame: operations, id: hex(ID), operations: ['5858', '59'], valid: true },
  { name: 'operations that are none', frame: frame(3, ID), valid: false },
  { name: 'operations with an empty one', frame: frame(3, ID, u32(0)), valid: false },
  { name: 'operations of which the last is cut short', frame: operations.slice(0, -2), valid: false },
  { name: 'an operation of 65,537 bytes, so it says', frame: frame(3, ID, u32(65_537), fill(1, 8)), valid: false },
  { name: 'a state', frame: state, id: hex(ID), size: 258, fingerprint: hex(fill(0x57, 8)), valid: true },
  { name: 'a state that is cut short', frame: state.slice(0, -2), valid: false },
  { name: 'a drop', frame: frame(5, ID), id: hex(ID), valid: true },
  { name: 'a drop with a byte too many', frame: frame(5, ID, Uint8Array.of(0)), valid: false },
  { name: 'a credit', frame: frame(6, u32(262_144)), bytes: 262_144, valid: true },
  { name: 'a credit that is cut short', frame: frame(6, u32(262_144).subarray(1)), valid: false }
]
