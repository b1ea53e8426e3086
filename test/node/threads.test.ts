// Threads with holes: what is answered and not here comes from friends, or it is said why it does not.
import assert from 'node:assert/strict'
import type { Comrade, ThreadItem } from '../../src/index.ts'
import { formatEntryId } from '../../src/feeds/index.ts'
import { Homes, befriend, postsOf } from '../support/node.ts'
import { GroupOfNodes } from '../support/groups.ts'
import { until } from '../support/processes.ts'

const WAIT_MS = 10_000

async function say(node: Comrade, text: string, reply?: string, root = reply): Promise<string> {
  return (await node.feeds.publish({ type: 'post', text, ...(reply && { reply, root }) })).id
}

async function has(node: Comrade, id: string): Promise<void> {
  await until(async () => (await node.feeds.get(id)) !== undefined, `${id} is here`)
}

function textsOf(items: readonly ThreadItem[]): (string | undefined)[] {
  return items.map(({ text, type }) => text ?? type)
}

function reasonsIn(items: readonly ThreadItem[]): [id: string, reason: string][] {
  return items.flatMap(({ missing }) => missing.map(({ id, reason }) => [id, reason] as [string, string]))
}

/** Carol, whom Bob follows; Bob, whom Alice follows. Alice knows nothing of Carol. */
async function setup(homes: Homes, config: { alice?: object; bob?: object } = {}) {
  const alice = await homes.start('alice', {}, config.alice)
  const bob = await homes.start('bob', {}, config.bob)
  const carol = await homes.start('carol')
  await carol.profile({ name: 'Carol' })
  await befriend(alice, bob)
  await befriend(bob, carol)
  return { alice, bob, carol }
}

describe('a thread', function () {
  this.timeout(60_000)

  it('is filled with what a friend answered, though its author is unknown here, in several steps', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    await until(async () => (await bob.contacts.find(carol.identity.did)).claimed === 'Carol', 'her name is known')
    const root = await say(carol, 'the bridge is closed')
    const more = await say(carol, 'until May', root)
    await has(bob, more)
    const answer = await say(bob, 'then by the ferry', more, root)
    await has(alice, answer)
    assert.equal(await alice.feeds.get(root), undefined)
    const thread = await alice.feeds.thread(answer, { waitMs: WAIT_MS })
    assert.deepEqual(textsOf(thread), ['the bridge is closed', 'until May', 'then by the ferry'])
    assert.deepEqual(reasonsIn(thread), [])
    assert.deepEqual(
      [thread[0].author, thread[0].name.startsWith('Carol#'), thread[2].author],
      [carol.identity.did, true, bob.identity.did]
    )
    assert.deepEqual(await postsOf(alice, carol.identity.did), [], 'it is part of no feed')
    await alice.feeds.react(root, '🚧')
    await say(alice, 'thanks', root)
    assert.deepEqual((await alice.feeds.thread(root)).at(-1)?.text, 'thanks')
    assert.equal((await alice.feeds.get(root))?.reactions?.[0].isOwn, true)
  })

  it('is asked for by its beginning alone, as a link to it would', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    const root = await say(carol, 'read this')
    await has(bob, root)
    await assert.rejects(alice.feeds.thread(root), { code: 'NOT_FOUND' })
    await bob.feeds.react(root, '👍')
    const other = await say(carol, 'and this')
    await has(bob, other)
    await bob.feeds.react(other, '👍')
    assert.deepEqual(textsOf(await alice.feeds.thread(other)), ['and this'])
  })

  it('says that nobody connected gives what only those have who do not show whom they follow', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    const dan = await homes.start('dan')
    await befriend(dan, carol)
    await befriend(dan, alice)
    const root = await say(carol, 'who comes?')
    await has(dan, root)
    await has(bob, root)
    await bob.stop()
    const answer = await say(dan, 'not part of it')
    await has(alice, answer)
    // Alice answers what she knows by its id alone: Dan has it, and nobody could see that he has.
    const own = await alice.feeds.publish({ type: 'post', text: 'I do', reply: root, root })
    const thread = await alice.feeds.thread(own.id, { waitMs: WAIT_MS })
    assert.deepEqual(reasonsIn(thread), [[root, 'absent']])
  })

  it('comes from a friend who shows whom they follow', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes, { alice: {}, bob: { shareContacts: true } })
    const root = await say(carol, 'who comes?')
    await has(bob, root)
    const own = await alice.feeds.publish({ type: 'post', text: 'I do', reply: root, root })
    const thread = await alice.feeds.thread(own.id, { waitMs: WAIT_MS })
    assert.deepEqual(textsOf(thread), ['who comes?', 'I do'])
  })

  it('says that an author is blocked, whoever brings the entry', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    await alice.contacts.block(carol.identity.did)
    const root = await say(carol, 'not for you')
    await has(bob, root)
    const answer = await say(bob, 'indeed', root)
    await has(alice, answer)
    const [item] = await alice.feeds.thread(answer, { waitMs: WAIT_MS })
    assert.deepEqual(
      item.missing.map(({ id, reason, author }) => [id, reason, author]),
      [[root, 'blocked', carol.identity.did]]
    )
    assert.equal(await alice.feeds.get(root), undefined)
    await alice.contacts.unblock(carol.identity.did)
  })

  it('does not show a stray any more when its author is blocked', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    const root = await say(carol, 'seen once')
    await has(bob, root)
    const answer = await say(bob, 'yes', root)
    await has(alice, answer)
    assert.equal((await alice.feeds.thread(answer, { waitMs: WAIT_MS })).length, 2)
    await alice.contacts.block(carol.identity.did)
    assert.deepEqual(textsOf(await alice.feeds.thread(answer)), ['yes'])
    assert.equal(await alice.feeds.get(root), undefined)
  })

  it('shows what its author erased in its place, and says so; a friend says it of what is not here', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    const root = await say(bob, 'one')
    const middle = await say(bob, 'two', root)
    const last = await say(bob, 'three', middle, root)
    await has(alice, last)
    await bob.feeds.erase(middle)
    await until(async () => (await alice.feeds.get(middle))?.type === 'erased', 'it is erased here')
    const thread = await alice.feeds.thread(root)
    assert.deepEqual(textsOf(thread), ['one', 'erased', 'three'])
    assert.deepEqual([thread[1].gone, reasonsIn(thread)], ['erased', []])
    assert.equal((await bob.feeds.thread(root))[1].gone, 'erased')
    await bob.feeds.erase(last)
    await until(async () => (await alice.feeds.get(last))?.type === 'erased', 'the last one is erased too')
    assert.deepEqual(textsOf(await bob.feeds.thread(root)), ['one', 'erased', 'erased'], 'its author sees where it was')
    assert.deepEqual(textsOf(await alice.feeds.thread(root)), ['one'], 'others see nothing')
    assert.equal((await bob.feeds.get(root))?.replies, 0)

    const far = await say(carol, 'soon gone')
    await has(bob, far)
    const answer = await say(bob, 'what a pity', far)
    await has(alice, answer)
    await carol.feeds.erase(far)
    await until(async () => (await bob.feeds.get(far))?.type === 'erased', 'it is erased there')
    assert.deepEqual(reasonsIn(await alice.feeds.thread(answer, { waitMs: WAIT_MS })), [[far, 'erased']])
  })

  it('says that a text was kept until its time was over', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    const { id } = await alice.feeds.publish({ type: 'post', text: 'today only', expires: Date.now() - 1 })
    const answer = await say(alice, 'what did I say?', id)
    const { eraseExpired, FeedStore } = await import('../../src/feeds/index.ts')
    await alice.feeds.get(id) // what expires is indexed
    await alice.stop()
    const store = FeedStore.open(`${homes.of('alice')}/feeds.sqlite`)
    eraseExpired(store, Date.now())
    store.close()
    const again = await homes.start('alice')
    const thread = await again.feeds.thread(answer)
    assert.deepEqual(
      thread.map(({ type, gone }) => [type, gone]),
      [
        ['erased', 'expired'],
        ['post', undefined]
      ]
    )
  })

  it('says that nothing is fetched where nothing of others is kept, or there is no room', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    const unknown = formatEntryId(new Uint8Array(32).fill(7))
    const own = await alice.feeds.publish({ type: 'post', text: 'to what?', reply: unknown, root: unknown })
    const reason = async (): Promise<string> => (await alice.feeds.thread(own.id))[0].missing[0].reason
    assert.equal(await reason(), 'absent')
    await alice.quota(0)
    assert.equal(await reason(), 'quota')
    await alice.storeMode('own')
    assert.equal(await reason(), 'store')
  })

  it('of a group keeps the place of what was erased, and says what this device cannot open', async () => {
    await using homes = new Homes()
    const start = (name: string): Promise<Comrade> => homes.start(name)
    const alice = await start('alice')
    const group = await GroupOfNodes.found(alice, {}, start)
    const write = async (text: string, reply?: string, root = reply): Promise<string> =>
      (await alice.feeds.publish({ type: 'post', text, ...(reply && { reply, root }) }, { group: group.id })).id
    const root = await write('before')
    const middle = await write('between', root)
    const bob = await group.admit('bob')
    await group.settled()
    const last = await write('after', middle, root)
    await until(async () => (await bob.feeds.get(last))?.type === 'post', 'bob reads it')
    const [item] = await bob.feeds.thread(last)
    assert.deepEqual(
      item.missing.map(({ id, reason, author }) => [id, reason, author]),
      [root, middle].map((id) => [id, 'sealed', alice.identity.did])
    )
    for (const id of [root, middle]) await alice.feeds.erase(id)
    for (const id of [root, last])
      assert.deepEqual(textsOf(await alice.feeds.thread(id)), ['erased', 'erased', 'after'], id)
  })

  it('is read at once where nothing is waited for, and says what is being fetched', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    const root = await say(carol, 'one moment')
    await has(bob, root)
    const answer = await say(bob, 'here', root)
    await has(alice, answer)
    assert.deepEqual(reasonsIn(await alice.feeds.thread(answer, { waitMs: 0 })), [[root, 'fetching']])
    await until(async () => (await alice.feeds.thread(answer, { waitMs: 0 })).length === 2, 'it has come')
  })

  it('is asked of strangers by nobody, and given to none', async () => {
    await using homes = new Homes()
    const { alice, carol } = await setup(homes)
    const root = await say(carol, 'for whom I know')
    await carol.connect(alice.addresses[0])
    await assert.rejects(alice.feeds.thread(root), { code: 'NOT_FOUND' })
  })
})
