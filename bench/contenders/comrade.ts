// Comrade as a contender: the whole node, as `createNode()` gives it. Feeds of other authors are written into its store
// while it is stopped, as an import would do it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stream } from '@libp2p/interface'
import { decodeBody, entryAt, entryById, FeedStore, Indexer } from '../../src/feeds/index.ts'
import { type Comrade, createNode } from '../../src/index.ts'
import { setConfig } from '../../src/node/config.ts'
import { homeAt } from '../../src/node/home.ts'
import { Contacts, formatDid, parseDid } from '../../src/trust/index.ts'
import type { Peer } from '../contender.ts'
import { authorOf, introduce, writePosts } from './comrade-authors.ts'
import { Observer } from './comrade-observer.ts'

const SYNC_PROTOCOL = '/comrade/sync/1'

export async function open(directory: string): Promise<Peer> {
  const peer = new ComradePeer(directory)
  await peer.open()
  return peer
}

/** A feed is named by the keys of the person and of the device, in hexadecimal, with a slash between. */
class ComradePeer implements Peer {
  own = ''
  readonly #home: string
  #node: Comrade | undefined
  #followed: string[] = []
  #observer: Observer | undefined
  #syncBytes = 0
  #fullTextBytes = 0

  constructor(home: string) {
    this.#home = home
  }

  /** A node that is there already is only asked for its name: it starts when it is needed. */
  async open(): Promise<void> {
    const file = join(this.#home, 'benchmark-own')
    if (existsSync(file)) {
      this.own = readFileSync(file, 'utf8')
      return
    }
    const { identity } = await this.#online()
    this.own = [identity.did, identity.device].map((did) => Buffer.from(parseDid(did)).toString('hex')).join('/')
    writeFileSync(file, this.own)
  }

  async append(texts: string[]): Promise<void> {
    const node = this.#node ?? (await this.#online())
    await node.feeds.publishAll(texts.map((text) => ({ type: 'post', text })))
  }

  async write(posts: Map<number, string[]>): Promise<void> {
    const authors = [...posts].map(([number, texts]) => ({ author: authorOf(number), texts }))
    await this.#offline((store, contacts) => {
      introduce(
        store,
        contacts,
        authors.map(({ author }) => author)
      )
      store.write(() => authors.forEach(({ author, texts }) => writePosts(store, author, texts)))
    })
  }

  async feeds(authors: number): Promise<string[]> {
    return Array.from({ length: authors }, (_, index) => {
      const { root, device } = authorOf(index + 1)
      return [root, device].map(({ publicKey }) => Buffer.from(publicKey).toString('hex')).join('/')
    })
  }

  async know(authors: number): Promise<void> {
    const people = Array.from({ length: authors }, (_, index) => authorOf(index + 1))
    await this.#offline((store, contacts) => introduce(store, contacts, people))
  }

  async befriend(feed: string): Promise<void> {
    await this.#offline((_, contacts) => void contacts.follow(rootOf(feed)))
  }

  async forget(): Promise<void> {
    await this.#offline((store) => store.write(() => store.run('DELETE FROM sync_peers')))
  }

  async follow(feeds: string[]): Promise<void> {
    this.#followed = feeds
    await this.#offline((store, contacts) => {
      const unknown = feeds.filter((feed) => feed !== this.own).map(rootOf)
      store.write(() => {
        store.run('DELETE FROM contact_addresses') // a friend's port is another one each time: no redial at the old ones
        for (const key of unknown) if (contacts.get(key).relation !== 'followed') contacts.follow(key)
      })
    })
    await this.#online()
  }

  async listen(): Promise<string> {
    return (await this.#online()).addresses[0]
  }

  async connect(address: string): Promise<void> {
    await this.#node!.connect(address)
  }

  async expect(feeds = this.#followed): Promise<void> {
    this.#observer?.close()
    this.#observer = new Observer(this.#storeFile, feeds.map(deviceOf))
  }

  async reach(entries: number): Promise<void> {
    await this.#observer!.reach(entries)
  }

  async read(feed: string, seq: number): Promise<string> {
    return this.#offline((store) => {
      const { id } = entryAt(store, store.feed(deviceOf(feed))!, seq)!
      return decodeBody(entryById(store, id)!.body!).text as string
    })
  }

  async watch(feed: string, listener: (seq: number) => void): Promise<void> {
    const node = this.#node!
    const device = formatDid(deviceOf(feed))
    node.addEventListener('entry', ({ detail: { feed, id, seq } }) => {
      if (feed !== device) return
      void node.feeds.get(id).then((item) => {
        if (item?.text !== undefined) listener(seq)
      })
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
    this.#observer?.close()
    this.#observer = undefined
    const node = this.#node
    this.#node = undefined
    await node?.stop()
  }

  get #storeFile(): string {
    return join(this.#home, 'feeds.sqlite')
  }

  async #online(): Promise<Comrade> {
    if (this.#node !== undefined) return this.#node
    const node = await createNode({ home: this.#home, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
    node.libp2p.use(SYNC_PROTOCOL, (stream, connection, next) => {
      this.#count(stream)
      next(stream, connection)
    })
    await node.start()
    this.#node = node
    return node
  }

  /** Does something with the store while no node runs on it. */
  async #offline<T>(work: (store: FeedStore, contacts: Contacts) => T | Promise<T>): Promise<T> {
    await this.close()
    const store = FeedStore.open(this.#storeFile)
    const write = store.write.bind(store)
    try {
      return await work(store, new Contacts(store.database, { self: rootOf(this.own), write }))
    } finally {
      store.close()
    }
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

/** Key of the person whose feed it is. */
function rootOf(feed: string): Uint8Array {
  return Buffer.from(feed.slice(0, feed.indexOf('/')), 'hex')
}

/** Key of the device that writes the feed. */
function deviceOf(feed: string): Uint8Array {
  return Buffer.from(feed.slice(feed.indexOf('/') + 1), 'hex')
}
