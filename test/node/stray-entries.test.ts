// Single entries between friends: what a hostile friend gives is refused, and what anybody may ask for is bounded.
import assert from 'node:assert/strict'
import type { PeerId } from '@libp2p/interface'
import {
  checkRun,
  encodeBody,
  encodeCbor,
  entryById,
  FeedWriter,
  Indexer,
  packFeed,
  packStray,
  sha256,
  type Body,
  type FeedStore,
  entryCid
} from '../../src/feeds/index.ts'
import { People } from '../../src/node/people.ts'
import type { Answerer, Asker, Message, PeopleProtocol } from '../../src/node/people-protocol.ts'
import { StrayEntries } from '../../src/node/stray-entries.ts'
import { deviceAddBody, deviceRevokeBody } from '../../src/trust/index.ts'
import { Author, keyOf, temporaryStore, want } from '../support/feeds.ts'

const FRIEND = { toString: () => 'friend' } as PeerId
const STRANGER = { toString: () => 'stranger' } as PeerId

/** Somebody with an identity, a device and posts, in a store of their own. */
function person(name: string, ...bodies: Body[]) {
  const held = temporaryStore()
  const [root, device] = [new Author(name), new Author(`${name}'s device`)]
  want(held.store, root.key, device.key)
  held.store.ingest(root.write(deviceAddBody(root.key.publicKey, device.key, name)))
  held.store.ingest(device.write(...bodies))
  const { store } = held
  const [log, feed] = [root, device].map(({ key }) => store.feed(key.publicKey)!)
  return {
    root: root.key.publicKey,
    device,
    store,
    log: packFeed(store, log),
    id: (seq: number) => store.idOf(feed, seq)!,
    packed: (seq: number) => packStray(store, entryById(store, store.idOf(feed, seq)!)!)!,
    [Symbol.dispose]: () => held[Symbol.dispose]()
  }
}

/** A reader whose one connected friend answers as the test says. */
function setup(answer: (question: Message) => object = () => ({})) {
  const held = temporaryStore()
  const { store } = held
  const root = keyOf('reader').publicKey
  const people = new People({ store, root, device: keyOf("reader's device").publicKey, mode: 'all', quota: 2 ** 40 })
  const friend = keyOf('friend').publicKey
  people.contacts.follow(friend)
  const indexer = new Indexer(store)
  const faults: string[] = []
  const questions: Message[] = []
  const settings = { sharesContacts: false }
  let answerer: Answerer | undefined
  const strays = new StrayEntries({
    store,
    people,
    questions: () =>
      ({
        ask: async (_peer: PeerId, question: Message) => {
          questions.push(question)
          return { type: 'entries', ...answer(question) }
        },
        answer: (_type: string, given: Answerer) => (answerer = given)
      }) as unknown as PeopleProtocol,
    catchUp: () => indexer.catchUp(),
    connected: () => [FRIEND, STRANGER],
    contactOf: (peer) => (peer === FRIEND ? people.contacts.get(friend) : undefined),
    sharesContacts: () => settings.sharesContacts,
    hasRoom: () => true,
    onFault: (peer) => faults.push(peer.toString())
  })
  strays.open()
  return {
    store,
    people,
    strays,
    faults,
    questions,
    settings,
    asked: async (question: object, peerId: PeerId = FRIEND): Promise<unknown[]> => {
      const found = await answerer!({ type: 'entries', ...question }, { peerId } as Asker)
      return found.entries as unknown[]
    },
    [Symbol.dispose]() {
      indexer.stop()
      people.close()
      held[Symbol.dispose]()
    }
  }
}

describe('an entry that a friend gives', () => {
  const nobody: ReadonlySet<string> = new Set()

  it('is believed with what shows whose it is', async () => {
    using carol = person('carol', { type: 'post', text: 'one' }, { type: 'profile', name: 'Carol' })
    const id = carol.id(1)
    using reader = setup(() => ({
      entries: [{ id, packed: carol.packed(1), log: carol.log, profile: carol.packed(2) }]
    }))
    assert.equal(await reader.strays.fetch([id], nobody), true)
    assert.deepEqual(Buffer.from(reader.strays.get(id)!.feed), Buffer.from(carol.device.key.publicKey))
    assert.deepEqual([reader.questions.length, reader.faults], [1, []], 'strangers are not asked')
  })

  const forgeries: [what: string, give: (carol: ReturnType<typeof person>, mallory: typeof carol) => object][] = [
    ['is another one than was asked for', (carol) => ({ packed: carol.packed(2) })],
    ['has another text', (carol) => ({ packed: changed(carol.packed(1), Buffer.from('one'), 'two') })],
    ['is by somebody else than its log says', (carol, mallory) => ({ packed: carol.packed(1), log: mallory.log })],
    ['has a log that is cut off', (carol) => ({ packed: carol.packed(1), log: carol.log.subarray(0, -1) })],
    ['has a log that is too long', (carol) => ({ packed: carol.packed(1), log: new Uint8Array(32_769) })],
    ['is empty', () => ({ packed: new Uint8Array() })],
    ['is no bytes', () => ({ packed: 'one' })],
    ['is too long', () => ({ packed: new Uint8Array(131_072) })]
  ]
  for (const [what, give] of forgeries)
    it(`is refused when it ${what}, and its giver is at fault`, async () => {
      using carol = person('carol', { type: 'post', text: 'one' }, { type: 'post', text: 'more' })
      using mallory = person('mallory', { type: 'post', text: 'one' })
      const id = carol.id(1)
      using reader = setup(() => ({ entries: [{ id, ...give(carol, mallory) }] }))
      assert.equal(await reader.strays.fetch([id], nobody), false)
      assert.equal(reader.strays.get(id), undefined)
      assert.deepEqual(reader.faults, ['friend'])
    })

  it('does not bear the name of a profile by somebody else', async () => {
    using carol = person('carol', { type: 'post', text: 'one' })
    using mallory = person('mallory', { type: 'profile', name: 'The Bank' })
    const id = carol.id(1)
    using reader = setup(() => ({
      entries: [{ id, packed: carol.packed(1), log: carol.log, profile: mallory.packed(1) }]
    }))
    await reader.strays.fetch([id], nobody)
    const entry = reader.strays.get(id)!
    const item = { id: '', feed: '', seq: 1, author: '', name: '', warnings: [], time: '', type: 'post' }
    assert.match(reader.strays.named(item, entry).name, /^#/)
  })

  it('is one of those that were asked for, however many come, and is asked for once in a while', async () => {
    using carol = person('carol', ...Array.from({ length: 40 }, (_, i): Body => ({ type: 'post', text: `${i}` })))
    const all = Array.from({ length: 40 }, (_, i) => carol.id(i + 1))
    using reader = setup(() => ({
      entries: [...all.map((id, i) => ({ id, packed: carol.packed(i + 1) })), null, 7, {}],
      more: true
    }))
    await reader.strays.fetch([all[0]], nobody)
    assert.equal(all.filter((id) => reader.strays.get(id) !== undefined).length, 1)
    await reader.strays.fetch([sha256(Buffer.from('nothing'))], nobody)
    const count = reader.questions.length
    assert.ok(count <= 2 + 8, `${count} questions`)
    await reader.strays.fetch([sha256(Buffer.from('nothing'))], nobody)
    assert.equal(reader.questions.length, count)
  })

  it('is one of many that are looked for in turns, none of them twice', async () => {
    using reader = setup()
    const ids = Array.from({ length: 300 }, (_, i) => sha256(Buffer.from(`${i}`)))
    for (let turn = 0; turn < 20; turn++) await reader.strays.fetch(ids, nobody)
    const asked = reader.questions.flatMap((question) =>
      (question.ids as Uint8Array[]).map((id) => Buffer.from(id).toString('hex'))
    )
    assert.deepEqual([asked.length, new Set(asked).size, reader.questions.length], [128, 128, 8])
    assert.equal(reader.strays.outcomeOf(ids[0]), undefined)
  })

  it('is not kept when it is no post', async () => {
    using carol = person('carol', { type: 'reaction', to: entryCid(sha256(Buffer.from('x'))), emoji: '👍' })
    const id = carol.id(1)
    using reader = setup(() => ({ entries: [{ id, packed: carol.packed(1), log: carol.log }] }))
    assert.equal(await reader.strays.fetch([id], nobody), false)
    assert.equal(reader.strays.get(id), undefined)
  })

  it('does not count when it is by a device that its giver does not know to be ended', async () => {
    using carol = person('carol', { type: 'post', text: 'one' })
    const id = carol.id(1)
    using reader = setup(() => ({ entries: [{ id, packed: carol.packed(1), log: carol.log }] }))
    await reader.strays.fetch([id], nobody)
    assert.ok(reader.strays.get(id))
    reader.people.contacts.follow(carol.root)
    reader.people.update()
    const log = new Author('carol')
    const { publicKey } = carol.device.key
    reader.store.ingest(log.write(deviceAddBody(carol.root, carol.device.key, 'carol')))
    reader.store.ingest(log.write(deviceRevokeBody(publicKey, 0)))
    assert.equal(reader.strays.get(id), undefined)
    using again = setup(() => ({ entries: [{ id, packed: carol.packed(1), log: carol.log }] }))
    again.people.contacts.follow(carol.root)
    again.people.update()
    for (const run of reader.store.rows(reader.store.feed(carol.root)!, 1, 2)) again.store.ingest([checkRun(run)])
    await again.strays.fetch([id], nobody)
    assert.deepEqual([again.strays.get(id), again.strays.outcomeOf(id)?.reason], [undefined, 'revoked'])
  })

  it('is not shown once its feed is kept, and its author has erased it there', async () => {
    const thread = sha256(Buffer.from('a thread'))
    using carol = person('carol', { type: 'post', text: 'oh dear', reply: entryCid(thread), root: entryCid(thread) })
    const id = carol.id(1)
    using reader = setup(() => ({ entries: [{ id, packed: carol.packed(1), log: carol.log }] }))
    await reader.strays.fetch([id], nobody)
    assert.equal(reader.strays.inThread(thread).length, 1)
    want(reader.store, carol.device.key)
    const feed = carol.store.feed(carol.device.key.publicKey)!
    reader.store.ingest([checkRun(carol.store.rows(feed, 1, 1)[0])])
    reader.store.ingest(carol.device.write({ type: 'erase', seq: [1] }))
    assert.equal(entryById(reader.store, id)?.body, undefined)
    assert.deepEqual([reader.strays.get(id), reader.strays.inThread(thread)], [undefined, []])
  })

  it('may have lost its text: then it is said whose it is, or why', async () => {
    for (const [gone, reason] of [
      ['erased', 'erased'],
      ['expired', 'expired'],
      ['dropped', 'unfollowed'],
      ['<script>', 'unfollowed']
    ] as const) {
      using carol = person('carol', { type: 'post', text: 'one' }, { type: 'erase', seq: [1] })
      const id = carol.id(1)
      using reader = setup(() => ({ entries: [{ id, packed: carol.packed(1), log: carol.log, gone }] }))
      assert.equal(await reader.strays.fetch([id], nobody), false)
      const { did } = reader.people.contacts.get(carol.root)
      assert.deepEqual([reader.strays.outcomeOf(id)?.reason, reader.strays.outcomeOf(id)?.author], [reason, did])
    }
  })
})

describe('who is asked for single entries', () => {
  function fill(store: FeedStore, author: Author, ...bodies: Body[]): Uint8Array[] {
    want(store, author.key)
    store.ingest(author.write(...bodies))
    const feed = store.feed(author.key.publicKey)!
    return bodies.map((_, i) => store.idOf(feed, i + 1)!)
  }

  it('gives what it can be seen to hold, and only that, and only to friends', async () => {
    using reader = setup()
    const [seen, unseen] = fill(
      reader.store,
      new Author('dan'),
      { type: 'post', text: 'answered' },
      { type: 'post', text: 'read in silence' }
    )
    const own = new Author("reader's device")
    const [answer] = fill(reader.store, own, { type: 'post', text: 'yes', reply: entryCid(seen), root: entryCid(seen) })
    assert.equal((await reader.asked({ ids: [seen] })).length, 1)
    assert.equal((await reader.asked({ ids: [answer] })).length, 1)
    assert.deepEqual(await reader.asked({ ids: [unseen] }), [])
    assert.deepEqual(await reader.asked({ ids: [seen, answer] }, STRANGER), [])
  })

  it('gives all that it holds to friends only, and where its user shows whom they follow', async () => {
    using reader = setup()
    reader.settings.sharesContacts = true
    const [unseen] = fill(reader.store, new Author('dan'), { type: 'post', text: 'read in silence' })
    assert.deepEqual(await reader.asked({ ids: [unseen] }), [], 'somebody who is followed and does not follow')
    reader.people.contacts.setFollowsUs(keyOf('friend').publicKey, true)
    assert.equal((await reader.asked({ ids: [unseen] })).length, 1)
    reader.settings.sharesContacts = false
    assert.deepEqual(await reader.asked({ ids: [unseen] }), [])
  })

  it('does not tell any more what was answered, once the answer was erased', async () => {
    using reader = setup()
    const writer = new FeedWriter(reader.store, keyOf("reader's device"))
    const [seen] = fill(reader.store, new Author('dan'), { type: 'post', text: 'answered' })
    const [{ seq }] = await writer.append([
      encodeBody({ type: 'post', text: 'yes', reply: entryCid(seen), root: entryCid(seen) })
    ])
    assert.equal((await reader.asked({ ids: [seen] })).length, 1)
    await writer.append([encodeBody({ type: 'erase', seq: [seq] })])
    assert.deepEqual(await reader.asked({ ids: [seen] }), [])
  })

  it('takes nonsense for nothing, and stays within the size of an answer', async () => {
    using reader = setup()
    const own = new Author("reader's device")
    const texts = Array.from({ length: 20 }, (): Body => ({ type: 'post', text: 'x'.repeat(30_000) }))
    const ids = fill(reader.store, own, ...texts)
    for (const nonsense of [undefined, 7, 'x', {}, [7], [new Uint8Array(31)], [null], ids])
      assert.deepEqual(await reader.asked({ ids: nonsense }), [], 'also more than 16')
    const given = await reader.asked({ ids: ids.slice(0, 16) })
    assert.ok(given.length > 1 && given.length < 16)
    assert.ok(encodeCbor(given).length <= 131_072)
  })
})

function changed(bytes: Uint8Array, what: Buffer, into: string): Uint8Array {
  const copy = Buffer.from(bytes)
  copy.write(into, copy.indexOf(what), 'latin1')
  return copy
}
