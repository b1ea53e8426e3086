// Rules 7 to 9: what an entry is after the one before it.
import { alice, bob, headerOf, hex, invalid, sha256, valid, type Vector } from './build.ts'

const first = { feed: alice.publicKey, seq: 1, id: sha256(headerOf({})) }
const second = { seq: 2, prev: first.id, previous: first }
const late = { feed: alice.publicKey, seq: 2 ** 32 - 2, id: sha256(Buffer.from('late')) }
const last = { feed: alice.publicKey, seq: 2 ** 32 - 1, id: sha256(Buffer.from('last')) }

export const chainCases: Vector[] = [
  valid('the second entry', second),
  valid('the second entry, an hour before the first', { ...second, time: 1_767_222_000_000 }),
  valid('the second entry, erased', { ...second, body: null }),
  valid('the second entry in a version nobody knows, with a body nobody can read', {
    ...second,
    version: 7,
    flags: 0xf0,
    body: hex('ff')
  }),
  valid('the last entry a feed can have', { seq: 2 ** 32 - 1, prev: late.id, previous: late }),
  invalid('FEED_MISMATCH', "after another feed's entry", { ...second, previous: { ...first, feed: bob.publicKey } }),
  invalid('SEQ_MISMATCH', 'the first entry again', { previous: first }),
  invalid('SEQ_MISMATCH', 'a gap of one', { ...second, seq: 3 }),
  invalid('SEQ_MISMATCH', 'the second entry again', { ...second, previous: { ...first, seq: 2 } }),
  invalid('SEQ_MISMATCH', 'back by many', { ...second, previous: last }),
  invalid('SEQ_ZERO', 'after the last entry a feed can have', { seq: 0, prev: last.id, previous: last }),
  invalid('PREV_MISMATCH', 'zeros in place of the entry before', { seq: 2, previous: first }),
  invalid('PREV_MISMATCH', 'the other branch of a fork', {
    seq: 2,
    prev: sha256(headerOf({ time: 0 })),
    previous: first
  }),
  invalid('PREV_MISMATCH', "the previous entry's body hash instead of its id", {
    ...second,
    prev: headerOf({}).subarray(76, 108)
  })
]
