// What a peer of its own making can do to a node by the questions of meeting.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { generateSeed, signingKey } from '../../src/feeds/signature.ts'
import type { Comrade } from '../../src/index.ts'
import { NodeError } from '../../src/node/comrade.ts'
import { MAX_QUESTIONS_PER_MINUTE, type Message, PeopleProtocol } from '../../src/node/people-protocol.ts'
import {
  decodeLink,
  encodeLink,
  formatDid,
  inviteId,
  inviteProof,
  MAX_INTRODUCTIONS_PER_DAY,
  MAX_REQUESTS_PER_PEER,
  parseDid
} from '../../src/trust/index.ts'
import { identityOf, type TestIdentity } from '../support/identities.ts'
import { connect, startTcpNode, type TestNetwork } from '../support/network.ts'
import { befriend, Homes } from '../support/node.ts'
import { until } from '../support/processes.ts'

const withCode = (code: string) => (error: unknown) => error instanceof NodeError && error.code === code

/** A peer that asks what it likes. */
class Mallory {
  readonly network: TestNetwork
  readonly heard: Message[] = []
  readonly #people: PeopleProtocol
  #now = 0

  static async start(stack: AsyncDisposableStack): Promise<Mallory> {
    const mallory = new Mallory(stack.use(await startTcpNode()))
    await mallory.#people.start()
    stack.defer(() => mallory.#people.stop())
    return mallory
  }

  private constructor(network: TestNetwork) {
    this.network = network
    this.#people = new PeopleProtocol({ libp2p: network.libp2p, onFault() {}, onError() {}, now: () => this.#now })
  }

  async visit(node: Comrade): Promise<void> {
    await this.network.connect(node.addresses[0])
  }

  ask(node: Comrade, question: Message): Promise<Message> {
    return this.#people.ask(node.libp2p.peerId, question)
  }

  answer(type: string, answer: Message): void {
    this.#people.answer(type, (question) => {
      this.heard.push(question)
      return answer
    })
  }

  cardOf(identity: TestIdentity, reader: Comrade): Record<string, unknown> {
    return identity.card({ holder: this.network.peerId, reader: reader.libp2p.peerId })
  }

  /** The question that brings an invite. */
  meet(identity: TestIdentity, node: Comrade, secret: Uint8Array): Message {
    const parts = {
      asker: this.network.peerId.toMultihash().bytes,
      inviter: node.libp2p.peerId.toMultihash().bytes,
      key: identity.root.publicKey
    }
    const proof = inviteProof('meet', secret, parts)
    return { type: 'meet', invite: inviteId(secret), proof, card: this.cardOf(identity, node) }
  }
}

async function setup(stack: AsyncDisposableStack) {
  const homes = stack.use(new Homes())
  const alice = await homes.start('alice')
  const mallory = await Mallory.start(stack)
  await mallory.visit(alice)
  return { homes, alice, mallory }
}

describe('a hostile peer', function () {
  this.timeout(60_000)

  it('does not use an invite without its secret, in a thousand tries a minute', async () => {
    await using stack = new AsyncDisposableStack()
    const { homes, alice, mallory } = await setup(stack)
    const { link } = await alice.contacts.invite()
    const { secret } = decodeLink(link, 'meet')
    const codes = new Map<string, number>()
    const [right, wrong] = [secret, randomBytes(16)].map((each) => mallory.meet(identityOf('mallory'), alice, each))
    for (let i = 0; i < 1_000; i++) {
      const guess = { ...(i % 2 === 0 ? wrong : right), proof: randomBytes(32) }
      const refused = await mallory.ask(alice, guess).catch((error: NodeError) => error)
      assert.ok(refused instanceof NodeError)
      codes.set(refused.code, (codes.get(refused.code) ?? 0) + 1)
    }
    assert.deepEqual([...codes.keys()].toSorted(), ['BUSY', 'NOT_FOUND'])
    assert.ok(codes.get('NOT_FOUND')! <= 2 * MAX_QUESTIONS_PER_MINUTE, 'a minute may end in between')
    const bob = await homes.start('bob')
    assert.equal((await bob.contacts.meet(link)).state, 'met')
  })

  it('cannot send again what another has sent', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, mallory } = await setup(stack)
    const bob = await Mallory.start(stack)
    const identity = identityOf('bob')
    const { secret } = decodeLink((await alice.contacts.invite()).link, 'meet')
    const heard = bob.meet(identity, alice, secret)
    await assert.rejects(mallory.ask(alice, heard), withCode('NOT_FOUND'))
    // With the secret it could bring an invite, but not for somebody whose device it does not have.
    const forwarded = { ...mallory.meet(identity, alice, secret), card: heard.card }
    await assert.rejects(mallory.ask(alice, forwarded), withCode('BAD_INPUT'))
    await assert.rejects(
      mallory.ask(alice, { type: 'acquaint', card: bob.cardOf(identity, alice) }),
      withCode('BAD_INPUT')
    )
    assert.deepEqual(await alice.contacts.requests(), [])
    await bob.visit(alice)
    assert.equal((await bob.ask(alice, heard)).type, 'met')
  })

  it('does not meet for a device that was revoked', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, mallory } = await setup(stack)
    const { secret } = decodeLink((await alice.contacts.invite()).link, 'meet')
    const lost = identityOf('lost', { isRevoked: true })
    await assert.rejects(mallory.ask(alice, mallory.meet(lost, alice, secret)), withCode('BAD_INPUT'))
    const found = identityOf('found')
    assert.equal((await mallory.ask(alice, mallory.meet(found, alice, secret))).type, 'met')
  })

  it('is not taken for whom a link names', async () => {
    await using stack = new AsyncDisposableStack()
    const { homes, alice, mallory } = await setup(stack)
    const bob = await homes.start('bob')
    const eve = identityOf('eve')
    mallory.answer('meet', { type: 'met', card: mallory.cardOf(eve, bob) })
    const link = encodeLink({
      kind: 'meet',
      root: decodeLink((await alice.contacts.invite()).link, 'meet').root,
      secret: randomBytes(16),
      expiresMs: Date.now() + 60_000,
      peerKey: mallory.network.peerId.publicKey!.raw,
      addresses: mallory.network.libp2p.getMultiaddrs().map(String)
    })
    await assert.rejects(bob.contacts.meet(link), withCode('UNREACHABLE'))
    for (const answer of [{ type: 'met' }, { type: 'met', card: 7 }, { type: 'hello' }]) {
      mallory.answer('meet', answer)
      await assert.rejects(bob.contacts.meet(link), NodeError)
    }
    assert.deepEqual(await bob.contacts.list(), [])
    assert.deepEqual(await bob.contacts.requests(), [])
  })

  it('is not followed again by the invite that it has used, when it was let go', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, mallory } = await setup(stack)
    const { secret } = decodeLink((await alice.contacts.invite()).link, 'meet')
    const identity = identityOf('mallory')
    const did = formatDid(identity.root.publicKey)
    for (const time of ['first', 'again'])
      assert.equal((await mallory.ask(alice, mallory.meet(identity, alice, secret))).type, 'met', time)
    await alice.contacts.unfollow(did)
    await assert.rejects(mallory.ask(alice, mallory.meet(identity, alice, secret)), withCode('NOT_FOUND'))
    assert.equal((await alice.contacts.find(did)).relation, 'none')
  })

  it('does not hear the topic secret of who brings an invite, before it has shown who it is', async () => {
    await using stack = new AsyncDisposableStack()
    const { homes, alice, mallory } = await setup(stack)
    const bob = await homes.start('bob')
    mallory.answer('meet', { type: 'requested' })
    const link = encodeLink({
      kind: 'meet',
      root: decodeLink((await alice.contacts.invite()).link, 'meet').root,
      secret: randomBytes(16),
      expiresMs: Date.now() + 60_000,
      peerKey: mallory.network.peerId.publicKey!.raw,
      addresses: mallory.network.libp2p.getMultiaddrs().map(String)
    })
    assert.equal((await bob.contacts.meet(link)).state, 'requested')
    assert.deepEqual(Object.keys(mallory.heard[0].card as object).toSorted(), [
      'addresses',
      'device',
      'log',
      'proof',
      'root'
    ])
  })

  it('does not find out who is a friend by showing false cards', async () => {
    await using stack = new AsyncDisposableStack()
    const { homes, alice } = await setup(stack)
    const bob = await homes.start('bob')
    await befriend(alice, bob)
    const answers = new Map<string, Set<string>>()
    for (let i = 0; i < 4; i++) {
      const mallory = await Mallory.start(stack)
      await mallory.visit(alice)
      const falseCard = (root: Uint8Array) => ({ ...mallory.cardOf(identityOf('mallory'), alice), root })
      for (let n = 0; n < MAX_QUESTIONS_PER_MINUTE; n++) {
        const root = n % 10 === 0 ? parseDid(bob.identity.did) : identityOf('stranger').root.publicKey
        const answer = await mallory.ask(alice, { type: 'acquaint', card: falseCard(root) }).catch((error) => error)
        const name = `${i} ${n % 10 === 0 ? 'friend' : 'stranger'}`
        answers.set(name, (answers.get(name) ?? new Set()).add(answer.type ?? answer.code))
      }
    }
    assert.deepEqual(answers.get('0 friend'), new Set(['BAD_INPUT']))
    assert.deepEqual(answers.get('0 stranger'), new Set(['BAD_INPUT']))
    assert.deepEqual(answers.get('3 friend'), answers.get('3 stranger'))
  })

  it('that is a contact does not keep others from reaching somebody by addresses that are none', async () => {
    await using stack = new AsyncDisposableStack()
    const { homes, alice, mallory } = await setup(stack)
    const carol = await homes.start('carol')
    const { secret } = decodeLink((await alice.contacts.invite()).link, 'meet')
    const identity = identityOf('mallory')
    assert.equal((await mallory.ask(alice, mallory.meet(identity, alice, secret))).type, 'met')
    stack.use(await greeterOf(mallory, identity, alice))
    const nowhere = ['/ip4/127.0.0.1/tcp/4001/p2p/nobody', 'nonsense', `/ip4/tcp/p2p/${carol.peerId}`]
    const addresses = [...nowhere, ...carol.addresses].slice(0, 8)
    await mallory.ask(alice, { type: 'introduce', root: parseDid(carol.identity.did), addresses, name: 'Carol' })
    assert.equal((await alice.contacts.accept(carol.identity.did)).state, 'requested')
    await assert.rejects(alice.connect(nowhere[0]), withCode('BAD_INPUT'))
    assert.deepEqual(
      (await carol.contacts.requests()).map(({ did }) => did),
      [alice.identity.did]
    )
  })

  it('lists at most five strangers a day, and nobody by introduction', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, mallory } = await setup(stack)
    const answers = new Set<string>()
    const ask = async (question: Message): Promise<void> => {
      const answer = await mallory.ask(alice, question).catch((error: NodeError) => ({ type: error.code }))
      answers.add(answer.type)
    }
    for (let i = 0; i < 20; i++)
      await ask({ type: 'acquaint', card: mallory.cardOf(identityOf(`stranger ${i}`), alice) })
    assert.equal((await alice.contacts.requests()).length, MAX_REQUESTS_PER_PEER)
    const stranger = signingKey(generateSeed()).publicKey
    await ask({ type: 'introduce', root: stranger, addresses: [], name: 'friend of yours' })
    assert.deepEqual([...answers], ['noted'])
    assert.equal((await alice.contacts.requests()).length, MAX_REQUESTS_PER_PEER)
  })

  it('who is blocked hears what everybody hears, and is not listed', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, mallory } = await setup(stack)
    const identity = identityOf('mallory')
    await alice.contacts.block(formatDid(identity.root.publicKey))
    assert.deepEqual(await mallory.ask(alice, { type: 'acquaint', card: mallory.cardOf(identity, alice) }), {
      type: 'noted'
    })
    assert.deepEqual(await alice.contacts.requests(), [])
  })

  it('with the name of a contact is shown with its key, and does not take the name', async () => {
    await using stack = new AsyncDisposableStack()
    const { homes, alice, mallory } = await setup(stack)
    const bob = await homes.start('bob')
    await bob.profile({ name: 'Bob' })
    await befriend(alice, bob)
    await until(async () => (await alice.contacts.find(bob.identity.did)).claimed === 'Bob', 'the name is known')
    for (const which of ['one', 'two']) {
      const impostor = identityOf(`impostor ${which}`)
      const card = { ...mallory.cardOf(impostor, alice), name: 'Bob' }
      await mallory.ask(alice, { type: 'acquaint', card })
    }
    const requests = await alice.contacts.requests()
    assert.equal(requests.length, 2)
    for (const { name, did } of requests) assert.equal(name, `Bob#${did.slice(-8)}`)
    assert.equal((await alice.contacts.find('Bob')).did, bob.identity.did)
    await assert.rejects(alice.contacts.accept('Bob'), withCode('WHO_AMBIGUOUS'))
    assert.equal((await alice.contacts.decline(requests[0].name)).did, requests[0].did)
  })

  it('that is a contact introduces ten a day, and nobody who is blocked', async () => {
    await using stack = new AsyncDisposableStack()
    const { alice, mallory } = await setup(stack)
    const { secret } = decodeLink((await alice.contacts.invite()).link, 'meet')
    const identity = identityOf('mallory')
    assert.equal((await mallory.ask(alice, mallory.meet(identity, alice, secret))).type, 'met')
    // Without a hello its device is not recognised: whoever only says so introduces nobody.
    const introduce = (root: Uint8Array) => mallory.ask(alice, { type: 'introduce', root, addresses: [], name: 'x' })
    await introduce(signingKey(generateSeed()).publicKey)
    assert.deepEqual(await alice.contacts.requests(), [])
    stack.use(await greeterOf(mallory, identity, alice))
    const blocked = signingKey(generateSeed()).publicKey
    await alice.contacts.block(formatDid(blocked))
    await introduce(blocked)
    assert.deepEqual(await alice.contacts.requests(), [])
    for (let i = 0; i < MAX_INTRODUCTIONS_PER_DAY; i++) await introduce(signingKey(generateSeed()).publicKey)
    await assert.rejects(introduce(signingKey(generateSeed()).publicKey), withCode('BUSY'))
    const requests = await alice.contacts.requests()
    assert.equal(requests.length, MAX_INTRODUCTIONS_PER_DAY)
    await alice.contacts.block(formatDid(identity.root.publicKey))
    assert.deepEqual(await alice.contacts.requests(), [])
  })
})

/** Lets a peer prove its device on a new connection. */
async function greeterOf(mallory: Mallory, { device, root }: TestIdentity, node: Comrade): Promise<AsyncDisposable> {
  const { HelloService } = await import('../../src/node/hello-service.ts')
  const hello = new HelloService({ libp2p: mallory.network.libp2p, deviceKey: device })
  await hello.start()
  await mallory.network.libp2p.hangUp(node.libp2p.peerId)
  await connect(mallory.network, { libp2p: node.libp2p } as TestNetwork)
  const did = formatDid(root.publicKey)
  await until(async () => (await node.peers()).some((peer) => peer.did === did), 'the device is recognised')
  return { [Symbol.asyncDispose]: () => hello.stop() }
}
