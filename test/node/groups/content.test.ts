// Posts to groups between whole nodes: who reads what, through joins, expulsions and restarts.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Comrade, FeedItem } from '../../../src/index.ts'
import { currentEpoch, makeEpoch } from '../../../src/groups/index.ts'
import type { NewGroup } from '../../../src/node/groups/contract.ts'
import { memoryNetwork } from '../../../src/node/memory-network.ts'
import { Homes } from '../../support/node.ts'
import { GroupOfNodes, textsIn } from '../../support/groups.ts'
import { until } from '../../support/processes.ts'

describe('posts to a group', function () {
  this.timeout(90_000)

  it('are read by members, newest first, and by nobody else', async () => {
    await using homes = new Homes()
    const { nodes, group, outsider } = await village(homes, {}, ['alice', 'bob'])
    const [alice, bob] = nodes
    const sealed = await alice.feeds.publish({ type: 'post', text: 'one' }, { group: 'portland' })
    await bob.feeds.publish({ type: 'post', text: 'two' }, { group: group.id })
    for (const node of nodes) await readsIn(node, ['two', 'one'])
    await outsider.contacts.follow(alice.identity.did)
    const open = await alice.feeds.publish({ type: 'post', text: 'to all' })
    await until(async () => (await outsider.feeds.get(open.id)) !== undefined, 'what is public arrives')
    const item = await outsider.feeds.get(sealed.id)
    assert.deepEqual([item?.type, item?.text, item?.group], ['sealed', undefined, undefined])
    assert.deepEqual(await Array.fromAsync(outsider.feeds.read({ types: ['post'] })).then((all) => all.length), 1)
  })

  it('say which group they are of, and are not part of the feed', async () => {
    await using homes = new Homes()
    const { nodes, group } = await village(homes, {}, ['alice', 'bob'])
    const [alice, bob] = nodes
    const { id } = await alice.feeds.publish({ type: 'post', text: 'hi', tags: ['bees'] }, { group: 'portland' })
    await readsIn(bob, ['hi'])
    const item = await bob.feeds.get(id)
    assert.deepEqual([item?.type, item?.text, item?.group, item?.author], ['post', 'hi', group.id, alice.identity.did])
    assert.deepEqual(await Array.fromAsync(alice.feeds.read({ types: ['post'] })), [])
    assert.deepEqual((await Array.fromAsync(bob.feeds.read({ group: 'portland', tag: 'bees' }))).length, 1)
    assert.deepEqual((await Array.fromAsync(bob.feeds.read({ group: 'portland', search: 'honey' }))).length, 0)
    assert.deepEqual((await Array.fromAsync(bob.feeds.read({ group: 'portland', author: bob.identity.did }))).length, 0)
  })

  it('are read, and nothing else ends, where the disk has no room for the secret of a new epoch', async () => {
    await using homes = new Homes()
    const { nodes, group } = await village(homes, {}, ['alice', 'bob'])
    const [alice, bob] = nodes
    const full = 'CREATE TRIGGER full BEFORE INSERT ON group_secrets BEGIN SELECT RAISE(ABORT, 12345); END'
    using database = new DatabaseSync(join(homes.of('bob'), 'feeds.sqlite'))
    database.exec(full)
    await group.admit('carol')
    await group.settled()
    await alice.feeds.publish({ type: 'post', text: 'three of us' }, { group: 'portland' })
    await readsIn(bob, ['three of us'])
    database.exec('DROP TRIGGER full')
    await group.admit('dan')
    await group.settled()
    await bob.stop()
    const secrets = database.prepare('SELECT count(*) AS count FROM group_secrets').get()
    assert.ok(Number(secrets?.count) >= group.epochs(alice) - 1, 'what could not be kept then is kept now')
  })

  it('written after an expulsion are not read by who was expelled, and what they write is not shown', async () => {
    await using homes = new Homes()
    const { nodes, group } = await village(homes, {}, ['alice', 'bob', 'carol', 'dan'])
    const [alice, bob, carol, dan] = nodes
    const others = [alice, bob, carol]
    await alice.feeds.publish({ type: 'post', text: 'before' }, { group: 'portland' })
    for (const node of nodes) await readsIn(node, ['before'])
    group.part(dan)
    const { motion } = await (await alice.groups.get('portland')).expel(dan.identity.did)
    for (const node of [bob, carol]) await (await node.groups.get('portland')).ballot(motion)
    const isOut = () => others.every((node) => group.local(node).evaluated.view().seats.size === 3)
    await until(isOut, 'dan is out', 40_000)
    // They follow each other, so each holds what the other writes; dan's device does not know of the expulsion.
    await dan.contacts.follow(alice.identity.did)
    for (const node of others) await node.contacts.follow(dan.identity.did)
    const after = await alice.feeds.publish({ type: 'post', text: 'after' }, { group: 'portland' })
    const outside = await dan.feeds.publish({ type: 'post', text: 'from outside' }, { group: 'portland' })
    for (const node of others) {
      await readsIn(node, ['after', 'before'])
      await until(async () => (await node.feeds.get(outside.id))?.type === 'sealed', "dan's entry is there")
    }
    await until(async () => (await dan.feeds.get(after.id))?.type === 'sealed', 'dan holds the entry')
    group.heal()
    await group.settled()
    assert.deepEqual(await textsIn(dan), ['from outside', 'before'])
    for (const node of others) assert.deepEqual(await textsIn(node), ['after', 'before'])
    await assert.rejects(dan.feeds.publish({ type: 'post', text: 'x' }, { group: 'portland' }), { code: 'NOT_OWN' })
  })

  for (const history of [false, true]) {
    it(`are read by somebody new from ${history ? 'the beginning, where the group chose so' : 'when they joined'}`, async () => {
      await using homes = new Homes()
      const { nodes, group } = await village(homes, { history }, ['alice', 'bob'])
      const [alice, bob] = nodes
      await alice.feeds.publish({ type: 'post', text: 'first' }, { group: 'portland' })
      await readsIn(bob, ['first'])
      const carol = await group.admit('carol')
      await group.settled()
      await bob.feeds.publish({ type: 'post', text: 'second' }, { group: 'portland' })
      await readsIn(alice, ['second', 'first'])
      await readsIn(carol, history ? ['second', 'first'] : ['second'])
      const dan = await group.admit('dan')
      await group.settled()
      await alice.feeds.publish({ type: 'post', text: 'third' }, { group: 'portland' })
      await readsIn(dan, history ? ['third', 'second', 'first'] : ['third'])
    })
  }

  it('are read from the beginning also by somebody new who was the first to make an epoch', async () => {
    await using homes = new Homes()
    const { nodes, group } = await village(homes, { history: true }, ['alice', 'bob'])
    const [alice, bob] = nodes
    await alice.feeds.publish({ type: 'post', text: 'first' }, { group: 'portland' })
    await readsIn(bob, ['first'])
    const carol = await group.admit('carol')
    // She writes at once, with an epoch of her own, and knows no earlier secret that it could give to anybody.
    await carol.feeds.publish({ type: 'post', text: 'here I am' }, { group: 'portland' })
    for (const node of [alice, bob, carol]) await readsIn(node, ['here I am', 'first'])
  })

  it('are read by whoever has the link of an open group, and written by members only', async () => {
    await using homes = new Homes()
    const { nodes, group, outsider } = await village(homes, { open: true }, ['alice', 'bob'])
    const [alice] = nodes
    await alice.feeds.publish({ type: 'post', text: 'welcome' }, { group: 'portland' })
    await outsider.connect(alice.addresses[0])
    await group.open(outsider)
    await readsIn(outsider, ['welcome'])
    const posting = outsider.feeds.publish({ type: 'post', text: 'spam' }, { group: 'portland' })
    await assert.rejects(posting, { code: 'NOT_OWN' })
    assert.equal(group.epochs(alice), 0)
  })

  it('are read with every one of several epochs that were made at once, and all go on with the same one', async () => {
    await using homes = new Homes()
    const { nodes, group } = await village(homes, {}, ['alice', 'bob', 'carol'])
    const [alice, bob, carol] = nodes
    await group.settled()
    const dan = await group.admit('dan')
    // Each of them writes before hearing of the others: each makes an epoch, unless one was there already.
    group.part()
    for (const node of [alice, bob, carol])
      await node.feeds.publish({ type: 'post', text: `by ${names(node, nodes)}` }, { group: 'portland' })
    group.heal()
    await group.settled()
    for (const node of [alice, bob, carol])
      await until(async () => (await textsIn(node)).length === 3, 'all three are read')
    await dan.feeds.publish({ type: 'post', text: 'by dan' }, { group: 'portland' })
    for (const node of [...nodes, dan])
      await until(async () => (await textsIn(node)).includes('by dan'), 'dan is read by all')
    await alice.feeds.publish({ type: 'post', text: 'again' }, { group: 'portland' })
    await until(async () => (await textsIn(dan)).includes('again'), 'dan reads on')
  })

  it('stay in the group when they are answered, in one thread', async () => {
    await using homes = new Homes()
    const { nodes, group } = await village(homes, {}, ['alice', 'bob'])
    const [alice, bob] = nodes
    const first = await alice.feeds.publish({ type: 'post', text: 'question' }, { group: 'portland' })
    await readsIn(bob, ['question'])
    const answer = await bob.feeds.publish({ type: 'post', text: 'answer', reply: first.id, root: first.id })
    await bob.feeds.react(first.id, '👍')
    assert.equal((await bob.feeds.get(answer.id))?.group, group.id)
    await until(async () => (await textsIn(alice)).length === 3, 'answer and reaction arrive')
    const thread = await alice.feeds.thread(first.id)
    assert.deepEqual(
      thread.map(({ text }) => text),
      ['question', 'answer']
    )
    await alice.groups.create({ name: 'lisbon' })
    const elsewhere = alice.feeds.publish({ type: 'post', text: 'x', reply: first.id }, { group: 'lisbon' })
    await assert.rejects(elsewhere, { code: 'BAD_INPUT' })
  })

  it('are not answered in public when their text is gone, nor by who cannot read them', async () => {
    await using homes = new Homes()
    const { nodes, group, outsider } = await village(homes, {}, ['alice', 'bob'])
    const [alice, bob] = nodes
    const { id } = await alice.feeds.publish({ type: 'post', text: 'oops' }, { group: 'portland' })
    await readsIn(bob, ['oops'])
    await alice.feeds.erase(id)
    await readsIn(bob, [])
    const answer = await bob.feeds.publish({ type: 'post', text: 'what was it?', reply: id, root: id })
    const reaction = await bob.feeds.react(id, '?')
    for (const each of [answer, reaction]) assert.equal((await bob.feeds.get(each.id))?.group, group.id)
    await outsider.contacts.follow(bob.identity.did)
    await until(async () => (await outsider.feeds.get(answer.id))?.type === 'sealed', 'the outsider holds it')
    const blind = outsider.feeds.publish({ type: 'post', text: 'tell me', reply: answer.id })
    await assert.rejects(blind, { code: 'BAD_INPUT' })
  })

  it('go on when a member wrapped a wrong secret for another one', async () => {
    await using homes = new Homes()
    const { nodes, group } = await village(homes, {}, ['alice', 'bob', 'carol'])
    const [alice, bob, carol] = nodes
    // Alice wraps carol's secret to a key that is not carol's.
    const local = group.local(alice)
    const recipients = [...local.evaluated.view().byMember.values()].map(({ member, kem, identity }) => ({
      member,
      kem: identity === group.local(carol).identity ? '11'.repeat(32) : kem
    }))
    local.sign('epoch', makeEpoch(local.id, recipients))
    const isMended = () => {
      const epoch = currentEpoch(group.local(bob).evaluated)
      return epoch?.author === group.local(carol).membership?.memberKey
    }
    await until(isMended, 'carol has made an epoch on top, and others take it')
    await bob.feeds.publish({ type: 'post', text: 'for all' }, { group: 'portland' })
    for (const node of nodes) await readsIn(node, ['for all'])
  })

  it('are not shown when their author is blocked', async () => {
    await using homes = new Homes()
    const { nodes } = await village(homes, {}, ['alice', 'bob', 'carol'])
    const [alice, bob, carol] = nodes
    await alice.feeds.publish({ type: 'post', text: 'by alice' }, { group: 'portland' })
    await readsIn(bob, ['by alice'])
    await carol.contacts.block(alice.identity.did)
    await bob.feeds.publish({ type: 'post', text: 'by bob' }, { group: 'portland' })
    await readsIn(carol, ['by bob'])
    await readsIn(bob, ['by bob', 'by alice'])
  })

  it('are found again when the group was forgotten and is opened anew', async () => {
    await using homes = new Homes()
    const { nodes, group, outsider } = await village(homes, { open: true }, ['alice'])
    const [alice] = nodes
    await alice.feeds.publish({ type: 'post', text: 'welcome' }, { group: 'portland' })
    await group.open(outsider)
    await readsIn(outsider, ['welcome'])
    await outsider.groups.forget('portland')
    assert.deepEqual(await textsIn(outsider), [])
    await group.open(outsider)
    await readsIn(outsider, ['welcome'])
  })

  it('need few epochs, however many members are there to make one', async () => {
    await using homes = new Homes()
    const { nodes, group } = await village(homes, {}, ['alice', 'bob', 'carol', 'dan', 'eve', 'frank'])
    await group.settled()
    // One for each of five who came, or fewer, and not one by each member each time, which would be twenty.
    const made = group.epochs(nodes[0])
    assert.ok(made <= 14, `${made} epochs`)
  })

  it('are told as they arrive, also to a live reader', async () => {
    await using homes = new Homes()
    const { nodes, group } = await village(homes, {}, ['alice', 'bob'])
    const [alice, bob] = nodes
    const told: FeedItem[] = []
    bob.addEventListener('entry', ({ detail }) => told.push(detail))
    const live = bob.feeds.read({ group: 'portland', live: true, signal: AbortSignal.timeout(20_000) })
    const next = live[Symbol.asyncIterator]().next()
    await alice.feeds.publish({ type: 'post', text: 'now' }, { group: 'portland' })
    const { value } = await next
    assert.deepEqual([value?.text, value?.group], ['now', group.id])
    await until(() => told.some(({ text }) => text === 'now'), 'an event tells it')
    assert.equal(told.filter(({ text }) => text === 'now').length, 1)
  })

  it('are still read after a restart, also those that arrived before their secret', async () => {
    await using homes = new Homes()
    const { nodes, group } = await village(homes, {}, ['alice', 'bob'])
    const [alice, bob] = nodes
    await alice.feeds.publish({ type: 'post', text: 'early' }, { group: 'portland' })
    await readsIn(bob, ['early'])
    const carol = await homes.start('carol', MEMORY())
    await group.admitBy(alice, carol, { beforeJoin: () => group.part(bob) }) // the epoch that the next post is sealed with does not reach bob
    const late = await alice.feeds.publish({ type: 'post', text: 'late' }, { group: 'portland' })
    await until(async () => (await bob.feeds.get(late.id))?.type === 'sealed', 'bob holds it')
    assert.deepEqual(await textsIn(bob), ['early'])
    await bob.stop()
    const again = await homes.start('bob', MEMORY())
    assert.deepEqual(await textsIn(again), ['early'])
    group.replace(bob, again)
    group.heal()
    await readsIn(again, ['late', 'early'])
    await again.stop()
    const third = await homes.start('bob', MEMORY())
    assert.deepEqual(await textsIn(third), ['late', 'early'])
  })

  it('are found again when a crash took what was noted of them, also deep in a feed', async () => {
    await using homes = new Homes()
    const { nodes } = await village(homes, {}, ['alice', 'bob'])
    const [alice, bob] = nodes
    await alice.feeds.publish({ type: 'post', text: 'deep' }, { group: 'portland' })
    await alice.feeds.publishAll(Array.from({ length: 600 }, (_, i) => ({ type: 'post', text: `public ${i}` })))
    const last = await alice.feeds.publish({ type: 'post', text: 'new' }, { group: 'portland' })
    await readsIn(bob, ['new', 'deep'])
    await bob.stop()
    const database = new DatabaseSync(join(homes.of('bob'), 'feeds.sqlite'))
    for (const table of ['group_posts', 'group_sealed', 'group_read']) database.exec(`DELETE FROM ${table}`)
    database.close()
    const again = await homes.start('bob', MEMORY())
    await readsIn(again, ['new', 'deep'])
    assert.equal((await again.feeds.get(last.id))?.text, 'new')
  })

  it('are read in pages, past those that were erased', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice', MEMORY())
    await alice.groups.create({ name: 'portland' })
    const texts = Array.from({ length: 200 }, (_, i) => `${i}`)
    const bodies = texts.map((text) => ({ type: 'post', text, tags: [`t${Number(text) % 10}`] }))
    const published = await alice.feeds.publishAll(bodies, { group: 'portland' })
    for (const { id } of published.slice(60, 190)) await alice.feeds.erase(id)
    const left = [...texts.slice(0, 60), ...texts.slice(190)].toReversed()
    assert.deepEqual(await textsIn(alice), left)
    const [newest] = await Array.fromAsync(alice.feeds.read({ group: 'portland', limit: 1 }))
    const older = await Array.fromAsync(alice.feeds.read({ group: 'portland', limit: 20, before: newest.id }))
    assert.deepEqual(
      older.map(({ text }) => text),
      left.slice(1, 21)
    )
    const tagged = await Array.fromAsync(alice.feeds.read({ group: 'portland', tag: 't3', limit: 5 }))
    assert.deepEqual(
      tagged.map(({ text }) => text),
      ['193', '53', '43', '33', '23']
    )
  })

  it('are gone when their author erases them', async () => {
    await using homes = new Homes()
    const { nodes } = await village(homes, {}, ['alice', 'bob'])
    const [alice, bob] = nodes
    const { id } = await alice.feeds.publish({ type: 'post', text: 'oops' }, { group: 'portland' })
    await readsIn(bob, ['oops'])
    await alice.feeds.erase(id)
    for (const node of nodes) await readsIn(node, [])
  })

  it('are refused when they are too large, would expire, or go nowhere', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice', MEMORY())
    await alice.groups.create({ name: 'portland' })
    const to = { group: 'portland' }
    const post = (body: object) => alice.feeds.publish({ type: 'post', text: 'x', ...body }, to)
    await assert.rejects(post({ text: 'x'.repeat(65_480) }), { code: 'BAD_INPUT' })
    await assert.rejects(post({ expires: Date.now() + 1_000 }), { code: 'BAD_INPUT' })
    await assert.rejects(alice.feeds.publish({ type: 'post', text: 'x' }, { group: 'porto' }), { code: 'NOT_FOUND' })
    await post({ text: 'x'.repeat(65_400) })
    assert.equal((await textsIn(alice))[0].length, 65_400)
  })
})

const MEMORY = () => ({ libp2p: memoryNetwork() })

/** Nodes of these members, all connected, and one of somebody who is none. */
async function village(homes: Homes, group: Partial<NewGroup>, names: readonly string[]) {
  const founder = await homes.start(names[0], MEMORY())
  const made = await GroupOfNodes.found(founder, group, (name) => homes.start(name, MEMORY()))
  for (const name of names.slice(1)) await made.admit(name)
  await made.settled()
  const outsider = await homes.start('outsider', MEMORY())
  await outsider.connect(founder.addresses[0])
  return { nodes: made.nodes.slice(), group: made, outsider }
}

async function readsIn(node: Comrade, texts: readonly string[]): Promise<void> {
  const isSo = async () => (await textsIn(node)).join() === texts.join()
  await until(isSo, `[${texts.join()}] is what is read`)
}

function names(node: Comrade, nodes: readonly Comrade[]): string {
  return ['alice', 'bob', 'carol'][nodes.indexOf(node)]
}
