// The stores that scenarios share: made once for each contender, kept in one temporary directory, removed at the end.
import { mkdtempSync, rmSync } from 'node:fs'
import { lstat, mkdir, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Contender } from './contender.ts'
import { PeerProcess } from './process.ts'

/** Entries that go into a store in one call when it is prepared. */
const PREPARE_BATCH = 100

/** How much of everything is measured. */
export interface Sizes {
  /** Entries of the one author who is caught up with. */
  entries: number
  /** Authors of the many short feeds, and the entries of each. */
  authors: number
  entriesEach: number
  /** Authors of 10,000 feeds: in Comrade each has two, the identity log and the device's. */
  manyAuthors: number
  /** Entries appended one by one, and in batches. */
  appends: number
  /** Entries followed live, and the time between two of them. */
  live: number
  liveGapMs: number
}

/** A store with feeds in it, and which those are. */
export interface Stock {
  directory: string
  feeds: string[]
  /** Entries in `feeds`, together. */
  entries: number
}

/** Two stores that hold the same feeds, and know each other. */
export interface Pair extends Stock {
  receiver: string
  /** Posts of each author so far: the next one's number is one more. */
  entriesEach: number
}

export class Workshop {
  readonly root = mkdtempSync(join(tmpdir(), 'comrade-bench-'))
  readonly sizes: Sizes
  readonly #stocks = new Map<string, Promise<Stock | Pair>>()
  #directories = 0

  constructor(sizes: Sizes) {
    this.sizes = sizes
    process.on('exit', () => rmSync(this.root, { recursive: true, force: true, maxRetries: 5 }))
  }

  /** An empty directory for a new peer. */
  async directory(contender: Contender): Promise<string> {
    const path = join(this.root, `${contender}-${++this.#directories}`)
    await mkdir(path)
    return path
  }

  async remove(directory: string): Promise<void> {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }

  /** A store whose own feed has `entries` posts. */
  own(contender: Contender, entries: number): Promise<Stock> {
    return this.#once(`${contender} own ${entries}`, async () => {
      const directory = await this.directory(contender)
      await using peer = await PeerProcess.start(contender, directory)
      await peer.call('append', 1, entries, PREPARE_BATCH)
      const feeds = [await peer.call('own')]
      await peer.call('settle')
      await peer.close()
      return { directory, feeds, entries }
    })
  }

  /** A store that holds `authors` feeds of others with `each` posts. */
  relay(contender: Contender, authors: number, each: number, use = ''): Promise<Stock> {
    return this.#once(`${contender} relay ${authors} ${each} ${use}`, async () => {
      const directory = await this.directory(contender)
      await using peer = await PeerProcess.start(contender, directory)
      await peer.call('write', 1, authors, 1, each)
      const feeds = await peer.call('feeds', authors)
      await peer.close()
      return { directory, feeds, entries: authors * each }
    })
  }

  /** A relay, and a second store that has synced with it. `use` tells pairs of the same size apart. */
  pair(contender: Contender, authors: number, each: number, use: string): Promise<Pair> {
    return this.#once(`${contender} pair ${authors} ${each} ${use}`, async () => {
      const stock = await this.relay(contender, authors, each, use)
      const receiver = await this.directory(contender)
      await befriend(contender, stock.directory, receiver, authors)
      await syncOnce(contender, stock, receiver)
      await syncOnce(contender, stock, receiver) // some tell each other only then what they have got
      return { ...stock, receiver, entriesEach: each }
    })
  }

  #once<T extends Stock>(name: string, make: () => Promise<T>): Promise<T> {
    let made = this.#stocks.get(name) as Promise<T> | undefined
    if (made === undefined) this.#stocks.set(name, (made = make()))
    return made
  }
}

/** Has two stores follow each other, and the receiver the authors, so that they come to want the same feeds. */
async function befriend(contender: Contender, directory: string, receiver: string, authors: number): Promise<void> {
  await using one = await PeerProcess.start(contender, directory)
  await using other = await PeerProcess.start(contender, receiver)
  await other.call('know', authors)
  await one.call('befriend', await other.call('own'))
  await other.call('befriend', await one.call('own'))
  await one.close()
  await other.close()
}

/** A process that serves the feeds of a store, and its address. */
export async function serve(contender: Contender, stock: Stock): Promise<{ server: PeerProcess; address: string }> {
  const server = await PeerProcess.start(contender, stock.directory)
  try {
    await server.call('follow', stock.feeds)
    return { server, address: await server.call('listen') }
  } catch (error) {
    await server.kill()
    throw error
  }
}

/** Brings the store in `receiver` up to all that `stock` holds; both are closed cleanly again. */
export async function syncOnce(contender: Contender, stock: Stock, receiver: string): Promise<void> {
  const { server, address } = await serve(contender, stock)
  await using sender = server
  await using peer = await PeerProcess.start(contender, receiver)
  await peer.call('follow', stock.feeds)
  await peer.call('sync', { address, entries: stock.entries, untilQuiet: true })
  await peer.close()
  await sender.close()
}

/** Bytes that a directory's files occupy on the disk. */
export async function diskBytes(directory: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await lstat(join(entry.parentPath, entry.name))).blocks * 512
  }
  return bytes
}
