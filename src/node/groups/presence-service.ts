// `/comrade/presence/1`: nodes of a circle tell each other what each of them says about its connections, and so agree on a
// representative. What is said is signed, passed on once, kept in memory only. Bytes: docs/protocol.md.
import type { Libp2p, PeerId, Stream, Connection } from '@libp2p/interface'
import { decodeCbor, encodeCbor, FeedError, type MessageStream } from '../../feeds/index.ts'
import { GroupError, type Hex, MAX_PRESENCE_SIZE } from '../../groups/index.ts'
import { framedStream } from '../frames.ts'
import type { Circle, Self } from './circle.ts'

export const PRESENCE_PROTOCOL = '/comrade/presence/1'
/** Largest frame in bytes, and words in one. */
export const MAX_PRESENCE_FRAME = 65_536
const MAX_WORDS = 64
/** Changes that come together are told together, in ms. */
const LOOK_DELAY_MS = 50
/** How often it is looked whether somebody has fallen silent, or an own word is due. */
const LOOK_INTERVAL_MS = 10_000
const OPEN_TIMEOUT_MS = 10_000

export interface PresenceServiceOptions {
  libp2p: Libp2p
  circles: () => Iterable<Circle>
  self: () => Self
  /** Another one is the representative of a circle now, or somebody's word about where it is has come. */
  onChange: (circle: Circle, isElected: boolean) => void
  /** A peer sent what no node of this program sends. */
  onFault: (peerId: PeerId) => void
  /** @default Date.now */
  now?: () => number
}

/** What one peer is still to be told, and what it was told to begin with. */
interface Listener {
  peerId: PeerId
  /** Newest word of each member, by circle. */
  waiting: Map<Circle, Map<Hex, Uint8Array>>
  /** Circles of which it has been told everything. */
  told: Set<Circle>
  stream: MessageStream | undefined
  isBusy: boolean
}

export class PresenceService {
  readonly #options: PresenceServiceOptions
  readonly #now: () => number
  readonly #listeners = new Map<string, Listener>()
  #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined
  readonly #onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
    this.#listeners.delete(detail.toString())
    this.lookSoon()
  }

  readonly #onMoved = (): void => this.lookSoon()

  constructor(options: PresenceServiceOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  async start(): Promise<void> {
    const { libp2p } = this.#options
    this.#stopping = new AbortController()
    await libp2p.handle(PRESENCE_PROTOCOL, (stream, connection) => this.#accept(stream, connection), {
      maxInboundStreams: 2,
      maxOutboundStreams: 2,
      runOnLimitedConnection: true
    })
    libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
    libp2p.addEventListener('self:peer:update', this.#onMoved)
    this.#timer = setInterval(() => this.look(), LOOK_INTERVAL_MS)
    this.#timer.unref()
    this.look()
  }

  async stop(): Promise<void> {
    const { libp2p } = this.#options
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    this.#timer = this.#soon = undefined
    this.#stopping.abort(new FeedError('ABORTED', 'the node is stopping'))
    libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
    libp2p.removeEventListener('self:peer:update', this.#onMoved)
    for (const { stream } of this.#listeners.values()) stream?.abort(this.#stopping.signal.reason as Error)
    this.#listeners.clear()
    await libp2p.unhandle(PRESENCE_PROTOCOL)
  }

  /** Members, connections or addresses may have changed. */
  lookSoon(): void {
    if (this.#timer === undefined) return
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.look()
    }, LOOK_DELAY_MS)
  }

  /** Says what is new about this node, and tells whoever came what all others say. */
  look(): void {
    for (const circle of this.#options.circles()) {
      this.#pass(circle, circle.hearEarly(this.#now()))
      if (circle.self !== undefined) this.#speak(circle, circle.self)
      this.#count(circle)
    }
  }

  #speak(circle: Circle, self: Hex): void {
    const word = circle.speak(this.#options.self(), this.#now())
    if (word !== undefined) this.#tell(circle, new Map([[self, word]]))
    this.#tellNewcomers(circle)
  }

  /** Who has no voice in a circle does not pass on what is said in it. */
  #pass(circle: Circle, news: ReadonlyMap<Hex, Uint8Array>, from?: PeerId): void {
    if (news.size > 0 && circle.self !== undefined) this.#tell(circle, news, from)
  }

  #count(circle: Circle): void {
    const isElected = circle.count(this.#now())
    const isMoved = circle.hasMoved()
    if (isElected || isMoved) this.#options.onChange(circle, isElected)
  }

  #tellNewcomers(circle: Circle): void {
    for (const peerId of circle.rules.peers()) {
      const listener = this.#listenerAt(peerId)
      if (listener.told.has(circle)) continue
      listener.told.add(circle)
      this.#give(listener, circle, circle.book.bytes())
    }
  }

  #tell(circle: Circle, words: ReadonlyMap<Hex, Uint8Array>, except?: PeerId): void {
    for (const peerId of circle.rules.peers())
      if (except === undefined || !peerId.equals(except)) this.#give(this.#listenerAt(peerId), circle, words)
  }

  #listenerAt(peerId: PeerId): Listener {
    const name = peerId.toString()
    let listener = this.#listeners.get(name)
    if (listener === undefined) {
      listener = { peerId, waiting: new Map(), told: new Set(), stream: undefined, isBusy: false }
      this.#listeners.set(name, listener)
    }
    return listener
  }

  /** A newer word of the same member takes the place of one that still waits. */
  #give(listener: Listener, circle: Circle, words: ReadonlyMap<Hex, Uint8Array>): void {
    const waiting = listener.waiting.get(circle) ?? new Map<Hex, Uint8Array>()
    listener.waiting.set(circle, waiting)
    for (const [member, bytes] of words) waiting.set(member, bytes)
    if (!listener.isBusy) void this.#send(listener)
  }

  async #send(listener: Listener): Promise<void> {
    listener.isBusy = true
    try {
      while (listener.waiting.size > 0) {
        listener.stream ??= await this.#open(listener.peerId)
        const frame = nextFrame(listener.waiting)
        if (frame !== undefined) await listener.stream.send(frame)
      }
    } catch {
      // It does not speak this protocol, or is about to go: told anew when there is something to tell.
      listener.stream = undefined
      listener.waiting.clear()
      listener.told.clear()
    } finally {
      listener.isBusy = false
    }
  }

  async #open(peerId: PeerId): Promise<MessageStream> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)])
    const [connection] = this.#options.libp2p.getConnections(peerId)
    if (connection === undefined) throw new FeedError('ABORTED', 'the peer is gone')
    return framedStream(await connection.newStream(PRESENCE_PROTOCOL, { signal, runOnLimitedConnection: true }))
  }

  /** Whoever brings a word need not be known: it counts for who signed it. */
  async #accept(stream: Stream, { remotePeer }: Connection): Promise<void> {
    const messages = framedStream(stream)
    const onStop = (): void => messages.abort(this.#stopping.signal.reason as Error)
    this.#stopping.signal.addEventListener('abort', onStop, { once: true })
    try {
      for await (const frame of messages.receive()) this.#hear(frame, remotePeer)
    } catch (error) {
      messages.abort(error as Error)
      const isFault = error instanceof GroupError || (error instanceof FeedError && error.code !== 'ABORTED')
      if (isFault && !this.#stopping.signal.aborted) this.#options.onFault(remotePeer)
    } finally {
      this.#stopping.signal.removeEventListener('abort', onStop)
    }
  }

  #hear(frame: Uint8Array, from: PeerId): void {
    const { circle: id, words } = decodeFrame(frame)
    const circle = [...this.#options.circles()].find(({ rules }) => Buffer.compare(rules.id, id) === 0)
    if (circle === undefined) return
    const news = new Map<Hex, Uint8Array>()
    for (const word of words) {
      const member = circle.hear(word, from, this.#now())
      if (member !== undefined) news.set(member, Uint8Array.from(word))
    }
    if (news.size === 0) return
    this.#pass(circle, news, from)
    this.#count(circle)
  }
}

function nextFrame(waiting: Map<Circle, Map<Hex, Uint8Array>>): Uint8Array | undefined {
  for (const [circle, words] of waiting) {
    const some = [...words].slice(0, Math.min(MAX_WORDS, Math.floor(MAX_PRESENCE_FRAME / MAX_PRESENCE_SIZE) - 1))
    for (const [member] of some) words.delete(member)
    if (words.size === 0) waiting.delete(circle)
    if (some.length > 0) return encodeCbor({ circle: circle.rules.id, words: some.map(([, bytes]) => bytes) })
  }
  return undefined
}

/** @throws GroupError OPERATION; FeedError */
function decodeFrame(frame: Uint8Array): { circle: Uint8Array; words: Uint8Array[] } {
  if (frame.length > MAX_PRESENCE_FRAME)
    throw new GroupError('SIZE', `a frame of presences has at most ${MAX_PRESENCE_FRAME} bytes, not ${frame.length}`)
  const value = decodeCbor(frame) as { circle?: unknown; words?: unknown } | null
  const { circle, words } = typeof value === 'object' && value !== null ? value : {}
  const isList = Array.isArray(words) && words.length <= MAX_WORDS && words.every((each) => each instanceof Uint8Array)
  if (circle instanceof Uint8Array && circle.length === 32 && isList) return { circle, words }
  throw new GroupError('OPERATION', 'a frame of presences is a circle and a list of words')
}
