// Comrade as a contender: the feeds layer with its store, indexes and sync, over the node's libp2p network.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Connection, PrivateKey, Stream } from '@libp2p/interface'
import {
  decodeBody,
  encodeBody,
  entryAt,
  entryById,
  type Extension,
  FeedClaims,
  FeedStore,
  FeedWriter,
  generateSeed,
  Indexer,
  type MessageStream,
  signingKey,
  SyncSession
} from '../../src/feeds/index.ts'
import { signRuns } from '../../src/feeds/run.ts'
import { framedStream } from '../../src/node/frames.ts'
import { createNetwork, type Network } from '../../src/node/network.ts'
import type { Peer } from '../contender.ts'
import { seed } from '../posts.ts'

const PROTOCOL = '/comrade/sync/1'
const GENESIS = new Uint8Array(32)

export async function open(directory: string): Promise<Peer> {
  const privateKey = privateKeyFromProtobuf(await kept(join(directory, 'peer-key'), newPeerKey))
  const network = await createNetwork({ privateKey, home: directory, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
  const device = signingKey(await kept(join(directory, 'device-key'), generateSeed))
  const peer = new ComradePeer(network, FeedStore.open(join(directory, 'feeds.sqlite')), device)
  await peer.start()
  return peer
}

class ComradePeer implements Peer {
  readonly own: string
  readonly #network: Network
  readonly #store: FeedStore
  readonly #writer: FeedWriter
  readonly #indexer: Indexer
  readonly #claims = new FeedClaims()
  readonly #streams = new Set<MessageStream>()
  #endedBytes = 0
  #followed: string[] = []
  #fullTextBytes: number | undefined

  constructor(network: Network, store: FeedStore, device: ReturnType<typeof signingKey>) {
    this.#network = network
    this.#store = store
    this.#writer = new FeedWriter(store, device)
    this.#indexer = new Indexer(store)
    this.own = hex(device.publicKey)
  }

  async start(): Promise<void> {
    await this.#network.libp2p.handle(PROTOCOL, (stream, connection) => this.#sync(stream, connection, false))
    await this.#network.start()
  }

  async append(texts: string[]): Promise<void> {
    await this.#writer.append(texts.map(body))
  }

  async write(posts: Map<number, string[]>): Promise<void> {
    const authors = [...posts].map(([author, texts]) => ({ key: signingKey(seed(author)), texts }))
    this.#want([...this.#wanted(), ...authors.map(({ key }) => hex(key.publicKey))])
    for (const { key, texts } of authors) {
      const { height, head } = this.#store.feed(key.publicKey)!
      const place = { first: height + 1, prev: height === 0 ? GENESIS : head }
      this.#store.ingest(signRuns(key, place, texts.map(body), Date.now()))
    }
  }

  async feeds(authors: number): Promise<string[]> {
    return Array.from({ length: authors }, (_, index) => hex(signingKey(seed(index + 1)).publicKey))
  }

  async follow(feeds: string[]): Promise<void> {
    this.#followed = feeds
    this.#want(feeds)
  }

  async listen(): Promise<string> {
    return this.#network.libp2p.getMultiaddrs()[0].toString()
  }

  async connect(address: string): Promise<void> {
    const connection = await this.#network.connect(address)
    this.#sync(await connection.newStream(PROTOCOL), connection, true)
  }

  /** Entries are readable by place and id when they are stored; the empty transaction syncs what came before it. */
  async reach(entries: number): Promise<void> {
    const stored = (): number => this.#followed.reduce((sum, feed) => sum + this.#feed(feed).height, 0)
    let missing = entries - stored()
    if (missing > 0) {
      await new Promise<void>((resolve) => {
        this.#store.events.on('extended', ({ from, to }) => {
          missing -= to - from + 1
          if (missing <= 0) resolve()
        })
      })
    }
    this.#store.write(() => this.#store.setMeta('benchmark', entries), { isDurable: true })
  }

  async read(feed: string, seq: number): Promise<string> {
    const id = entryAt(this.#store, this.#feed(feed), seq)!.id
    return decodeBody(entryById(this.#store, id)!.body!).text as string
  }

  async watch(feed: string, listener: (seq: number) => void): Promise<void> {
    this.#store.events.on('extended', ({ feed: { key }, from, to }: Extension) => {
      for (let seq = from; hex(key) === feed && seq <= to; seq++) {
        if (entryAt(this.#store, this.#feed(feed), seq) !== undefined) listener(seq)
      }
    })
  }

  async settle(): Promise<void> {
    this.#indexer.catchUp()
    const row = this.#store.get(`SELECT sum(pgsize) AS bytes FROM dbstat WHERE name LIKE 'search%'`)
    this.#fullTextBytes = Number(row?.bytes ?? 0)
  }

  fullTextBytes(): number {
    return this.#fullTextBytes ?? 0
  }

  syncBytes(): number {
    let bytes = this.#endedBytes
    for (const stream of this.#streams) bytes += stream.bytesSent + stream.bytesReceived
    return bytes
  }

  async close(): Promise<void> {
    await Promise.all([...this.#streams].map((stream) => stream.close()))
    await this.#network.stop()
    this.#writer.close()
    this.#indexer.stop()
    this.#store.close()
  }

  #sync(stream: Stream, connection: Connection, isInitiator: boolean): void {
    const frames = framedStream(stream)
    this.#streams.add(frames)
    const session = new SyncSession(this.#store, frames, {
      peer: connection.remotePeer.toString(),
      isInitiator,
      claims: this.#claims
    })
    const ended = (): void => {
      this.#endedBytes += frames.bytesSent + frames.bytesReceived
      this.#streams.delete(frames)
    }
    session.run().then(ended, (error: unknown) => {
      ended()
      if (connection.status === 'open') process.stderr.write(`sync ended: ${String(error)}\n`)
    })
  }

  #feed(feed: string) {
    return this.#store.feed(Buffer.from(feed, 'hex'))!
  }

  #wanted(): string[] {
    return this.#store.wantedFeeds().map(({ key }) => hex(key))
  }

  #want(feeds: string[]): void {
    const others = feeds.filter((feed) => feed !== this.own)
    this.#store.setWanted(others.map((feed) => ({ feed: Buffer.from(feed, 'hex'), priority: 1 })))
  }
}

function body(text: string): Uint8Array {
  return encodeBody({ type: 'post', text })
}

function hex(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex')
}

async function newPeerKey(): Promise<Uint8Array> {
  const key: PrivateKey = await generateKeyPair('Ed25519')
  return privateKeyToProtobuf(key)
}

/** The file's content; made on first use. */
async function kept(file: string, make: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array> {
  if (!existsSync(file)) writeFileSync(file, await make())
  return readFileSync(file)
}
