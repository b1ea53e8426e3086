// ssb-db2 8 with ssb-ebt as a contender: secret-handshake and box-stream over a TCP socket, muxrpc inside. A post is a
// classic message. The library acknowledges what is in its memory, and syncs the log to disk up to 250 ms later.
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Peer } from '../contender.ts'
import { seed } from '../posts.ts'

/** Name of the network; any 32 bytes that both sides share. */
const CAPS = { shs: Buffer.alloc(32, 'comrade-bench').toString('base64') }
/** ssb-ebt writes down what a peer has when the connection ends, and says not when it is done. */
const CLOCKS_WRITTEN_MS = 500

type Callback<T> = (error: Error | null, value: T) => void
type Clock = Record<string, number>

interface Keys {
  id: string
}

interface Message {
  key: string
  value: { author: string; sequence: number; content: { text: string } }
}

interface Server {
  id: string
  peers: Record<string, { close(hard: boolean, done: () => void): void }[]>
  db: {
    create: (options: { keys?: Keys; content: object }, done: Callback<Message>) => void
    get: (id: string, done: Callback<Message['value']>) => void
    onDrain(index: string, done: () => void): void
    onMsgAdded(listener: (added: { kvt: Message }) => void, immediately: false): void
  }
  ebt: { request(feed: string, wanted: boolean): void }
  getVectorClock: (done: Callback<Clock>) => void
  getAtSequence: (place: [string, number], done: Callback<Message>) => void
  getAddress(scope: string): string
  connect: (address: string, done: Callback<unknown>) => void
  close(hard: boolean, done: () => void): void
}

interface Stack {
  use(plugin: unknown): Stack
  (config: object): Server
}

const require = createRequire(import.meta.url)
const SecretStack: (config: object) => Stack = require('secret-stack')
const ssbKeys: {
  loadOrCreateSync(file: string): Keys
  generate(curve: string, seed: Buffer): Keys
} = require('ssb-keys')

export async function open(directory: string): Promise<Peer> {
  const server = SecretStack({}).use(require('ssb-db2')).use(require('ssb-db2/compat/ebt')).use(require('ssb-ebt'))({
    caps: CAPS,
    path: directory,
    keys: ssbKeys.loadOrCreateSync(join(directory, 'secret')),
    timers: { inactivity: -1, handshake: 5_000 },
    connections: {
      incoming: { net: [{ scope: 'device', transform: 'shs', host: '127.0.0.1', port: await freePort() }] },
      outgoing: { net: [{ transform: 'shs' }] }
    }
  })
  return new SsbPeer(server)
}

class SsbPeer implements Peer {
  readonly own: string
  readonly #server: Server
  /** The highest place known here of each followed feed. */
  readonly #heights = new Map<string, number>()
  /** Feeds whose entries are waited for, and how many of those are here. */
  #awaited = new Set<string>()
  #stored = 0
  #onStored = (): void => {}

  constructor(server: Server) {
    this.#server = server
    this.own = server.id
    server.db.onMsgAdded(({ kvt }) => this.#raise(kvt.value.author, kvt.value.sequence), false)
  }

  async append(texts: string[]): Promise<void> {
    await Promise.all(texts.map((text) => this.#create(text)))
  }

  async write(posts: Map<number, string[]>): Promise<void> {
    for (const [author, texts] of posts) {
      const keys = keysOf(author)
      await Promise.all(texts.map((text) => this.#create(text, keys)))
    }
  }

  async feeds(authors: number): Promise<string[]> {
    return Array.from({ length: authors }, (_, index) => keysOf(index + 1).id)
  }

  async follow(feeds: string[]): Promise<void> {
    for (const feed of feeds) this.#heights.set(feed, 0)
    const clock = await promisify(this.#server.getVectorClock)()
    for (const feed of feeds) {
      this.#raise(feed, clock[feed] ?? 0)
      this.#server.ebt.request(feed, true)
    }
  }

  async listen(): Promise<string> {
    return this.#server.getAddress('device')
  }

  async connect(address: string): Promise<void> {
    await promisify(this.#server.connect)(address)
  }

  async expect(feeds = [...this.#heights.keys()]): Promise<void> {
    this.#awaited = new Set(feeds)
    this.#stored = feeds.reduce((sum, feed) => sum + this.#heights.get(feed)!, 0)
  }

  async reach(entries: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onStored = () => {
        if (this.#stored >= entries) resolve()
      }
      this.#onStored()
    })
    await this.#drain()
  }

  async read(feed: string, seq: number): Promise<string> {
    const { key } = await promisify(this.#server.getAtSequence)([feed, seq])
    return (await promisify(this.#server.db.get)(key)).content.text
  }

  /** The message is in the application's hand then; a query by id answers half a second later. */
  async watch(feed: string, listener: (seq: number) => void): Promise<void> {
    this.#server.db.onMsgAdded(({ kvt }) => {
      if (kvt.value.author === feed) listener(kvt.value.sequence)
    }, false)
  }

  async close(): Promise<void> {
    await this.#drain()
    for (const connection of Object.values(this.#server.peers).flat()) connection.close(true, () => {})
    await sleep(CLOCKS_WRITTEN_MS)
    await new Promise<void>((resolve) => this.#server.close(true, resolve))
  }

  #raise(feed: string, height: number): void {
    const before = this.#heights.get(feed)
    if (before === undefined || before >= height) return
    this.#heights.set(feed, height)
    if (!this.#awaited.has(feed)) return
    this.#stored += height - before
    this.#onStored()
  }

  #create(text: string, keys?: Keys): Promise<Message> {
    return promisify(this.#server.db.create)({ keys, content: { type: 'post', text } })
  }

  /** The log is on the disk, and both indexes have caught up with it. */
  async #drain(): Promise<void> {
    await Promise.all(
      ['base', 'ebt', 'keys'].map((index) => new Promise<void>((resolve) => this.#server.db.onDrain(index, resolve)))
    )
  }
}

function keysOf(author: number): Keys {
  return ssbKeys.generate('ed25519', seed(author))
}

/** The library takes 0 for "any of those that it likes", and fails when that is taken. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
