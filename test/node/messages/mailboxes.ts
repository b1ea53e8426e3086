// People with real nodes who host mailboxes for each other and use them.
import type { PeerId } from '@libp2p/interface'
import { type FeedStore, sha256 } from '../../../src/feeds/index.ts'
import { MailboxBook, type MailboxLimits, MailboxQueues } from '../../../src/messages/index.ts'
import { MailboxClient } from '../../../src/node/messages/mailbox-client.ts'
import { MailboxService } from '../../../src/node/messages/mailbox-service.ts'
import { Vault } from '../../../src/node/vault.ts'
import { temporaryStore } from '../../support/feeds.ts'
import { connect, makeTcpNode, startMemoryNode, type TestNetwork } from '../../support/network.ts'

/** What stays of a person when the node is off. */
export interface Home {
  name: string
  store: FeedStore
}

export interface PersonOptions {
  /** Names of friends: those for whom queues are hosted. */
  friends?: readonly Person[]
  isHosting?: boolean
  limits?: Partial<MailboxLimits>
  requestsPerMinute?: number
  /** How long until a host that cannot be reached is replaced. */
  goneMs?: number
  /** @default a new one */
  home?: Home
}

export class Person {
  readonly home: Home
  readonly node: TestNetwork
  readonly queues: MailboxQueues
  readonly service: MailboxService
  readonly book: MailboxBook
  readonly client: MailboxClient
  readonly clock = { now: 0 }
  isHosting: boolean
  friends: readonly Person[]
  /** Who may write to this person. */
  contacts: Uint8Array[] = []
  /** First bytes of what came. */
  readonly received: number[] = []
  /** Devices of contacts that were revoked. */
  revoked = 0
  readonly moved: Uint8Array[] = []
  readonly faults: string[] = []
  onCell: (cell: Uint8Array) => void = () => {}

  constructor(
    node: TestNetwork,
    home: Home,
    { friends = [], isHosting = false, limits = {}, requestsPerMinute, goneMs }: PersonOptions
  ) {
    this.node = node
    this.home = home
    this.friends = friends
    this.isHosting = isHosting
    this.queues = new MailboxQueues(home.store, { limits })
    this.book = new MailboxBook(home.store, new Vault(sha256(Buffer.from(home.name))))
    this.service = new MailboxService({
      libp2p: node.libp2p,
      queues: this.queues,
      isHosting: () => this.isHosting,
      friendOf: (peerId) => this.friends.find((each) => each.peerId.equals(peerId))?.home.name,
      onFault: (_, error) => this.faults.push(error.message),
      onError: (error) => this.faults.push(String(error)),
      now: () => this.clock.now,
      requestsPerMinute
    })
    this.client = new MailboxClient({
      libp2p: node.libp2p,
      book: this.book,
      dial: (peerId, multiaddrs, signal) => node.dial({ peerId, multiaddrs, priority: 0 }, signal),
      addressesOf: (peerId) => this.friends.find((each) => each.name === peerId)?.addresses ?? [],
      contacts: () => this.contacts,
      generationOf: () => this.revoked,
      candidates: () => node.libp2p.getPeers().map(String),
      onCell: async (_, cell) => {
        this.onCell(cell)
        this.received.push(cell[0])
      },
      onMoved: (contact) => this.moved.push(contact),
      goneMs
    })
  }

  get peerId(): PeerId {
    return this.node.peerId
  }

  get name(): string {
    return this.peerId.toString()
  }

  get addresses(): string[] {
    return this.node.libp2p.getMultiaddrs().map(String)
  }

  async start(): Promise<void> {
    await this.service.start()
    this.client.start()
    if (this.node.libp2p.status !== 'started') await this.node.start()
  }

  async stop(): Promise<void> {
    await this.client.stop()
    await this.service.stop()
    await this.node.stop()
  }

  async connect(...others: Person[]): Promise<void> {
    for (const other of others) await connect(this.node, other.node)
  }
}

/** A village of people; all that they started is stopped at the end. */
export class Village extends AsyncDisposableStack {
  readonly #make: () => Promise<TestNetwork>

  constructor(where: 'tcp' | 'memory' = 'memory') {
    super()
    this.#make = where === 'tcp' ? makeTcpNode : startMemoryNode
  }

  home(name: string): Home {
    return { name, store: this.use(temporaryStore()).store }
  }

  async person(name: string, options: PersonOptions = {}): Promise<Person> {
    const person = new Person(this.use(await this.#make()), options.home ?? this.home(name), options)
    await person.start()
    this.defer(() => person.stop())
    return person
  }
}
