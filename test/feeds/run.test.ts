import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MAX_BODY_SIZE } from '../../src/feeds/body.ts'
import { FLAG_SEALED } from '../../src/feeds/entry.ts'
import { FeedError } from '../../src/feeds/errors.ts'
import {
  type CheckedRun,
  checkRun,
  entriesOf,
  eraseBodies,
  headersOf,
  idAt,
  idsOf,
  joinRuns,
  lastOf,
  MAX_RUN_BYTES,
  packRecord,
  recordsBetween,
  type Run,
  runOfEntry,
  tailOf
} from '../../src/feeds/run.ts'
import { entrySigningBytes } from '../../src/feeds/signature.ts'
import { Author, cut, keyOf, texts } from '../support/feeds.ts'

const code = (expected: string) => (error: unknown) => error instanceof FeedError && error.code === expected
const posts = (count: number) => texts(count).map((text) => ({ type: 'post', text }))

/** One valid run that every case below changes in one place. */
const [valid] = new Author('base').post(...texts(5))

describe('a run', () => {
  it('is checked as its author made it', () => {
    assert.deepEqual(checkRun(valid).ids, valid.ids)
    assert.deepEqual(idsOf(valid), valid.ids)
    assert.equal(lastOf(valid), 5)
  })

  const mutations: [string, string, (run: CheckedRun) => Run][] = [
    ['no entries', 'RUN_FORMAT', (run) => ({ ...run, count: 0 })],
    ['65 entries', 'RUN_FORMAT', (run) => ({ ...run, count: 65 })],
    ['one entry more than it holds', 'RUN_FORMAT', (run) => ({ ...run, count: 6 })],
    ['one entry less than it holds', 'RUN_FORMAT', (run) => ({ ...run, count: 4 })],
    ['bytes cut off', 'RUN_FORMAT', (run) => ({ ...run, records: run.records.subarray(0, -1) })],
    ['bytes added', 'RUN_FORMAT', (run) => ({ ...run, records: Buffer.concat([run.records, Uint8Array.of(0)]) })],
    ['more bytes than are allowed', 'RUN_FORMAT', (run) => ({ ...run, records: new Uint8Array(MAX_RUN_BYTES + 1) })],
    [
      'a body larger than is allowed',
      'BODY_TOO_LARGE',
      (run) => ({ ...run, count: 1, records: packRecord({ time: 0, body: new Uint8Array(MAX_BODY_SIZE + 1) }) })
    ],
    ['seq 0', 'SEQ_ZERO', (run) => ({ ...run, first: 0 })],
    [
      'a seq beyond the last',
      'RUN_FORMAT',
      (run) => ({ ...run, first: 0xffff_ffff, prev: new Uint8Array(32).fill(1) })
    ],
    ['something before its first entry', 'PREV_NOT_ZERO', (run) => ({ ...run, prev: new Uint8Array(32).fill(1) })],
    ['a short id before it', 'RUN_FORMAT', (run) => ({ ...run, prev: new Uint8Array(31) })],
    ['a short signature', 'SIGNATURE_SIZE', (run) => ({ ...run, signature: run.signature.subarray(1) })],
    ['another seq', 'SIGNATURE_INVALID', (run) => ({ ...run, first: 2 })],
    ['another feed', 'SIGNATURE_INVALID', (run) => ({ ...run, feed: keyOf('other').publicKey })],
    ['a key that is none', 'FEED_KEY', (run) => ({ ...run, feed: new Uint8Array(32) })],
    ['an unknown flag', 'FLAGS', (run) => ({ ...run, records: changed(run.records, 1, 2) })],
    ['another time', 'SIGNATURE_INVALID', (run) => ({ ...run, records: changed(run.records, 7, 1) })],
    [
      'a body sealed that was not',
      'SIGNATURE_INVALID',
      (run) => ({ ...run, records: changed(run.records, 1, FLAG_SEALED) })
    ]
  ]
  for (const [name, expected, mutate] of mutations) {
    it(`is refused with ${name}`, () => assert.throws(() => checkRun(mutate(valid)), code(expected)))
  }

  it('is refused with a body that is not a body, though it is signed', () => {
    const key = keyOf('sloppy')
    const run = {
      feed: key.publicKey,
      first: 1,
      count: 1,
      prev: new Uint8Array(32),
      signature: new Uint8Array(64),
      records: packRecord({ time: 0, body: Uint8Array.of(0xa0) })
    }
    const signature = key.sign(entrySigningBytes(idsOf(run)))
    assert.throws(() => checkRun({ ...run, signature }), code('BODY_TYPE'))
  })

  it('takes entries of other versions as they are', () => {
    const key = keyOf('future')
    const run = {
      feed: key.publicKey,
      first: 1,
      count: 1,
      prev: new Uint8Array(32),
      signature: new Uint8Array(64),
      records: packRecord({ version: 9, flags: 0xff, time: 0, body: Uint8Array.of(1, 2, 3) })
    }
    const signature = key.sign(entrySigningBytes(idsOf(run)))
    assert.equal(entriesOf(checkRun({ ...run, signature }))[0].version, 9)
  })

  it('stays valid without any of its bodies, and without their content nothing is left of them', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 5 })), (seqs) => {
        const erased = checkRun({ ...valid, records: eraseBodies(valid, new Set(seqs)) })
        assert.deepEqual(erased.ids, valid.ids)
        for (const { seq, body } of entriesOf(erased)) assert.equal(body === undefined, seqs.includes(seq))
        assert.deepEqual(eraseBodies(erased, new Set(seqs)), erased.records)
      })
    )
  })

  it('can be cut and joined anywhere an entry is signed, and its tail anywhere', () => {
    const all = new Author('cut').writeSingly(...posts(30))
    const joined = cut(all, [30])[0]
    for (let from = 1; from <= 30; from++) {
      const tail = checkRun(tailOf(joined, from))
      assert.deepEqual(tail.ids, joined.ids.subarray((from - 1) * 32))
      assert.deepEqual(recordsBetween(joined, from, 30), tail.records)
    }
    assert.deepEqual(checkRun(joinRuns(all)).ids, joined.ids)
    assert.equal(headersOf(joined, 29).length, 2)
    assert.deepEqual(idAt(joined, 29), idAt(all[29], 0))
  })

  it('of one entry is the same whether it came alone or in a run, also without its body', () => {
    const [single] = new Author('alone').post('a')
    const [entry] = entriesOf(single)
    assert.deepEqual(Buffer.from(checkRun(runOfEntry(entry, single.signature)).ids), Buffer.from(single.ids))
    assert.deepEqual(
      Buffer.from(checkRun(runOfEntry({ ...entry, body: undefined }, single.signature)).ids),
      Buffer.from(single.ids)
    )
  })
})

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = value
  return copy
}
