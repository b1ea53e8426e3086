// Hypercore 11 as a contender: one corestore a peer, one core an author, replicated through a Noise secret stream over
// a TCP socket. A post is a bare block. Hypercore has no ids beside the place in the core, and never syncs to disk.
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Peer } from '../contender.ts'

interface Core {
  key: Buffer
  length: number
  contiguousLength: number
  writable: boolean
  ready(): Promise<void>
  append(blocks: Buffer[]): Promise<unknown>
  get(index: number): Promise<Buffer>
  download(range: { start: number; end: number }): unknown
  on(event: 'download' | 'append', listener: (index: number) => void): void
}

interface Store {
  ready(): Promise<void>
  get(options: { name: string } | { key: Buffer }): Core
  replicate(stream: SecretStream): void
  close(): Promise<void>
}

interface SecretStream extends Duplex {
  opened: Promise<boolean>
}

const require = createRequire(import.meta.url)
const Corestore: new (directory: string) => Store = require('corestore')
const NoiseSecretStream: new (isInitiator: boolean, raw: Socket) => SecretStream = require('@hyperswarm/secret-stream')

export async function open(directory: string): Promise<Peer> {
  const peer = new HypercorePeer(new Corestore(directory))
  await peer.open()
  return peer
}

class HypercorePeer implements Peer {
  own = ''
  readonly #store: Store
  readonly #server: Server = createServer((socket) => this.#replicate(false, socket))
  readonly #streams = new Set<SecretStream>()
  readonly #written = new Map<number | 'own', Core>()
  readonly #followed = new Map<string, Core>()
  #awaited: Core[] = []

  constructor(store: Store) {
    this.#store = store
  }

  async open(): Promise<void> {
    await this.#store.ready()
    this.own = (await this.#core('own')).key.toString('hex')
  }

  async append(texts: string[]): Promise<void> {
    await (await this.#core('own')).append(texts.map((text) => Buffer.from(text)))
  }

  async write(posts: Map<number, string[]>): Promise<void> {
    for (const [author, texts] of posts) await (await this.#core(author)).append(texts.map((text) => Buffer.from(text)))
  }

  async feeds(authors: number): Promise<string[]> {
    const keys: string[] = []
    for (let author = 1; author <= authors; author++) keys.push((await this.#core(author)).key.toString('hex'))
    return keys
  }

  async follow(feeds: string[]): Promise<void> {
    for (const feed of feeds) {
      const core = this.#store.get({ key: Buffer.from(feed, 'hex') })
      await core.ready()
      if (!core.writable) core.download({ start: 0, end: -1 })
      this.#followed.set(feed, core)
    }
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return String((this.#server.address() as AddressInfo).port)
  }

  async connect(address: string): Promise<void> {
    const socket = connect(Number(address), '127.0.0.1')
    await once(socket, 'connect')
    await this.#replicate(true, socket).opened
  }

  async expect(feeds = [...this.#followed.keys()]): Promise<void> {
    this.#awaited = feeds.map((feed) => this.#followed.get(feed)!)
  }

  reach(entries: number): Promise<void> {
    const cores = this.#awaited
    const stored = (): number => cores.reduce((sum, core) => sum + core.contiguousLength, 0)
    let missing = entries - stored()
    if (missing <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const count = (): void => {
        if (--missing > 0) return
        missing = entries - stored()
        if (missing <= 0) resolve()
      }
      for (const core of cores) core.on('download', count)
    })
  }

  async read(feed: string, seq: number): Promise<string> {
    return (await this.#followed.get(feed)!.get(seq - 1)).toString()
  }

  async watch(feed: string, listener: (seq: number) => void): Promise<void> {
    const core = this.#followed.get(feed)!
    core.on('download', (index) => void core.get(index).then(() => listener(index + 1)))
  }

  async close(): Promise<void> {
    this.#server.close()
    for (const stream of this.#streams) stream.destroy()
    await this.#store.close()
  }

  async #core(name: number | 'own'): Promise<Core> {
    let core = this.#written.get(name)
    if (core === undefined) {
      core = this.#store.get({ name: String(name) })
      await core.ready()
      this.#written.set(name, core)
    }
    return core
  }

  #replicate(isInitiator: boolean, socket: Socket): SecretStream {
    socket.setNoDelay(true)
    const stream = new NoiseSecretStream(isInitiator, socket)
    this.#streams.add(stream)
    stream.on('error', () => this.#streams.delete(stream)) // the other process has gone
    stream.on('close', () => this.#streams.delete(stream))
    this.#store.replicate(stream)
    return stream
  }
}
