// What a node of the directory takes from strangers, over the wire.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { base32 } from 'multiformats/bases/base32'
import { generateSeed } from '../../src/feeds/index.ts'
import { dhtKey, MAX_RECORDS, RecordStore } from '../../src/node/record-store.ts'
import { dayOf } from '../../src/trust/index.ts'
import { askDht, encodeRecord, GET_VALUE, PUT_VALUE } from '../support/dht.ts'
import { directoryRecord } from '../support/directory.ts'
import { connect, startMemoryNode, startTcpNode } from '../support/network.ts'

const DAY_MS = 86_400_000
const today = dayOf(Date.now())

async function setup(stack: AsyncDisposableStack, start = startMemoryNode) {
  const records = new RecordStore()
  const node = stack.use(await start({ records }))
  const mallory = stack.use(await start())
  await connect(mallory, node)
  const put = (blinded: Uint8Array, value: Uint8Array, recordKey?: Uint8Array) =>
    askDht(mallory, node.peerId, {
      type: PUT_VALUE,
      key: dhtKey(blinded),
      value,
      ...(recordKey && { recordKey: dhtKey(recordKey) })
    })
  const get = async (blinded: Uint8Array) =>
    (await askDht(mallory, node.peerId, { type: GET_VALUE, key: dhtKey(blinded) }))?.value
  return { records, node, mallory, put, get }
}

const same = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.compare(a, b) === 0

describe('records that a node keeps for others', () => {
  for (const [where, start] of [
    ['tcp and noise', startTcpNode],
    ['memory', startMemoryNode]
  ] as const) {
    it(`are those that were put, over ${where}`, async () => {
      await using stack = new AsyncDisposableStack()
      const { put, get, records } = await setup(stack, start)
      const { blinded, bytes } = directoryRecord()
      assert.ok(same((await put(blinded, bytes))?.value, bytes))
      assert.ok(same(await get(blinded), bytes))
      assert.equal(records.size, 1)
    })
  }

  const seed = generateSeed()
  const { blinded, bytes } = directoryRecord({ seed })
  const changed = (at: number) => Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte))
  const refused: Record<string, Uint8Array> = {
    'with a forged sequence': changed(16),
    'with a forged content': changed(400),
    'with a forged certificate': changed(60),
    'with a forged signature': changed(1_000),
    'of somebody else': directoryRecord().bytes,
    'that is too long': Buffer.concat([bytes, Buffer.of(0)]),
    'that is too short': bytes.subarray(1),
    'of a mebibyte': Buffer.alloc(1_048_576),
    'that is empty': new Uint8Array(),
    'of the day after tomorrow': directoryRecord({ seed, day: today + 2 }).bytes,
    'of the day before yesterday': directoryRecord({ seed, day: today - 2 }).bytes,
    'of tomorrow under the key of today': directoryRecord({ seed, day: today + 1 }).bytes,
    'from the future': directoryRecord({ seed, sequence: Date.now() + 3 * DAY_MS }).bytes
  }
  for (const [what, value] of Object.entries(refused)) {
    it(`are none ${what}`, async () => {
      await using stack = new AsyncDisposableStack()
      const { put, get, records } = await setup(stack)
      assert.equal(await put(blinded, value), undefined)
      assert.equal(await get(blinded), undefined)
      assert.equal(records.size, 0)
    })
  }

  it('are none of another day, also under the key of that day', async () => {
    await using stack = new AsyncDisposableStack()
    const { put, records } = await setup(stack)
    for (const day of [today - 2, today + 2]) {
      const other = directoryRecord({ seed, day, sequence: day * DAY_MS })
      assert.equal(await put(other.blinded, other.bytes), undefined)
    }
    assert.equal(records.size, 0)
  })

  it('are none under another kind of key: public keys, or a record whose own key is another', async () => {
    await using stack = new AsyncDisposableStack()
    const { put, records, mallory, node } = await setup(stack)
    const other = directoryRecord()
    for (const key of ['/pk/aaaa', '/comrade/short', '/ipns/x', 'no namespace'].map((text) => Buffer.from(text)))
      assert.equal(await askDht(mallory, node.peerId, { type: PUT_VALUE, key, value: bytes }), undefined)
    assert.equal(await put(blinded, bytes, other.blinded), undefined)
    assert.equal(records.size, 0)
  })

  it('are never replaced by older ones, however they come', async () => {
    await using stack = new AsyncDisposableStack()
    const { put, get } = await setup(stack)
    const now = Date.now()
    const made = Array.from({ length: 8 }, (_, i) => directoryRecord({ seed, sequence: now + i }).bytes)
    assert.ok(await put(blinded, made[4]))
    for (const older of made.slice(0, 4)) assert.equal(await put(blinded, older), undefined)
    assert.ok(same(await get(blinded), made[4]))
    // All at once, as when somebody hopes that two are checked before either is stored.
    await Promise.all([...made.slice(0, 4), made[7], ...made.slice(0, 7)].map((record) => put(blinded, record)))
    assert.ok(same(await get(blinded), made[7]))
  })

  it('are those that were certified after a device was lost, whatever sequence the lost device writes', async () => {
    await using stack = new AsyncDisposableStack()
    const { put, get } = await setup(stack)
    const now = Date.now()
    const certified = directoryRecord({ seed, generation: 1, sequence: now }).bytes
    assert.ok(await put(blinded, directoryRecord({ seed, sequence: (today + 2) * DAY_MS - 1 }).bytes))
    assert.ok(await put(blinded, certified))
    assert.equal(await put(blinded, directoryRecord({ seed, sequence: (today + 2) * DAY_MS - 1 }).bytes), undefined)
    assert.ok(same(await get(blinded), certified))
  })

  it('are gone when their day is over', async () => {
    const clock = { now: Date.now() }
    const records = new RecordStore({ now: () => clock.now })
    const store = records.asDatastore(new Uint8Array(38))
    const { blinded: key, bytes: record } = directoryRecord()
    await records.validators.comrade(dhtKey(key), record, {})
    await put(store, key, record)
    assert.equal(records.size, 1)
    clock.now += 2 * DAY_MS
    assert.equal(records.get(key), undefined)
    records.prune()
    assert.equal(records.size, 0)
  })

  it('are bounded: what is farthest from the node goes first', async () => {
    const records = new RecordStore()
    const self = new Uint8Array(38)
    const store = records.asDatastore(self)
    const keys = Array.from({ length: MAX_RECORDS + 1 }, (_, i) => Buffer.alloc(32).fill(`key ${i} `))
    // Only the store is asked here; the validator, which would take a while for so many, is tested above.
    for (const key of keys) await put(store, key, bytes)
    assert.equal(records.size, MAX_RECORDS)
    const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest()
    const farness = (key: Buffer) => Buffer.from(sha256(dhtKey(key)).map((byte, at) => byte ^ sha256(self)[at]))
    const farthest = keys.reduce((far, key) => (Buffer.compare(farness(key), farness(far)) > 0 ? key : far))
    assert.deepEqual(
      keys.filter((key) => records.get(key) === undefined),
      [farthest]
    )
  })
})

async function put(
  store: ReturnType<RecordStore['asDatastore']>,
  blinded: Uint8Array,
  value: Uint8Array
): Promise<void> {
  const name = `/dht/record/${base32.baseEncode(dhtKey(blinded))}`
  await store.put({ toString: () => name } as Parameters<typeof store.put>[0], encodeRecord(dhtKey(blinded), value))
}
