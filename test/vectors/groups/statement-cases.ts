// A proof that is made by the rules, and one that is shown with another statement or with other tags.
import { hashToElement, L, negated, times, toScalar, u32 } from '../../groups/ring-signature-reference.ts'
import {
  bad,
  BALLOT,
  BASE,
  bytesOf,
  closed,
  fifth,
  fill,
  first,
  flipped,
  good,
  GROUP,
  honest,
  IDENTITY,
  members,
  MOTION,
  ofIdentity,
  otherHonest,
  publicKeys,
  second,
  type SignatureVector,
  signed,
  third,
  topBit,
  vector
} from './build.ts'

/** The id of MOTION but for its last bit: what whoever opens motions could hardly find. */
const ALIKE = flipped(MOTION, 31)
const ballot = signed(third, BALLOT)
const alike = signed(third, { ...BALLOT, motion: ALIKE })
/** k·HashToRistretto("comrade/slot/1" ‖ group ‖ period ‖ 2^32 - 1), which is the slot tag of nothing. */
const LAST_SLOT = Buffer.from(
  times(toScalar(third.secret), hashToElement('comrade/slot/1', GROUP, u32(BASE.period), u32(BALLOT.slot))).toBytes()
)

/** Made by the rules, or close to their edge. */
export const validCases: readonly SignatureVector[] = [
  good('ring of 5, third member', third),
  good('the same statement, other random bytes', third, {}, fill(0x78)),
  good('random bytes that are all 0', third, {}, fill(0)),
  good('ring of 5, first member', first),
  good('ring of 5, last member', fifth),
  good('ring of 1', first, { ring: [first.publicKey] }),
  good('ring of 2', second, { ring: publicKeys([first, second]) }),
  good('ring of 8', members(8)[4], { ring: publicKeys(members(8)) }),
  good('ring of 64, first member', members(64)[0], { ring: publicKeys(members(64)) }),
  good('ring of 64, last member', members(64)[63], { ring: publicKeys(members(64)) }),
  good('the same member on another motion: another tag, the same slot tag', third, { motion: fill(0x23) }),
  good('the same member in another slot: the same tag, another slot tag', third, { slot: 0 }),
  good('the same member in another period', third, { period: 8 }),
  good('the same member in another group', third, { group: fill(0x12) }),
  good('another message on the same motion: the same tag', third, { message: Buffer.from('retract') }),
  good('empty message', third, { message: Buffer.alloc(0) }),
  good('message of 1,000 bytes', third, { message: fill(0x61, 1_000) }),
  good('period and slot 0', third, { period: 0, slot: 0 }),
  good('greatest period and slot', third, { period: 0xffff_ffff, slot: 0xffff_fffe }),
  good('slot 2^31', third, { slot: 2 ** 31 }),
  good('ballot: slot 2^32 - 1 stands for the motion', third, BALLOT),
  good('ballot on a motion that differs in one bit: both tags are others', third, { ...BALLOT, motion: ALIKE }),
  good('ballot in another period: the same tags', third, { ...BALLOT, period: 8 }),
  good('ballot of the greatest period', third, { ...BALLOT, period: 0xffff_ffff }),
  good('group and motion the same', third, { motion: GROUP }),
  vector('nonce 0: the commitments are the identity, and the equations hold', true, closed(third, { nonce: 0n })),
  vector('response 1 at another place', true, closed(third, { response: () => 1n })),
  vector('response L - 1 at another place', true, closed(third, { response: () => L - 1n }))
]

export const boundCases: readonly SignatureVector[] = [
  bad('message: another byte', { message: Buffer.from('vouci') }),
  bad('message: a byte more', { message: Buffer.from('vouch\0') }),
  bad('message: none', { message: Buffer.alloc(0) }),
  bad('replayed to another group', { group: fill(0x12) }),
  bad('replayed to another group, with the tags for it', {
    ...signed(third, { group: fill(0x12) }),
    proof: honest.proof
  }),
  bad('replayed to another motion', { motion: fill(0x23) }),
  bad('replayed to another motion, with the tag for it', {
    ...signed(third, { motion: fill(0x23) }),
    proof: honest.proof
  }),
  bad('replayed to another slot', { slot: 2 }),
  bad('replayed to another slot, with the tag for it', { ...signed(third, { slot: 2 }), proof: honest.proof }),
  bad('replayed to another period', { period: 8 }),
  bad('replayed to another period, with the tag for it', { ...signed(third, { period: 8 }), proof: honest.proof }),
  bad('period and slot exchanged', { period: 1, slot: 7 }),
  bad('group and motion exchanged', { group: MOTION, motion: GROUP }),
  bad('group of 31 bytes', { group: GROUP.subarray(1) }),
  bad('a byte moved from motion to group', { group: fill(0x11, 33), motion: MOTION.subarray(1) }),
  bad('period -1', { period: -1 }),
  bad('period 2^32', { period: 2 ** 32 }),
  bad('period 7.5', { period: 7.5 }),
  bad('slot 2^32 + 1', { slot: 2 ** 32 + 1 }),
  bad('ballot: replayed to a motion that differs in one bit', { motion: ALIKE }, ballot),
  bad('ballot: replayed to a motion that differs in one bit, with the tags for it', {
    ...signed(third, { ...BALLOT, motion: ALIKE }),
    proof: ballot.proof
  }),
  bad('ballot: replayed to another period', { period: 8 }, ballot),
  bad('ballot: replayed as a vouch in slot 1', { slot: 1 }, ballot),
  bad('vouch: replayed as a ballot', { slot: BALLOT.slot }),
  bad('vouch: replayed as a ballot, with the slot tag for it', { slot: BALLOT.slot, slotTag: ballot.slotTag }),
  bad('ballot: its slot tag made as that of slot 2^32 - 1 would be', closed(third, { ...BALLOT, slotTag: LAST_SLOT })),
  bad('ballot: its slot tag made as that of another motion', closed(third, { ...BALLOT, slotTag: alike.slotTag })),
  bad('ballot: its tag once more as slot tag', closed(third, { ...BALLOT, slotTag: ballot.tag }))
]

export const tagCases: readonly SignatureVector[] = [
  bad("another member's tag", { tag: otherHonest.tag }),
  bad("another member's slot tag", { slotTag: otherHonest.slotTag }),
  bad("another member's tags", { tag: otherHonest.tag, slotTag: otherHonest.slotTag }),
  bad('tag and slot tag exchanged', { tag: honest.slotTag, slotTag: honest.tag }),
  bad('tag negated', { tag: negated(honest.tag) }),
  bad('slot tag negated', { slotTag: negated(honest.slotTag) }),
  bad('tag of 31 bytes', { tag: honest.tag.subarray(0, 31) }),
  bad('slot tag of 33 bytes', { slotTag: Buffer.concat([honest.slotTag, Buffer.of(0)]) }),
  bad('tag with its top bit set', { tag: topBit(honest.tag) }),
  bad('slot tag with its top bit set', { slotTag: topBit(honest.slotTag) }),
  ...Object.entries({
    'p, which is 0 modulo p': bytesOf(`ed${'ff'.repeat(30)}7f`),
    'above p': bytesOf(`f3${'ff'.repeat(30)}7f`),
    'a negative field element': bytesOf(`01${'00'.repeat(31)}`),
    'of no square': bytesOf('26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371'),
    'of negative xy': bytesOf('3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e'),
    's = -1, where y = 0': bytesOf(`ec${'ff'.repeat(30)}7f`)
  }).flatMap(([what, encoding]) => [
    bad(`tag: ${what}`, closed(third, { tag: encoding })),
    bad(`slot tag: ${what}`, closed(third, { slotTag: encoding })),
    bad(
      `key: ${what}`,
      closed(third, { ring: [...BASE.ring.slice(0, 2), third.publicKey, encoding].sort(Buffer.compare) })
    )
  ]),
  bad('identity as tag', closed(third, { tag: IDENTITY })),
  bad('identity as slot tag', closed(third, { slotTag: IDENTITY })),
  bad('identity as key and both tags: the secret is 0, the equations hold', ofIdentity())
]
