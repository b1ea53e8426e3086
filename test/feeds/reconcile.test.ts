// Two peers find out what each has of the other's feeds: outcomes, bytes on the wire, and what hostile peers get.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { FeedError } from '../../src/feeds/errors.ts'
import { BLINDED_SIZE, blindFeeds, sessionSalt } from '../../src/feeds/sync/blind.ts'
import { MAX_MESSAGE_SIZE, Reconciliation, type Outcome, type ReconItem } from '../../src/feeds/sync/reconcile.ts'
import { MAX_LIST, MAX_PARTS, MessageReader, MessageWriter, OP, VERDICT } from '../../src/feeds/sync/reconcilewire.ts'

const digest = (text: string) => createHash('sha256').update(text).digest()
const salt = sessionSalt(digest('alice').subarray(0, 16), digest('bob').subarray(0, 16))
const ZERO_HEAD = new Uint8Array(8)

/** What is held of feed number `feed`: an item as it enters a reconciliation. */
function item(feed: number | string, height = 1, branch = ''): ReconItem {
  const [id] = blindFeeds(salt, [digest(`feed ${feed}`)])
  return { id, height, head: height === 0 ? ZERO_HEAD : digest(`${feed}/${height}/${branch}`).subarray(0, 8) }
}

function items(from: number, to: number, height = 1): ReconItem[] {
  return Array.from({ length: to - from }, (_, offset) => item(from + offset, height))
}

interface Talk {
  alice: Outcome
  bob: Outcome
  bytes: number
  /** One-way trips. */
  trips: number
  messages: Uint8Array[]
}

/** Alice opens, and each message is passed on until neither has anything more to say. */
function talk(alices: ReconItem[], bobs: ReconItem[]): Talk {
  const alice = new Reconciliation(alices)
  const bob = new Reconciliation(bobs)
  const all: Uint8Array[] = []
  let [receiver, waiting, trips] = [bob, [alice.open()], 0]
  for (; waiting.length > 0; trips++) {
    all.push(...waiting)
    waiting = waiting.flatMap((message) => receiver.receive(message))
    receiver = receiver === bob ? alice : bob
  }
  const bytes = all.reduce((sum, message) => sum + message.length, 0)
  return { alice: alice.outcome(), bob: bob.outcome(), bytes, trips, messages: all }
}

/** The outcome for `mine`, found by looking at both sets. */
function expected(mine: ReconItem[], theirs: ReconItem[]): Outcome {
  const byId = new Map(theirs.map((theirItem) => [Buffer.from(theirItem.id).toString('hex'), theirItem]))
  const outcome: Outcome = { same: [], differing: [], onlyMine: [], onlyTheirs: theirs.length }
  mine.forEach(({ id, height, head }, index) => {
    const theirItem = byId.get(Buffer.from(id).toString('hex'))
    if (theirItem !== undefined) outcome.onlyTheirs--
    if (theirItem === undefined) outcome.onlyMine.push(index)
    else if (theirItem.height === height && Buffer.compare(theirItem.head, head) === 0) outcome.same.push(index)
    else outcome.differing.push({ index, theirHeight: theirItem.height, theirHead: new Uint8Array(theirItem.head) })
  })
  return outcome
}

function sorted(outcome: Outcome): Outcome {
  const ascending = (a: number, b: number) => a - b
  return {
    same: outcome.same.toSorted(ascending),
    differing: outcome.differing
      .toSorted((a, b) => a.index - b.index)
      .map((d) => ({ ...d, theirHead: new Uint8Array(d.theirHead) })),
    onlyMine: outcome.onlyMine.toSorted(ascending),
    onlyTheirs: outcome.onlyTheirs
  }
}

function assertBothKnow(alices: ReconItem[], bobs: ReconItem[], { alice, bob }: Talk): void {
  assert.deepEqual(sorted(alice), expected(alices, bobs))
  assert.deepEqual(sorted(bob), expected(bobs, alices))
}

const isFrameFormat = (error: unknown) => error instanceof FeedError && error.code === 'FRAME_FORMAT'

describe('blinded feed ids', () => {
  const keys = [digest('one'), digest('two')]

  it('are the first 12 bytes of sha256(salt, key), in order', () => {
    const wanted = keys.map((key) => createHash('sha256').update(salt).update(key).digest().subarray(0, BLINDED_SIZE))
    assert.deepEqual(
      blindFeeds(salt, keys).map((id) => Buffer.from(id)),
      wanted
    )
  })

  it('differ from session to session, and with the roles', () => {
    const [a, b] = [digest('a').subarray(0, 16), digest('b').subarray(0, 16)]
    assert.notDeepEqual(sessionSalt(a, b), sessionSalt(b, a))
    assert.notDeepEqual(blindFeeds(sessionSalt(a, b), keys), blindFeeds(sessionSalt(b, a), keys))
  })

  it('are refused for nonces, salts and keys of a wrong size', () => {
    assert.throws(() => sessionSalt(new Uint8Array(15), new Uint8Array(16)), RangeError)
    assert.throws(() => blindFeeds(new Uint8Array(31), keys), RangeError)
    assert.throws(() => blindFeeds(salt, [new Uint8Array(33)]), RangeError)
  })
})

describe('reconciliation of two sets of feeds', () => {
  it('tells each side what the other holds of its feeds', () => {
    const alices = [item('shared'), item('carol', 7), item('dave', 0), item('only alice', 3), item('eve', 5, 'left')]
    const bobs = [item('eve', 5, 'right'), item('shared'), item('carol', 9), item('dave', 2), item('only bob')]
    const result = talk(alices, bobs)
    assert.deepEqual(result.alice.same, [0])
    assert.deepEqual(result.alice.onlyMine, [3])
    assert.equal(result.alice.onlyTheirs, 1)
    assert.deepEqual(
      result.alice.differing.map((d) => [d.index, d.theirHeight]).toSorted(([a], [b]) => a - b),
      [
        [1, 9],
        [2, 2],
        [4, 5]
      ]
    )
    assertBothKnow(alices, bobs, result)
  })

  it('says in two messages that nothing differs', () => {
    const result = talk(items(0, 10_000), items(0, 10_000).reverse())
    assert.equal(result.alice.same.length, 10_000)
    assert.equal(result.bob.same.length, 10_000)
    assert.ok(result.bytes < 100 && result.trips === 2, `${result.bytes} bytes, ${result.trips} trips`)
  })

  it('finds 10 differences among 10,000 feeds within 12 KiB and 4 round trips', () => {
    const alices = [...items(0, 9_990), ...items(20_000, 20_003)]
    const bobs = [...items(0, 5, 2), ...items(5, 9_990), ...items(30_000, 30_002)]
    const result = talk(alices, bobs)
    assertBothKnow(alices, bobs, result)
    assert.ok(result.bytes < 12 * 1024 && result.trips <= 8, `${result.bytes} bytes, ${result.trips} trips`)
  })

  it('finds one difference among 10,000 feeds within 1 KiB', () => {
    const result = talk(items(0, 10_000), items(1, 10_000))
    assertBothKnow(items(0, 10_000), items(1, 10_000), result)
    assert.ok(result.bytes < 1024, `${result.bytes} bytes`)
  })

  it('sends no items where one side has none', () => {
    for (const [alices, bobs] of [
      [[], []],
      [[], items(0, 10_000)],
      [items(0, 10_000), []]
    ]) {
      const result = talk(alices, bobs)
      assertBothKnow(alices, bobs, result)
      assert.ok(result.bytes < 20, `${result.bytes} bytes`)
    }
  })

  it('lets the side with far fewer feeds list them', () => {
    for (const [alices, bobs] of [
      [items(0, 100), items(50, 10_000)],
      [items(50, 10_000), items(0, 100)]
    ]) {
      const result = talk(alices, bobs)
      assertBothKnow(alices, bobs, result)
      assert.ok(result.bytes < 100 * 25, `${result.bytes} bytes`)
    }
  })

  it('cuts what is large in messages of at most 60 KiB', () => {
    for (const bobs of [items(20_000, 30_000), items(0, 10_000, 2)]) {
      const alices = items(0, 10_000)
      const result = talk(alices, bobs)
      assertBothKnow(alices, bobs, result)
      assert.ok(result.messages.length > result.trips, 'more than one message in a trip')
      assert.ok(result.messages.every((message) => message.length <= MAX_MESSAGE_SIZE))
      assert.ok(result.bytes < 400 * 1024 && result.trips <= 8, `${result.bytes} bytes, ${result.trips} trips`)
    }
  })

  // Few distinct bytes: long common prefixes, neighbours that differ late, ids of zeros, crowds and deserts.
  const id = fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: BLINDED_SIZE, maxLength: BLINDED_SIZE })
  const state = fc.constantFrom(0, 1, 2, 300, 0xffff_ffff)
  const pair = fc.record({
    id: fc.oneof(id, fc.array(fc.nat(255), { minLength: BLINDED_SIZE, maxLength: BLINDED_SIZE })),
    alice: fc.option(state, { nil: undefined }),
    bob: fc.option(fc.oneof(fc.constant('same'), state), { nil: undefined })
  })
  const world = fc.uniqueArray(pair, { maxLength: 400, size: 'max', selector: (p) => String(p.id) })

  it('is right on both sides for any two sets', () => {
    fc.assert(
      fc.property(world, (pairs) => {
        const held = (id: number[], height: number): ReconItem => ({
          id: Uint8Array.from(id),
          height,
          head: height === 0 ? ZERO_HEAD : digest(`${id}/${height}`).subarray(0, 8)
        })
        const alices = pairs.flatMap((p) => (p.alice === undefined ? [] : [held(p.id, p.alice)]))
        const bobs = pairs.flatMap((p) =>
          p.bob === undefined ? [] : [held(p.id, p.bob === 'same' ? (p.alice ?? 1) : p.bob)]
        )
        const result = talk(alices, bobs)
        assertBothKnow(alices, bobs, result)
        assert.ok(result.trips <= 9, `${result.trips} trips`)
      }),
      { numRuns: 150 }
    )
  })

  it('opens with the count and the fingerprint of all items, as the format says', () => {
    const sha256 = (...parts: (string | Uint8Array)[]) =>
      createHash('sha256')
        .update(Buffer.concat(parts.map((p) => Buffer.from(p))))
        .digest()
    const u32 = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
    const held = items(0, 200, 70_000)
    const sum = held.reduce(
      (total, { id, height, head }) =>
        total + BigInt(`0x${sha256('comrade/sync/item/1\0', id, u32(height), head).toString('hex', 0, 16)}`),
      0n
    )
    const sumBytes = Buffer.from(BigInt.asUintN(128, sum).toString(16).padStart(32, '0'), 'hex')
    const fingerprint = sha256('comrade/sync/range/1\0', sumBytes, u32(200)).subarray(0, 8)
    assert.deepEqual([...new Reconciliation(held).open()], [0x80, (200 & 0x7f) | 0x80, 1, ...fingerprint])
  })

  it('lists few items at once, as the format says', () => {
    const [small, large] = [item('a', 300), item('b', 0)].toSorted((a, b) => Buffer.compare(a.id, b.id))
    const state = ({ height, head }: ReconItem) => (height === 0 ? [0] : [0xac, 2, ...head])
    assert.deepEqual(
      [...new Reconciliation([large, small]).open()],
      [0xc0, 2, ...small.id, ...state(small), ...large.id, ...state(large)]
    )
  })

  it('refuses own items of a wrong shape', () => {
    const good = item(1)
    for (const bad of [
      { ...good, id: new Uint8Array(11) },
      { ...good, head: new Uint8Array(9) },
      { ...good, height: -1 },
      { ...good, height: 0 }
    ]) {
      assert.throws(() => new Reconciliation([bad]), RangeError)
    }
    assert.throws(() => new Reconciliation([good, item(1, 2)]), RangeError)
  })

  it('has no outcome before it is done', () => {
    const alice = new Reconciliation(items(0, 3))
    alice.open()
    assert.equal(alice.isDone, false)
    assert.throws(() => alice.outcome(), /not done/)
    assert.throws(() => alice.open(), /begun/)
  })
})

describe('reconciliation with a hostile peer', () => {
  const fingerprint = [1, 2, 3, 4, 5, 6, 7, 8]
  const part = [100, ...fingerprint]
  const split = (...bounds: number[][]) => [
    OP.split + bounds.length,
    ...bounds.flatMap((bound) => [bound.length, ...bound, ...part]),
    ...part
  ]
  const state = [1, ...fingerprint]
  const listed = (first: number) => [first, ...new Uint8Array(11), ...state]

  const asResponder: Record<string, number[]> = {
    'an empty message': [],
    'a message over 60 KiB': [...new Uint8Array(MAX_MESSAGE_SIZE + 1)],
    'an unknown reply': [0xff],
    'agreement with what was never said': [0],
    'an answer to no list': [OP.answer, 0],
    'a request for a list to begin with': [OP.ask],
    'a split that ends early': split([5]).slice(0, -1),
    'bounds out of order': split([9], [5]),
    'a bound given twice': split([5], [5]),
    'a bound that is empty': split([]),
    'a bound at zero': split([0]),
    'a bound with a zero at its end': split([5, 0]),
    'a bound longer than an id': split([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
    'a part without items': [OP.split, 0, ...fingerprint],
    'a count of 2^32': [OP.split, 0x80, 0x80, 0x80, 0x80, 0x10, ...fingerprint],
    'a count that is not in its shortest form': [OP.split, 0x80, 0x00, ...fingerprint],
    'a count without an end': [OP.split, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, ...fingerprint],
    'a list shorter than its count': [OP.list, 2, ...listed(5)],
    'a list with a count of 2^32 - 1': [OP.list, 0xff, 0xff, 0xff, 0xff, 0x0f, ...listed(5)],
    'a list out of order': [OP.list, 2, ...listed(5), ...listed(4)],
    'a list with an id twice': [OP.list, 2, ...listed(5), ...listed(5)],
    'more after all is said': [OP.list, 0, OP.list, 0]
  }
  for (const [name, message] of Object.entries(asResponder)) {
    it(`refuses ${name}, and is over then`, () => {
      const bob = new Reconciliation(items(0, 50))
      assert.throws(() => bob.receive(Uint8Array.from(message)), isFrameFormat)
      assert.throws(() => bob.receive(new Reconciliation([]).open()), isFrameFormat)
      assert.equal(bob.isDone, false)
    })
  }

  it('refuses a list of more than 2,048 items', () => {
    const writer = new MessageWriter()
    writer.list(items(0, MAX_LIST + 1).toSorted((a, b) => Buffer.compare(a.id, b.id)))
    assert.throws(() => new Reconciliation(items(0, 9)).receive(writer.finish()[0]), isFrameFormat)
  })

  it('refuses wrong replies to its list', () => {
    const verdicts = { tooFew: [], unknown: [3, 0], padded: [0x10, 0], claimsSame: [2, ...state, 0] }
    for (const reply of [
      [OP.list, 0],
      [0],
      split([5]),
      [OP.ask],
      ...Object.values(verdicts).map((bytes) => [OP.answer, ...bytes])
    ]) {
      const alice = new Reconciliation([{ id: item(1).id, height: 1, head: Uint8Array.from(fingerprint) }])
      alice.open()
      assert.throws(() => alice.receive(Uint8Array.from(reply)), isFrameFormat, `${reply}`)
    }
  })

  it('refuses wrong replies to its fingerprint', () => {
    const others = [[OP.answer, 0, 0], split(), [1], [0, 0], [OP.ask, OP.ask]]
    for (const reply of others) {
      const alice = new Reconciliation(items(0, 50))
      alice.open()
      assert.throws(() => alice.receive(Uint8Array.from(reply)), isFrameFormat, `${reply}`)
    }
  })

  it('refuses a list with another count than the peer claimed, or from outside the range', () => {
    const opening = [OP.split + 1, 1, 0x80, 2, ...fingerprint, ...part]
    for (const list of [
      [OP.list, 1, ...listed(5)],
      [OP.list, 2, ...listed(5), ...listed(0x80)]
    ]) {
      const bob = new Reconciliation(items(0, 50))
      bob.receive(Uint8Array.from(opening))
      assert.throws(() => bob.receive(Uint8Array.from(list)), isFrameFormat)
    }
  })

  it('refuses to list more than 2,048 items at once', () => {
    const alice = new Reconciliation(items(0, MAX_LIST + 1))
    alice.open()
    assert.throws(() => alice.receive(Uint8Array.of(OP.ask)), isFrameFormat)
  })

  it('cuts off a peer that splits every range again', () => {
    const bob = new Reconciliation(items(0, 3_000))
    let waiting: Uint8Array[] = [Uint8Array.of(OP.split, 0xb8, 0x17, ...fingerprint)] // as if of 3,000 items, too
    let sent = 0
    assert.throws(
      () => {
        for (let trip = 0; trip < 20 && waiting.length > 0; trip++) {
          sent += waiting.reduce((sum, message) => sum + message.length, 0)
          waiting = waiting.flatMap((message) => bob.receive(message)).flatMap(splitAgain)
        }
      },
      (error) => isFrameFormat(error) && /more than \d+ bytes/.test(String(error))
    )
    assert.ok(sent > 64 * 1024, `${sent} bytes`)
  })

  it('meets random bytes and altered messages with an error or a bounded reply', () => {
    const bobs = [...items(5, 290), ...items(290, 310, 2)]
    const honest = talk(items(0, 300), bobs).messages
    const script = fc.record({
      length: fc.nat(honest.length),
      at: fc.nat(),
      value: fc.nat(255),
      cut: fc.nat(40),
      tail: fc.uint8Array({ maxLength: 60 })
    })
    fc.assert(
      fc.property(script, ({ length, at, value, cut, tail }) => {
        const bob = new Reconciliation(bobs)
        const toBob = honest.filter((_, index) => index % 2 === 0).slice(0, length)
        const last = Buffer.from(toBob.pop() ?? [])
        if (last.length > 0) last[at % last.length] = value
        toBob.push(Buffer.concat([last.subarray(0, Math.max(0, last.length - cut)), tail]))
        try {
          for (const message of toBob) {
            const size = bob.receive(message).reduce((sum, reply) => sum + reply.length, 0)
            assert.ok(size < 310 * 25 + 16 * message.length)
          }
        } catch (error) {
          assert.ok(isFrameFormat(error), String(error))
        }
      }),
      { numRuns: 300 }
    )
  })
})

/** A hostile reply: each range that was asked is split in 64, all but the last part next to nothing. */
function splitAgain(message: Uint8Array): Uint8Array[] {
  const reader = new MessageReader(message)
  const writer = new MessageWriter()
  while (!reader.isAtEnd) {
    const op = reader.byte()
    if (op === OP.answer) reader.varint()
    else if (op === OP.list) answerNone(reader, writer)
    else splitParts(op - OP.split + 1, reader, writer)
  }
  return writer.finish()
}

function answerNone(reader: MessageReader, writer: MessageWriter): void {
  const count = reader.varint()
  for (let place = 0; place < count; place++) {
    reader.bytes(BLINDED_SIZE)
    reader.state()
  }
  writer.answer(
    Array.from({ length: count }, () => VERDICT.missing),
    [],
    0
  )
}

function splitParts(parts: number, reader: MessageReader, writer: MessageWriter): void {
  let lower: Uint8Array | undefined
  for (let part = 1; part <= parts; part++) {
    const upper = part < parts ? reader.bound() : undefined
    const count = reader.varint()
    const fingerprint = reader.fingerprint().map((byte) => byte ^ 1)
    if (parts === 1) lower = new Uint8Array(BLINDED_SIZE)
    if (lower === undefined) {
      writer.list([]) // where the first part begins was said in another message
    } else {
      const start = lower.subarray(0, BLINDED_SIZE - 1)
      const bounds = Array.from({ length: MAX_PARTS - 1 }, (_, step) => Uint8Array.of(...start, step + 1))
      writer.split(bounds, [...bounds.map(() => ({ count: 1, fingerprint })), { count, fingerprint }])
    }
    lower = upper
  }
}
