import assert from 'node:assert/strict'
import type { Comrade, Meeting, MeetingRequest } from '../../src/index.ts'
import { NodeError, type NodeErrorCode, type SentenceCode } from '../../src/node/comrade.ts'
import { befriend, Homes, post, postsOf, reads } from '../support/node.ts'
import { fixedAddress, sleep, until } from '../support/processes.ts'

const withCode = (code: NodeErrorCode) => (error: unknown) => error instanceof NodeError && error.code === code
const says = (code: SentenceCode) => (error: unknown) => error instanceof NodeError && error.sentence?.code === code

/** What a node tells of meetings from now on. */
function heardBy(node: Comrade) {
  const requests: MeetingRequest[] = []
  const met: Meeting[] = []
  node.addEventListener('request', ({ detail }) => requests.push(detail))
  node.addEventListener('met', ({ detail }) => met.push(detail))
  return { requests, met }
}

async function relationOf(node: Comrade, other: Comrade): Promise<string> {
  return (await node.contacts.find(other.identity.did)).relation
}

async function areFriends(...nodes: Comrade[]): Promise<void> {
  const [one, other] = nodes
  await until(
    async () => (await relationOf(one, other)) === 'friend' && (await relationOf(other, one)) === 'friend',
    'both are friends'
  )
}

describe('meeting by a link', function () {
  this.timeout(60_000)

  it('makes friends of two strangers, who read each other at once', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await alice.profile({ name: 'Alice' })
    await post(alice, 'hello from alice')
    await post(bob, 'hello from bob')
    const [atAlice, atBob] = [heardBy(alice), heardBy(bob)]
    const { link, expires } = await alice.contacts.invite()
    assert.match(link, /^comrade:meet\/[\w-]+$/)
    assert.ok(Math.abs(Date.parse(expires) - Date.now() - 86_400_000) < 60_000)
    assert.deepEqual(await bob.contacts.meet(link, { name: 'ally' }), {
      did: alice.identity.did,
      name: 'ally',
      state: 'met'
    })
    await Promise.all([
      reads(bob, alice.identity.did, 'hello from alice'),
      reads(alice, bob.identity.did, 'hello from bob')
    ])
    await areFriends(alice, bob)
    assert.deepEqual(
      [atAlice, atBob].map(({ met, requests }) => [met.map(({ did }) => did), requests.length]),
      [
        [[bob.identity.did], 0],
        [[alice.identity.did], 0]
      ]
    )
    assert.deepEqual(await alice.contacts.requests(), [])
  })

  it('is for one person, who may come again', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    const { link } = await alice.contacts.invite()
    assert.equal((await bob.contacts.meet(link)).state, 'met')
    await assert.rejects(carol.contacts.meet(link), says('refusal.inviteUsed'))
    await assert.rejects(carol.contacts.meet(link), withCode('USED'))
    assert.equal((await bob.contacts.meet(link)).state, 'met')
    assert.equal(await relationOf(carol, alice), 'none')
    assert.equal(await relationOf(alice, carol), 'none')
  })

  it('has one winner among many who come at the same time', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    const others = await Promise.all(Array.from({ length: 6 }, (_, i) => homes.start(`other ${i}`)))
    const { link } = await alice.contacts.invite()
    const results = await Promise.allSettled(others.map((other) => other.contacts.meet(link)))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of results) if (result.status === 'rejected') assert.ok(withCode('USED')(result.reason))
    assert.equal((await alice.contacts.list()).length, 1)
  })

  it('is refused before anything is dialled when it is mangled, of another kind, expired, or one’s own', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const { link } = await alice.contacts.invite({ expiresInMs: 1_000 })
    await assert.rejects(alice.contacts.meet(link), withCode('BAD_INPUT'))
    await assert.rejects(bob.contacts.meet(link.slice(0, -3)), withCode('BAD_INPUT'))
    await assert.rejects(bob.contacts.meet(link.slice(0, -3)), says('refusal.link'))
    await assert.rejects(bob.contacts.meet(link.replace('meet', 'device')), withCode('BAD_INPUT'))
    await sleep(1_100)
    await assert.rejects(bob.contacts.meet(link), withCode('EXPIRED'))
    assert.deepEqual(await bob.peers(), [])
  })

  it('leaves the decision to who made it, when they said so', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    await bob.profile({ name: 'Bob' })
    const [atAlice, atBob] = [heardBy(alice), heardBy(bob)]
    const first = await alice.contacts.invite({ ask: true })
    assert.equal((await bob.contacts.meet(first.link)).state, 'requested')
    assert.equal((await bob.contacts.requests())[0].kind, 'asked')
    const [request] = await alice.contacts.requests()
    assert.equal(request.kind, 'asks')
    assert.match(request.name, /^Bob#/)
    assert.equal(atAlice.requests[0].did, bob.identity.did)
    assert.equal(await relationOf(alice, bob), 'none')
    assert.deepEqual(await alice.contacts.accept('bob', { name: 'bobby' }), {
      did: bob.identity.did,
      name: 'bobby',
      state: 'met'
    })
    await until(() => atBob.met.length === 1, 'Bob hears of it')
    await areFriends(alice, bob)
    assert.deepEqual(await bob.contacts.requests(), [])

    const second = await alice.contacts.invite({ ask: true })
    assert.equal((await carol.contacts.meet(second.link)).state, 'requested')
    assert.equal((await alice.contacts.decline(carol.identity.did)).state, 'declined')
    await assert.rejects(carol.contacts.meet(second.link), withCode('DECLINED'))
    await assert.rejects(alice.contacts.accept(carol.identity.did), withCode('NOT_FOUND'))
  })

  it('tells a blocked person no more than somebody with a wrong link', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    const { link } = await alice.contacts.invite()
    await alice.contacts.block(bob.identity.did)
    await assert.rejects(bob.contacts.meet(link), withCode('NOT_FOUND'))
    await bob.contacts.block(alice.identity.did)
    await assert.rejects(bob.contacts.meet(link), withCode('BAD_INPUT'))
  })

  it('does not begin with a petname that cannot be given', async () => {
    await using homes = new Homes()
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    await bob.contacts.name(carol.identity.did, 'al')
    const { link } = await alice.contacts.invite()
    await assert.rejects(bob.contacts.meet(link, { name: 'AL' }), withCode('BAD_INPUT'))
    assert.equal((await bob.contacts.meet(link, { name: 'alice' })).state, 'met')
  })

  it('leads by the directory to who has moved since the link was made', async () => {
    await using homes = new Homes()
    const hub = await homes.start('hub')
    const alice = await homes.start('alice')
    const { link } = await alice.contacts.invite()
    await alice.stop()
    const elsewhere = [await fixedAddress()]
    const [moved, bob] = [await homes.start('alice', { listen: elsewhere }), await homes.start('bob')]
    for (const node of [moved, bob]) await node.connect(hub.addresses[0])
    await until(
      () =>
        bob.directory.resolve(moved.identity.did).then(
          ({ devices }) => devices[0].addresses[0] === moved.addresses[0],
          () => false
        ),
      'Alice is found'
    )
    assert.equal((await bob.contacts.meet(link)).state, 'met')
    await areFriends(moved, bob)
  })

  it('works again after both were stopped, by the addresses that were kept', async () => {
    await using homes = new Homes()
    const alice = await homes.start('alice')
    const bob = await homes.start('bob')
    await bob.contacts.meet((await alice.contacts.invite()).link)
    await areFriends(alice, bob)
    await bob.stop()
    await post(alice, 'while bob was away')
    const back = await homes.start('bob')
    await reads(back, alice.identity.did, 'while bob was away')
  })
})

describe('meeting by a did', function () {
  this.timeout(60_000)

  /** Alice, whom Bob can reach but does not know. */
  async function setup(homes: Homes) {
    const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
    await befriend(alice, carol)
    await befriend(carol, bob)
    await until(async () => (await carol.peers()).every(({ did }) => did !== undefined), 'Carol knows both')
    return { alice, bob, carol }
  }

  it('is not possible when nobody knows where they are', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await assert.rejects(bob.contacts.meet(alice.identity.did), withCode('NOT_FOUND'))
    assert.deepEqual(await bob.contacts.requests(), [])
    await assert.rejects(bob.contacts.meet(bob.identity.did), withCode('BAD_INPUT'))
    await assert.rejects(bob.contacts.meet('alice'), withCode('BAD_INPUT'))
  })

  it('finds a stranger by the directory, through a node that knows neither', async () => {
    await using homes = new Homes()
    const [hub, alice, bob] = [await homes.start('hub'), await homes.start('alice'), await homes.start('bob')]
    for (const node of [alice, bob]) await node.connect(hub.addresses[0])
    const atAlice = heardBy(alice)
    await until(
      () =>
        bob.contacts.meet(alice.identity.did).then(
          ({ state }) => state === 'requested',
          (error) => withCode('NOT_FOUND')(error) && false
        ),
      'Alice is found'
    )
    await until(() => atAlice.requests.length === 1, 'Alice is asked')
    assert.deepEqual([atAlice.requests[0].did, atAlice.requests[0].inCommon], [bob.identity.did, 0])
    await alice.contacts.accept(bob.identity.did)
    await areFriends(alice, bob)
  })

  it('follows an introduction: each is told of the other, one asks, the other agrees', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    const [atAlice, atBob] = [heardBy(alice), heardBy(bob)]
    await carol.contacts.introduce(alice.identity.did, bob.identity.did)
    await until(() => atAlice.requests.length === 1 && atBob.requests.length === 1, 'both were introduced')
    assert.deepEqual([atBob.requests[0].kind, atBob.requests[0].inCommon], ['introduced', 1])
    assert.equal(atBob.requests[0].by.length, 1)
    assert.equal((await bob.contacts.accept(alice.identity.did)).state, 'requested')
    await until(() => atAlice.requests.length === 2, 'Alice is asked')
    assert.deepEqual(
      (await alice.contacts.requests()).map(({ kind, inCommon }) => [kind, inCommon]),
      [['asks', 1]]
    )
    assert.equal((await alice.contacts.accept(bob.identity.did)).state, 'met')
    await areFriends(alice, bob)
    assert.equal(atBob.met.length, 1)
    assert.deepEqual(await bob.contacts.requests(), [])
  })

  it('is met at once when both have asked', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    await carol.contacts.introduce(alice.identity.did, bob.identity.did)
    await until(async () => (await alice.contacts.requests()).length === 1, 'Alice was introduced')
    await Promise.all([alice.contacts.meet(bob.identity.did), bob.contacts.meet(alice.identity.did)])
    await areFriends(alice, bob)
  })

  it('stands until they can be reached, and is answered when they decide while the other is away', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    await carol.contacts.introduce(alice.identity.did, bob.identity.did)
    await until(async () => (await bob.contacts.requests()).length === 1, 'Bob was introduced')
    assert.equal((await bob.contacts.meet(alice.identity.did)).state, 'requested')
    await bob.stop()
    assert.equal((await alice.contacts.accept(bob.identity.did)).state, 'met')
    const back = await homes.start('bob')
    await areFriends(alice, back)
  })

  it('tells who is declined or blocked nothing', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    await carol.contacts.introduce(alice.identity.did, bob.identity.did)
    await until(async () => (await bob.contacts.requests()).length === 1, 'Bob was introduced')
    await alice.contacts.decline(bob.identity.did)
    assert.equal((await bob.contacts.meet(alice.identity.did)).state, 'requested')
    assert.deepEqual(await alice.contacts.requests(), [])
    await alice.contacts.block(bob.identity.did)
    assert.equal((await bob.contacts.meet(alice.identity.did)).state, 'requested')
    assert.deepEqual(await alice.contacts.requests(), [])
    assert.deepEqual(await postsOf(bob, alice.identity.did), [])
  })

  it('does not introduce whom one does not follow, or one person to itself', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await setup(homes)
    await assert.rejects(bob.contacts.introduce(alice.identity.did, carol.identity.did), withCode('BAD_INPUT'))
    await assert.rejects(carol.contacts.introduce(alice.identity.did, alice.identity.did), withCode('BAD_INPUT'))
    await bob.stop()
    await until(async () => (await carol.peers()).length === 1, 'Bob is gone')
    await assert.rejects(carol.contacts.introduce(alice.identity.did, bob.identity.did), withCode('UNREACHABLE'))
  })
})
