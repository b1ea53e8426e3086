import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { encodeCbor, isValidSignature, signingKey } from '../../src/feeds/index.ts'
import { decodeContent, encodeContent, MAX_CONTENT_SIZE } from '../../src/trust/directory-content.ts'
import { isCertified } from '../../src/trust/directory-keys.ts'
import {
  blindedKey,
  certify,
  checkRecord,
  compareRecords,
  type DirectoryContent,
  directoryKey,
  directorySeed,
  mergeContents,
  openRecord,
  readRecord,
  RECORD_SIZE,
  sealRecord,
  TrustError
} from '../../src/trust/index.ts'
import type { BlindingVector, RecordVector } from '../vectors/directory/cases.ts'
import { directoryVectorFiles, formatDirectoryVectors } from '../vectors/directory/generate.ts'

const DAY = 20_454
const NOON = DAY * 86_400_000 + 43_200_000
const seed = new Uint8Array(32).fill(7)
const root = signingKey(seed).publicKey
const blinded = blindedKey(root, DAY)

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
/** What is merged is compared with what was decoded: both are plain objects. */
const PLAIN = { noNullPrototype: true }
const devices = fc.record(
  {
    peer: fc.constantFrom(1, 2, 3, 4).map((n) => new Uint8Array(32).fill(n)),
    addresses: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 }),
    at: fc.nat({ max: 5 })
  },
  PLAIN
)
const contents: fc.Arbitrary<DirectoryContent> = fc.record({
  log: fc.record({ seq: fc.nat({ max: 3 }), id: bytes(32) }, PLAIN),
  devices: fc.array(devices, { maxLength: 4 })
})

function seal({ generation = 0, sequence = NOON, day = DAY, content = EMPTY } = {}): Uint8Array {
  const key = directoryKey(directorySeed(seed, generation), day)
  return sealRecord({ root, key, certificate: certify(seed, generation, day), sequence, content })
}
const EMPTY: DirectoryContent = { log: { seq: 1, id: new Uint8Array(32) }, devices: [] }

const isRefusal = (error: unknown): boolean => error instanceof TrustError && error.code === 'RECORD'

describe('directory record', () => {
  it('says to who knows the identity what was put in, and has the same size whatever that is', () => {
    fc.assert(
      fc.property(contents, (content) => {
        const [merged] = [mergeContents([content])]
        const record = seal({ content: merged })
        assert.equal(record.length, RECORD_SIZE)
        assert.deepEqual(openRecord(root, checkRecord(blinded, record, DAY)), decodeContent(encodeContent(merged)))
      }),
      { numRuns: 40 }
    )
  })

  it('is refused with any bit changed', () => {
    const record = seal()
    fc.assert(
      fc.property(fc.nat({ max: RECORD_SIZE - 1 }), fc.nat({ max: 7 }), (at, bit) => {
        const changed = Uint8Array.from(record)
        changed[at] ^= 1 << bit
        assert.throws(() => checkRecord(blinded, changed, DAY), isRefusal)
      }),
      { numRuns: 300 }
    )
  })

  it('is refused at any other length, and as random bytes', () => {
    const record = seal()
    for (const length of [0, 1, 113, RECORD_SIZE - 1, RECORD_SIZE + 1, 65_536]) {
      const other = new Uint8Array(length)
      other.set(record.subarray(0, length))
      assert.throws(() => checkRecord(blinded, other, DAY), isRefusal)
    }
    fc.assert(
      fc.property(bytes(RECORD_SIZE), (random) => assert.throws(() => checkRecord(blinded, random, DAY), isRefusal))
    )
  })

  it('does not open for who looks for somebody else, nor on another day', () => {
    const record = checkRecord(blinded, seal(), DAY)
    assert.throws(() => openRecord(signingKey(new Uint8Array(32).fill(8)).publicKey, record), isRefusal)
    assert.throws(() => openRecord(root, { ...record, day: DAY + 1 }), isRefusal)
  })

  it('counts by rank, then by sequence: a lost device cannot outbid those who revoked it', () => {
    const [first, later, revoked] = [
      seal(),
      seal({ sequence: NOON + 1 }),
      seal({ generation: 1, sequence: NOON - 1 })
    ].map(readRecord)
    assert.ok(compareRecords(later, first) < 0 && compareRecords(first, later) > 0)
    assert.ok(compareRecords(revoked, later) < 0)
    assert.equal(compareRecords(first, readRecord(first.bytes)), 0)
  })

  it('says by its rank nothing about how many devices were revoked', () => {
    const ranks = Array.from({ length: 20 }, (_, i) => certify(seed, 0, DAY + i).rank)
    assert.equal(new Set(ranks).size, 20)
    assert.ok(ranks.some((rank) => rank > 2 ** 28))
  })

  it('shares nothing with that of the next day but its form', () => {
    const [today, tomorrow] = [seal(), seal({ day: DAY + 1 })].map((record) => Buffer.from(record))
    for (let at = 17; at + 8 <= RECORD_SIZE; at++) assert.ok(!tomorrow.includes(today.subarray(at, at + 8)), `${at}`)
  })
})

describe('directory content', () => {
  it('merges to the same, in whatever order devices wrote and however often', () => {
    fc.assert(
      fc.property(fc.array(contents, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat()), (list, random) => {
        const merged = mergeContents(list)
        const shuffled = list.toSorted(() => (random.next().value! % 3) - 1)
        assert.deepEqual(mergeContents([...shuffled, ...list]), merged)
        const stepwise = shuffled.reduce((before, next) => mergeContents([before, next]))
        assert.deepEqual(mergeContents([stepwise]), merged)
      }),
      { numRuns: 200 }
    )
  })

  it('keeps what each device said last', () => {
    const [laptop, pi] = [1, 2].map((n) => new Uint8Array(32).fill(n))
    const said = (peer: Uint8Array, at: number, ...ports: number[]) => ({
      ...EMPTY,
      devices: [{ peer, at, addresses: ports.map((port) => Uint8Array.of(port)) }]
    })
    const merged = mergeContents([said(laptop, 5, 1), said(pi, 6, 2), said(laptop, 7, 3), said(laptop, 6, 4)])
    assert.deepEqual(merged.devices, [
      { peer: laptop, at: 7, addresses: [Uint8Array.of(3)] },
      { peer: pi, at: 6, addresses: [Uint8Array.of(2)] }
    ])
  })

  it('leaves addresses out before it leaves out devices, the longest silent first', () => {
    const many = Array.from({ length: 20 }, (_, i) => ({
      peer: new Uint8Array(32).fill(i + 1),
      at: 2_000_000_000 - i,
      addresses: Array.from({ length: 8 }, () => new Uint8Array(20).fill(i + 1))
    }))
    for (const count of [2, 5, 20]) {
      const encoded = encodeContent({ ...EMPTY, devices: many.slice(0, count) })
      assert.ok(encoded.length <= MAX_CONTENT_SIZE)
      const { devices: kept } = decodeContent(encoded)
      assert.deepEqual(
        kept.map(({ peer }) => peer),
        many.slice(0, kept.length).map(({ peer }) => peer)
      )
      assert.ok(kept.every(({ addresses }) => addresses.length >= 1))
      assert.ok(count > 5 || kept.length === count, `${kept.length} of ${count}`)
    }
  })

  it('refuses what has another form', () => {
    const good = { log: EMPTY.log, devices: [], mailboxes: [] }
    const device = { peer: new Uint8Array(32), addresses: [], at: 1 }
    decodeContent(encodeCbor(good))
    decodeContent(encodeCbor({ ...good, more: 'of a later version', devices: [{ ...device, more: 1 }] }))
    for (const bad of [
      null,
      {},
      { ...good, log: { seq: -1, id: new Uint8Array(32) } },
      { ...good, log: { seq: 1, id: new Uint8Array(31) } },
      { ...good, devices: {} },
      { ...good, devices: [null] },
      { ...good, devices: [{ ...device, peer: new Uint8Array(33) }] },
      { ...good, devices: [{ ...device, at: 'now' }] },
      { ...good, devices: [{ ...device, addresses: ['/ip4/1.2.3.4'] }] },
      { ...good, devices: [{ ...device, addresses: [new Uint8Array(256)] }] },
      { ...good, devices: [{ ...device, addresses: Array.from({ length: 9 }, () => new Uint8Array(1)) }] }
    ])
      assert.throws(() => decodeContent(encodeCbor(bad)), isRefusal, JSON.stringify(bad))
    assert.throws(() => decodeContent(Uint8Array.of(0xff)), isRefusal)
  })
})

describe('directory vectors', () => {
  const folder = join(import.meta.dirname, '../vectors/directory')
  const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'))
  const unhex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
  const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')

  it('are what the generator makes', () => {
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
    assert.deepEqual(files.toSorted(), Object.keys(directoryVectorFiles).toSorted())
    for (const file of files)
      assert.equal(readFileSync(join(folder, file), 'utf8'), formatDirectoryVectors(directoryVectorFiles[file]), file)
  })

  for (const vector of read('blinding.json') as BlindingVector[]) {
    it(`blinds the key of ${vector.name}`, () => {
      const key = blindedKey(unhex(vector.root), vector.day)
      assert.equal(hex(key), vector.blinded)
      assert.ok(isValidSignature(key, Buffer.from('message'), unhex(vector.signature)))
      const { day, rank } = vector
      const certificate = { day, rank, signature: unhex(vector.certificate) }
      assert.ok(isCertified(key, certificate, unhex(vector.directoryKey)))
      assert.equal(hex(directoryKey(unhex(vector.directorySeed), day).publicKey), vector.directoryKey)
    })
  }

  for (const { name, root: owner, blinded: key, today, record, valid, content } of read(
    'record.json'
  ) as RecordVector[]) {
    const open = () => openRecord(unhex(owner), checkRecord(unhex(key), unhex(record), today))
    if (valid) it(`accepts ${name}`, () => assert.equal(hex(encodeContent(open())), content))
    else it(`refuses a record ${name}`, () => assert.throws(open, isRefusal))
  }
})
