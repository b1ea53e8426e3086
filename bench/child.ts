// One peer's process: opens the contender's store, and does over IPC what the scenario asks for. Texts are made here,
// and before the clock starts, so that neither their making nor IPC is measured.
import { contenders, type Contender, type OpenPeer, type Peer } from './contender.ts'
import { Meter, type Reading } from './meter.ts'
import { posts } from './posts.ts'
import { profiled } from './profile.ts'

export interface Timed extends Reading {
  ms: number
  /** Part of it: until the connection was made and encrypted. */
  connectMs: number
  /** Bytes of the sync protocol alone, where the contender can tell. */
  syncBytes?: number
}

/** A run of one sync, in the process that connects. */
export interface SyncRequest {
  address: string
  /** Entries of the awaited feeds that will be here at the end. */
  entries: number
  /** Feeds that are waited for. @default all that are followed */
  awaited?: string[]
  /** Wait for the last byte before counting. @default false */
  untilQuiet?: boolean
}

/** When each entry was handed over, and when that was acknowledged; ms of the machine's monotonic clock. */
export interface Appends {
  handed: number[]
  acknowledged: number[]
}

/** What the parent may ask for; arguments and results cross the process boundary. */
export interface Commands {
  own(): string
  feeds(authors: number): Promise<string[]>
  follow(feeds: string[]): Promise<void>
  know(authors: number): Promise<void> | undefined
  befriend(feed: string): Promise<void> | undefined
  forget(): Promise<void> | undefined
  listen(): Promise<string>
  connect(address: string): Promise<void>
  quiet(): Promise<void>
  read(feed: string, seq: number): Promise<string>
  /** Appends posts `first` and after to the own feed, `batch` a call; the time taken in ms. */
  append(first: number, count: number, batch: number): Promise<number>
  /** Appends posts one by one, `gapMs` apart. */
  appendSpaced(first: number, count: number, gapMs: number): Promise<Appends>
  /** Posts `first` and after to each of the authors `from` to `to`. */
  write(from: number, to: number, first: number, count: number): Promise<void>
  /** Connects, waits until all is here, and says what it took. */
  sync(request: SyncRequest): Promise<Timed>
  /** Notes from now on when entries `first` and after of a feed can be read; see {@link Commands.watched}. */
  watch(feed: string, first: number, count: number): Promise<void>
  /** When each watched entry could be read, once all could; ms of the machine's monotonic clock. */
  watched(): Promise<number[]>
  compress(isOn: boolean): Promise<void> | undefined
  /** Finishes work behind. @returns bytes of the store that the full-text index takes */
  settle(): Promise<number | undefined>
  close(): Promise<void>
}

export type CommandName = keyof Commands

const [contender, directory] = process.argv.slice(2) as [Contender, string]
const meter = new Meter()
const { open } = (await import(contenders[contender])) as { open: OpenPeer }
const peer: Peer = await open(directory)
let watched: Promise<number[]> = Promise.resolve([])

const commands: Commands = {
  own: () => peer.own,
  feeds: (authors) => peer.feeds(authors),
  follow: (feeds) => peer.follow(feeds),
  know: (authors) => peer.know?.(authors),
  befriend: (feed) => peer.befriend?.(feed),
  forget: () => peer.forget?.(),
  listen: () => peer.listen(),
  connect: (address) => peer.connect(address),
  quiet: () => meter.quiet(),
  read: (feed, seq) => peer.read(feed, seq),
  async append(first, count, batch) {
    const texts = posts(0, first, count)
    return profiled(`${contender}-append-${batch}`, async () => {
      const start = performance.now()
      for (let index = 0; index < count; index += batch) await peer.append(texts.slice(index, index + batch))
      return performance.now() - start
    })
  },
  async appendSpaced(first, count, gapMs) {
    const handed: number[] = []
    const acknowledged: number[] = []
    for (const text of posts(0, first, count)) {
      handed.push(now())
      await peer.append([text])
      acknowledged.push(now())
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, handed[handed.length - 1] + gapMs - now())))
    }
    return { handed, acknowledged }
  },
  async write(from, to, first, count) {
    const texts = new Map<number, string[]>()
    for (let author = from; author <= to; author++) texts.set(author, posts(author, first, count))
    await peer.write(texts)
  },
  async sync({ address, entries, awaited, untilQuiet = false }) {
    await peer.expect(awaited)
    meter.reset()
    const syncBytes = peer.syncBytes?.() ?? 0
    const { ms, connectMs, reading } = await profiled(`${contender}-sync`, async () => {
      const start = performance.now()
      await peer.connect(address)
      const connectMs = performance.now() - start
      await peer.reach(entries)
      return { ms: performance.now() - start, connectMs, reading: meter.read() }
    })
    if (untilQuiet) {
      await meter.quiet()
      reading.wireBytes = meter.read().wireBytes
    }
    return { ...reading, ms, connectMs, syncBytes: peer.syncBytes && peer.syncBytes() - syncBytes }
  },
  async watch(feed, first, count) {
    const times = Array<number>(count).fill(0)
    let missing = count
    const { promise, resolve } = Promise.withResolvers<number[]>()
    watched = promise
    await peer.watch(feed, (seq) => {
      if (times[seq - first] !== 0) return
      times[seq - first] = now()
      if (--missing === 0) resolve(times)
    })
  },
  watched: () => watched,
  compress: (isOn) => peer.compress?.(isOn),
  async settle() {
    await peer.settle?.()
    return peer.fullTextBytes?.()
  },
  close: () => peer.close()
}

/** The same clock in every process of the machine. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

process.on('disconnect', () => process.exit(1))
process.on('message', ({ id, name, args }: { id: number; name: CommandName; args: unknown[] }) => {
  const command = commands[name] as (...args: unknown[]) => unknown
  void Promise.resolve()
    .then(() => command(...args))
    .then(
      (result) => process.send!({ id, result }),
      (error: unknown) =>
        process.send!({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    )
})
process.send!({ ready: true })
