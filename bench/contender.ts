// What every measured program must offer: one peer in a process of its own, with its store in a directory. The
// scenarios are written against this interface alone, so that all contenders do the same work.

/** One running peer of a contender. Authors 1, 2, … are the benchmark's; the peer's own feed stands apart from them. */
export interface Peer {
  /** Id of the peer's own feed, in the contender's own notation. */
  readonly own: string

  /** Appends posts to the own feed in one call of the library; resolves when the library acknowledges them. */
  append(texts: string[]): Promise<void>

  /** Writes posts to the feeds of the benchmark's authors (by their numbers), as somebody who holds their keys. */
  write(posts: Map<number, string[]>): Promise<void>

  /** Ids of the feeds of authors 1 to `authors`. */
  feeds(authors: number): Promise<string[]>

  /** Wants these feeds, whole and from now on; serves those that are here. */
  follow(feeds: string[]): Promise<void>

  /** Where others can reach this peer over loopback TCP. */
  listen(): Promise<string>
  /** Resolves when the connection is made and encrypted. Syncing starts by itself. */
  connect(address: string): Promise<void>

  /** Learns who authors 1 to `authors` are, where a feed is found only by way of its author's other keys. */
  know?(authors: number): Promise<void>
  /** Follows another peer's own feed, where peers sync their own feeds beside those they are told to. */
  befriend?(feed: string): Promise<void>
  /** Forgets what other peers were told and have told, so that each one met is unknown. */
  forget?(): Promise<void>

  /** Prepares {@link reach}: it counts the entries of these feeds. @default all that are followed */
  expect(feeds?: string[]): Promise<void>
  /**
   * Resolves when `entries` entries of the expected feeds are stored here: checked, readable by their place in the
   * feed and by id, and as durable as the library makes them.
   */
  reach(entries: number): Promise<void>
  /** The post's text as it is stored, read by place (from 1), and by id where the contender has ids. */
  read(feed: string, seq: number): Promise<string>
  /** Calls `listener` with each later entry's place as soon as it can be read here. */
  watch(feed: string, listener: (seq: number) => void): Promise<void>

  /** Whether to compress what is sent from now on; absent where nothing is compressed. */
  compress?(isOn: boolean): Promise<void>
  /** Finishes what is done behind, as indexing, so that the size on the disk is of a store at rest. */
  settle?(): Promise<void>
  /** Bytes of the store at rest that the full-text index takes, where there is one. */
  fullTextBytes?(): number
  /** Bytes of the contender's own sync protocol, both ways, where it can tell them from the transport's. */
  syncBytes?(): number
  /** Leaves cleanly; all that was acknowledged is on the disk. */
  close(): Promise<void>
}

/** Opens the peer whose store is `directory`, and makes it on first use. */
export type OpenPeer = (directory: string) => Promise<Peer>

/** Names of the contenders, in the table's order, each with its bundled module, which exports `open: OpenPeer`. */
export const contenders = {
  comrade: './comrade.js',
  hypercore: './hypercore.js',
  'ssb-db2': './ssb-db2.js'
} as const

export type Contender = keyof typeof contenders

/** What Node.js is given: Comrade as its launcher starts it, the others as a library in a plain process. */
export const nodeOptions: Record<Contender, string[]> = {
  comrade: ['--max-semi-space-size=2'],
  hypercore: [],
  'ssb-db2': []
}
