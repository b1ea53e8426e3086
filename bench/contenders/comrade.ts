// Comrade as a contender: the whole node, as `createNode()` gives it. Feeds of other authors are written into its store
// while it is stopped, as an import would do it. What has arrived is seen from outside, by a second connection to the
// database, so that nothing is decoded only to be counted.
import { closeSync, existsSync, fdatasyncSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stream } from '@libp2p/interface'
import { encodeBody, entryAt, entryById, FeedStore, Indexer, decodeBody, signingKey } from '../../src/feeds/index.ts'
import { signRuns } from '../../src/feeds/run.ts'
import { type Comrade, createNode } from '../../src/index.ts'
import { setConfig } from '../../src/node/config.ts'
import { homeAt } from '../../src/node/home.ts'
import { Contacts, formatDid, parseDid } from '../../src/trust/index.ts'
import type { Peer } from '../contender.ts'
import { seed } from '../posts.ts'

const SYNC_PROTOCOL = '/comrade/sync/1'
const GENESIS = new Uint8Array(32)
/** How often it is looked whether something was committed. */
const LOOK_MS = 1

export async function open(directory: string): Promise<Peer> {
  const peer = new ComradePeer(directory)
  await peer.goOnline()
  return peer
}

/** Feeds are named by the person's did and, where that is another key, the device's did after a slash. */
class ComradePeer implements Peer {
  own = ''
  readonly #home: string
  #node: Comrade | undefined
  #followed: string[] = []
  #syncBytes = 0
  #fullTextBytes = 0

  constructor(home: string) {
    this.#home = home
  }

  async goOnline(): Promise<Comrade> {
    if (this.#node !== undefined) return this.#node
    const node = await createNode({ home: this.#home, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
    node.libp2p.use(SYNC_PROTOCOL, (stream, connection, next) => {
      this.#count(stream)
      next(stream, connection)
    })
    await node.start()
    this.own = `${node.identity.did}/${node.identity.device}`
    this.#node = node
    return node
  }

  async append(texts: string[]): Promise<void> {
    const node = await this.goOnline()
    await node.feeds.publishAll(texts.map((text) => ({ type: 'post', text })))
  }

  async write(posts: Map<number, string[]>): Promise<void> {
    const authors = [...posts].map(([author, texts]) => ({ key: signingKey(seed(author)), texts }))
    await this.#offline((store) => {
      const missing = authors.filter(({ key }) => store.feed(key.publicKey)?.priority === undefined)
      const wanted = [...store.wantedFeeds().map(({ key }) => key), ...missing.map(({ key }) => key.publicKey)]
      this.#follow(store, wanted)
      store.setWanted(wanted.map((feed) => ({ feed, priority: 1 })))
      for (const { key, texts } of authors) {
        const { height, head } = store.feed(key.publicKey)!
        const place = { first: height + 1, prev: height === 0 ? GENESIS : head }
        const bodies = texts.map((text) => encodeBody({ type: 'post', text }))
        store.ingest(signRuns(key, place, bodies, Date.now()))
      }
    })
  }

  async feeds(authors: number): Promise<string[]> {
    return Array.from({ length: authors }, (_, index) => formatDid(signingKey(seed(index + 1)).publicKey))
  }

  async follow(feeds: string[]): Promise<void> {
    this.#followed = feeds
    await this.#offline((store) =>
      this.#follow(
        store,
        feeds.map((feed) => parseDid(feed.split('/')[0]))
      )
    )
    await this.goOnline()
  }

  async listen(): Promise<string> {
    return (await this.goOnline()).addresses[0]
  }

  async connect(address: string): Promise<void> {
    await this.#node!.connect(address)
  }

  /** What was committed is readable by place and id; what is in the log of the database survives when that is synced. */
  async reach(entries: number): Promise<void> {
    using observer = new Observer(this.#storeFile, this.#followed.map(keyOf))
    await observer.reach(entries)
    for (const file of [`${this.#storeFile}-wal`, this.#storeFile]) if (existsSync(file)) syncFile(file)
  }

  async read(feed: string, seq: number): Promise<string> {
    return this.#offline((store) => {
      const { id } = entryAt(store, store.feed(keyOf(feed))!, seq)!
      return decodeBody(entryById(store, id)!.body!).text as string
    })
  }

  async watch(feed: string, listener: (seq: number) => void): Promise<void> {
    const device = formatDid(keyOf(feed))
    this.#node!.addEventListener('entry', ({ detail }) => {
      if (detail.feed === device) listener(detail.seq)
    })
  }

  async compress(isOn: boolean): Promise<void> {
    await this.close()
    setConfig(homeAt(this.#home).config, 'compress', isOn)
  }

  async settle(): Promise<void> {
    await this.#offline(async (store) => {
      const indexer = new Indexer(store)
      await indexer.catchUp()
      indexer.stop()
      const row = store.get(`SELECT sum(pgsize) AS bytes FROM dbstat WHERE name LIKE 'search%'`)
      this.#fullTextBytes = Number(row?.bytes ?? 0)
    })
  }

  fullTextBytes(): number {
    return this.#fullTextBytes
  }

  syncBytes(): number {
    return this.#syncBytes
  }

  async close(): Promise<void> {
    const node = this.#node
    this.#node = undefined
    await node?.stop()
  }

  get #storeFile(): string {
    return join(this.#home, 'feeds.sqlite')
  }

  /** Does something with the store while no node runs on it. */
  async #offline<T>(work: (store: FeedStore) => T | Promise<T>): Promise<T> {
    await this.close()
    const store = FeedStore.open(this.#storeFile)
    try {
      return await work(store)
    } finally {
      store.close()
    }
  }

  #follow(store: FeedStore, people: Uint8Array[]): void {
    const self = parseDid(this.own.split('/')[0])
    const contacts = new Contacts(store.database, { self, write: (write, options) => store.write(write, options) })
    const others = people.filter((key) => !store.feed(key)?.isOwn && Buffer.compare(key, self) !== 0)
    store.write(() => {
      for (const key of others) if (contacts.get(key).relation !== 'followed') contacts.follow(key)
    })
  }

  #count(stream: Stream): void {
    const raw = stream as Stream & { onData(data: { byteLength: number }): void }
    const { send, onData } = raw
    this.#syncBytes += stream.readBufferLength
    raw.send = (data) => {
      this.#syncBytes += data.byteLength
      return send.call(raw, data)
    }
    raw.onData = (data) => {
      this.#syncBytes += data.byteLength
      onData.call(raw, data)
    }
  }
}

/** Looks at a store from outside while a node writes it. */
class Observer implements Disposable {
  readonly #database: DatabaseSync
  readonly #version: StatementSync
  readonly #stored: StatementSync

  constructor(file: string, feeds: Uint8Array[]) {
    this.#database = new DatabaseSync(file, { readOnly: true, timeout: 1_000 })
    this.#database.exec('PRAGMA temp_store = MEMORY; CREATE TEMP TABLE observed (key BLOB PRIMARY KEY)')
    const insert = this.#database.prepare('INSERT INTO observed VALUES (?)')
    this.#database.exec('BEGIN')
    for (const feed of feeds) insert.run(feed)
    this.#database.exec('COMMIT')
    this.#version = this.#database.prepare('PRAGMA data_version')
    this.#stored = this.#database.prepare(
      'SELECT sum(height - low + 1) AS entries FROM observed JOIN feeds USING (key) WHERE height > 0'
    )
  }

  async reach(entries: number): Promise<void> {
    for (let seen: unknown; ; await sleep(LOOK_MS)) {
      const version = this.#version.get()!.data_version
      if (version === seen) continue
      if (Number(this.#stored.get()!.entries) >= entries) return
      seen = version
    }
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}

function syncFile(path: string): void {
  const file = openSync(path, 'r')
  fdatasyncSync(file)
  closeSync(file)
}

/** The key that writes a feed. */
function keyOf(feed: string): Uint8Array {
  return parseDid(feed.split('/').at(-1)!)
}
