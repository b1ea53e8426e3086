// One session of /comrade/sync/1 with one peer, over any message stream: both say hello, find out what differs, fetch
// what they lack, and then push to each other what is new for as long as the stream lives. docs/protocol.md describes it.
import { FeedError } from '../errors.ts'
import { decodeForkProof } from '../fork.ts'
import { type CheckedRun, lastOf } from '../run.ts'
import { noteErasedAt } from '../store/erasure.ts'
import type { Extension, FeedState, FeedStore, IngestOutcome } from '../store/store.ts'
import { Announcer, FEEDS_PER_FRAME } from './announcer.ts'
import { sessionSalt } from './blind.ts'
import { BlindIndex } from './blind-index.ts'
import { CatchUp } from './catch-up.ts'
import type { FeedClaims } from './feed-claims.ts'
import { FeedReconciliation } from './feed-reconciliation.ts'
import { makeHello, mayResume } from './hello.ts'
import type { MessageStream } from './message-stream.ts'
import * as message from './messages.ts'
import { KIND } from './messages.ts'
import { MAX_RESUMES, type PeerMemory, recallPeer, rememberPeer, SharedFeeds } from './peer-memory.ts'
import { RunIntake } from './run-intake.ts'
import { RunSender } from './run-sender.ts'
import { Turn } from './turn.ts'
import { withStream } from './with-stream.ts'

/** How long the peer may take for its hello, and then for the next bytes of what was asked for, in ms. */
const PROGRESS_TIMEOUT_MS = 30_000
const HELLO_SHARE = 1 / 3
/** Credit is granted again when this much of it was used up, in bytes. */
const CREDIT_STEP = 262_144

export interface SyncOptions {
  /** A stable name of the peer, under which is remembered what it knows. */
  peer: string
  /** Exactly one side of a stream is the initiator. */
  isInitiator: boolean
  /** Shared by all sessions of a store. */
  claims: FeedClaims
  /** Send compressed frames where the peer takes them. @default true */
  isPacked?: boolean
  /** The feed that the peer's own device writes, if that is known: it hears which of its bodies were erased here. */
  peerFeed?: () => Uint8Array | undefined
  /**
   * Everything that differed at the start has been compared, and what was missing here has been fetched. Called again
   * after the peer came to want a further feed of ours, or no longer wants one.
   */
  onSettled?: () => void
  /** {@link SyncSession.progress} may be another one now. Called often. */
  onProgress?: () => void
  /** How long the peer may bring nothing of what it was asked for, in ms; its hello must come within a third of that. @default 30_000 */
  progressTimeoutMs?: number
  signal?: AbortSignal
}

/** Counts for status and benchmarks. */
export interface SyncStats {
  path: 'hello' | 'resume' | 'reconcile'
  runsReceived: number
  entriesReceived: number
  isSettled: boolean
}

/** How far a session has come, for people. */
export interface SyncProgress {
  /** 'comparing': both find out what differs. 'current': all that the peer said it has is here. */
  state: 'comparing' | 'fetching' | 'current'
  /** Feeds that both sides want. */
  feeds: number
  /** Entries that came by this session, and that went. */
  received: number
  sent: number
  /** Entries that are asked for and have not come, as many as the peer says it has. */
  missing: number
  /** When the two were compared, or an entry last went either way. Unix ms; undefined: not yet. */
  lastMs: number | undefined
}

export class SyncSession {
  readonly stats: SyncStats = { path: 'hello', runsReceived: 0, entriesReceived: 0, isSettled: false }
  readonly #store: FeedStore
  readonly #stream: MessageStream
  readonly #options: SyncOptions
  readonly #abort = new AbortController()
  /** What we said first. */
  #ours!: message.Hello
  #sender!: RunSender
  #intake!: RunIntake
  #catchUp!: CatchUp
  #announcer!: Announcer
  #index!: BlindIndex
  #memory!: PeerMemory
  #reconciliation: FeedReconciliation | undefined
  #isLive = false
  /** Up to where in the peer's counter we were told everything, and where it stood when the session began. */
  #theirPosition = 0
  #awaitedPosition = 0
  #usedCredit = 0
  #lastMs: number | undefined
  #progressTimer: NodeJS.Timeout | undefined
  readonly #turn = new Turn()
  readonly #holdsOwn = new Set<number>()
  /** What is shared is not what it was when onSettled was called. */
  #hasSharedChanged = false
  /** Something that the peer has found no room here. */
  #hasLeftOut = false

  constructor(store: FeedStore, stream: MessageStream, options: SyncOptions) {
    this.#store = store
    this.#stream = stream
    this.#options = options
  }

  /** Runs until the stream ends or `signal` aborts. Resolves when the peer closed; rejects with what went wrong. */
  async run(): Promise<void> {
    const { signal: outer } = this.#options
    const signal = outer === undefined ? this.#abort.signal : AbortSignal.any([this.#abort.signal, outer])
    try {
      await withStream(this.#stream, signal, () => this.#talk())
    } finally {
      this.#end()
    }
  }

  /** Fetches a feed up to `height`, of which something was heard elsewhere (gossip), from this peer. */
  pull(feed: FeedState, height: number): void {
    this.#catchUp?.pull(feed, height)
  }

  /** Whether the peer wants this feed too. */
  shares(feed: FeedState): boolean {
    return this.#memory?.shared.has(feed.num) ?? false
  }

  /** Whether the peer said, when it was compared, that it holds at least what we then held of an own feed, and something at all. */
  holdsOwn(feed: FeedState): boolean {
    return this.#holdsOwn.has(feed.num)
  }

  get progress(): SyncProgress {
    const isCurrent = this.stats.isSettled && this.#catchUp.isIdle && !this.#hasLeftOut
    return {
      state: !this.#isLive ? 'comparing' : isCurrent ? 'current' : 'fetching',
      feeds: this.#memory?.shared.size ?? 0,
      received: this.stats.entriesReceived,
      sent: this.#sender?.sent ?? 0,
      missing: this.#catchUp?.missing ?? 0,
      lastMs: this.#lastMs
    }
  }

  async #talk(): Promise<void> {
    const remembered = recallPeer(this.#store, this.#options.peer)
    this.#ours = makeHello(this.#store, remembered)
    await this.#send(message.encodeHello(this.#ours))
    this.#expectProgress(HELLO_SHARE)
    let isFirst = true
    for await (const frame of this.#stream.receive()) {
      if (isFirst) await this.#begin(message.decodeHello(frame), remembered)
      else await this.#take(frame)
      isFirst = false
      this.#options.onProgress?.()
    }
  }

  /** Both hellos are known: goes on from the cursors when both sides can, else compares everything. */
  async #begin(hello: message.Hello, remembered: PeerMemory | undefined): Promise<void> {
    const [first, second] = this.#options.isInitiator ? [this.#ours, hello] : [hello, this.#ours]
    this.#index = new BlindIndex(this.#store, sessionSalt(first.nonce, second.nonce))
    this.#sender = new RunSender(this.#store, {
      send: (frame) => this.#sendRuns(frame),
      isPacked: hello.takesPacked && this.#options.isPacked !== false,
      onIdle: () => this.#announcer.tellPositionSoon(),
      onError: (error) => this.#fail(error)
    })
    this.#intake = new RunIntake({
      store: this.#store,
      index: this.#index,
      origin: this,
      onOutcome: (run, outcome) => this.#takeOutcome(run, outcome),
      onStored: () => {
        this.#checkSettled()
        this.#noteExchange()
      },
      onLeftOut: this.#noteLeftOut,
      onError: (error) => this.#fail(error)
    })
    this.#makeParts()
    this.#awaitedPosition = hello.counter
    this.#store.events.on('extended', this.#onExtended)
    this.#store.events.on('wanted', this.#onWanted)
    this.#store.events.on('limited', this.#onLimited)
    this.#store.events.on('fork', this.#onFork)
    this.#store.events.on('roomy', this.#onRoomy)
    if (remembered !== undefined && mayResume(this.#ours, hello, remembered))
      return this.#resume(hello.resume!.cursor, remembered)
    this.stats.path = 'reconcile'
    this.#theirPosition = hello.counter
    this.#memory = { epoch: hello.epoch, cursor: 0, shared: new SharedFeeds(), resumed: 0, told: remembered?.told ?? 0 }
    this.#reconciliation = new FeedReconciliation(this.#store, this.#index)
    if (this.#options.isInitiator) await this.#send(message.encodeReconcile(this.#reconciliation.open()))
  }

  #makeParts(): void {
    const shared = {
      store: this.#store,
      index: this.#index,
      isShared: (num: number) => this.#memory.shared.has(num)
    }
    this.#announcer = new Announcer({
      ...shared,
      sender: this.#sender,
      send: (frame) => this.#send(frame),
      onError: (error) => this.#fail(error),
      peerFeed: () => this.#options.peerFeed?.(),
      position: this.#ours.counter
    })
    this.#catchUp = new CatchUp({
      ...shared,
      claims: this.#options.claims,
      send: (frame) => this.#sendInBackground(frame),
      heightOf: (num) => this.#announcer.heightOf(num),
      onFork: (feed) => this.#announcer.prove(feed),
      onProgress: () => this.#expectProgress(),
      onLeftOut: this.#noteLeftOut
    })
  }

  async #resume(cursor: number, remembered: PeerMemory): Promise<void> {
    this.stats.path = 'resume'
    this.#theirPosition = remembered.cursor
    this.#memory = { ...remembered, resumed: remembered.resumed + 1 }
    if (cursor < this.#store.counter) {
      const changed = this.#store.changedSince(cursor)
      await this.#dropUnwanted(changed, cursor)
      await this.#announcer.sendHave(
        changed.filter(
          (feed) => feed.priority !== undefined && (this.#memory.shared.has(feed.num) || feed.wantedSince > cursor)
        )
      )
    }
    await this.#goLive()
  }

  /**
   * Feeds that were shared and have not been wanted all the time since the peer heard of us. One that is wanted again is
   * dropped too: only of what was not shared does the peer say again what it has.
   */
  async #dropUnwanted(changed: readonly FeedState[], cursor: number): Promise<void> {
    const dropped = changed.filter(
      (feed) => (feed.priority === undefined || feed.wantedSince > cursor) && this.#memory.shared.delete(feed)
    )
    for (let i = 0; i < dropped.length; i += FEEDS_PER_FRAME) {
      const part = dropped.slice(i, i + FEEDS_PER_FRAME)
      await this.#send(message.encodeDrop(part.map((feed) => this.#index.idOf(feed))))
    }
  }

  async #takeReconcile(frame: Uint8Array): Promise<void> {
    const reconciliation = this.#reconciliation
    if (reconciliation === undefined) throw new FeedError('FRAME_FORMAT', 'a reconcile frame outside of reconciliation')
    for (const reply of reconciliation.receive(frame.subarray(1))) await this.#send(message.encodeReconcile(reply))
    const outcome = reconciliation.outcome()
    if (outcome === undefined) return
    this.#reconciliation = undefined
    for (const feed of outcome.same) {
      this.#share(feed)
      this.#noteHeld(feed, feed.height)
    }
    for (const { feed, theirHeight, theirHead } of outcome.differing) {
      this.#share(feed)
      this.#compare(this.#store.feedByNumber(feed.num)!, theirHeight, theirHead)
    }
    await this.#goLive()
  }

  async #goLive(): Promise<void> {
    this.#isLive = true
    this.#catchUp.goLive()
    this.#tellErased()
    await this.#announcer.goLive()
    this.#checkSettled()
    this.#noteExchange()
  }

  #noteExchange(): void {
    this.#lastMs = Date.now()
    this.#options.onProgress?.()
  }

  async #take(frame: Uint8Array): Promise<void> {
    if (frame[0] === KIND.reconcile) this.#expectProgress()
    const isRuns = frame[0] === KIND.runs || frame[0] === KIND.packed
    if (!isRuns) await this.#intake.flush()
    await this.#handle(frame)
    if (!isRuns) this.#checkSettled()
  }

  async #handle(frame: Uint8Array): Promise<void> {
    switch (frame[0]) {
      case KIND.reconcile:
        return this.#takeReconcile(frame)
      case KIND.have:
        return this.#takeHave(frame)
      case KIND.want:
        return this.#takeWant(frame)
      case KIND.runs:
        return this.#takeRuns(frame)
      case KIND.packed:
        return this.#takeRuns(message.unpackRuns(frame))
      case KIND.done:
        return this.#catchUp.takeDone(message.decodeNumber(frame))
      case KIND.credit:
        return this.#sender.grant(message.decodeNumber(frame))
      case KIND.position:
        this.#theirPosition = Math.max(this.#theirPosition, message.decodeNumber(frame))
        return
      case KIND.fork:
        this.#store.acceptForkProof(decodeForkProof(frame.subarray(1)))
        return
      case KIND.drop:
        return this.#takeDrop(frame)
      case KIND.erased:
        return this.#takeErased(frame)
      default:
        return // a kind that a later version added
    }
  }

  #takeHave(frame: Uint8Array): void {
    const { position, feeds } = message.decodeHave(frame)
    this.#theirPosition = Math.max(this.#theirPosition, position)
    for (const { id, height, head } of feeds) {
      const feed = this.#index.find(id)
      if (feed === undefined) continue
      // Answered also when it was named to the peer before: that may have been before the peer wanted it.
      if (this.#share(feed)) this.#announcer.add(feed)
      this.#compare(feed, height, head)
    }
  }

  /** The peer said what it has of a feed. */
  #compare(feed: FeedState, height: number, head: Uint8Array): void {
    this.#announcer.noteHeight(feed.num, height)
    this.#noteHeld(feed, height)
    this.#catchUp.compare(feed, height, head)
  }

  #noteHeld(feed: FeedState, height: number): void {
    if (feed.isOwn && height > 0 && height >= feed.height) this.#holdsOwn.add(feed.num)
  }

  #takeWant(frame: Uint8Array): void {
    for (const want of message.decodeWant(frame)) {
      const feed = this.#index.find(want.id)
      if (feed !== undefined) this.#announcer.noteWant(feed, want)
      const known = feed ?? { num: -1 } // what we do not hold is answered by a DONE all the same
      if (!this.#sender.serve(known, want))
        throw new FeedError('FRAME_FORMAT', 'the peer asks for more than it may at a time')
    }
  }

  async #takeRuns(frame: Uint8Array): Promise<void> {
    await this.#intake.add(frame)
    this.#giveCredit(frame.length)
    await this.#turn.giveWay()
  }

  #takeOutcome(run: CheckedRun, outcome: IngestOutcome): void {
    const feed = this.#store.feed(run.feed)!
    this.stats.runsReceived++
    if (outcome.kind === 'stored') this.stats.entriesReceived += outcome.to - outcome.from + 1
    this.#announcer.noteReceived(feed.num, lastOf(run))
    this.#catchUp.takeOutcome(feed, run, outcome)
  }

  #takeDrop(frame: Uint8Array): void {
    for (const id of message.decodeDrop(frame)) {
      const feed = this.#index.find(id)
      if (feed === undefined || !this.#memory.shared.delete(feed)) continue
      this.#hasSharedChanged = true
      this.#announcer.drop(feed)
    }
  }

  #takeErased(frame: Uint8Array): void {
    const { id, seqs } = message.decodeErased(frame)
    const feed = this.#index.find(id)
    if (feed?.isOwn) noteErasedAt(this.#store, feed, this.#options.peer, seqs.slice(0, FEEDS_PER_FRAME))
  }

  /** Tells the peer's own device which of its bodies were erased here. */
  #tellErased(): void {
    this.#memory.told = this.#announcer.tellErased(this.#memory.told)
  }

  readonly #onExtended = (extension: Extension): void => {
    const { feed, origin } = extension
    if (!this.#isLive) return this.#announcer.add(feed)
    this.#catchUp.noteGrown(feed)
    if (origin !== this) return this.#announcer.extend(extension)
    const peerFeed = this.#options.peerFeed?.()
    if (peerFeed !== undefined && Buffer.compare(peerFeed, feed.key) === 0) this.#tellErased()
    this.#announcer.tellPositionSoon()
  }

  readonly #onWanted = (feed: FeedState): void => {
    if (feed.priority === undefined) {
      this.#catchUp.forget(feed.num)
      if (this.#memory.shared.delete(feed)) this.#sendInBackground(message.encodeDrop([this.#index.idOf(feed)]))
      return
    }
    this.#index.add(feed)
    this.#announcer.add(feed)
  }

  readonly #onLimited = (feed: FeedState): void => this.#catchUp.adjust(feed)

  readonly #onFork = (feed: FeedState): void => {
    this.#announcer.drop(feed) // a fork further back needs another proof
    if (this.#memory.shared.has(feed.num)) this.#announcer.prove(feed)
  }

  readonly #noteLeftOut = (): void => void (this.#hasLeftOut = true)

  /** What was left out is found when all is compared anew, by another session. */
  readonly #onRoomy = (): void => {
    if (this.#hasLeftOut) this.#fail(new FeedError('ABORTED', 'there is room again for what was left out'))
  }

  /** @returns whether the feed was not shared before */
  #share(feed: FeedState): boolean {
    const isNew = this.#memory.shared.add(feed)
    if (isNew) this.#hasSharedChanged = true
    return isNew
  }

  #giveCredit(bytes: number): void {
    this.#usedCredit += bytes
    if (this.#usedCredit < CREDIT_STEP) return
    this.#sendInBackground(message.encodeNumber(KIND.credit, this.#usedCredit))
    this.#usedCredit = 0
  }

  /** When nothing is missing any more, the peer's position is ours to remember. */
  #checkSettled(): void {
    if (!this.#isLive || !this.#catchUp.isIdle) return
    clearTimeout(this.#progressTimer)
    this.#memory.cursor = Math.max(this.#memory.cursor, this.#theirPosition)
    if (this.#theirPosition < this.#awaitedPosition) return
    if (this.stats.isSettled && !this.#hasSharedChanged) return
    this.stats.isSettled = true
    this.#hasSharedChanged = false
    this.#options.onSettled?.()
  }

  /** Ends the session when the peer lets us wait; while nothing is asked for, it may be silent for ever. */
  #expectProgress(share = 1): void {
    const limitMs = (this.#options.progressTimeoutMs ?? PROGRESS_TIMEOUT_MS) * share
    clearTimeout(this.#progressTimer)
    this.#progressTimer = setTimeout(
      () => this.#fail(new FeedError('TIMEOUT', `the peer brought nothing of what is expected for ${limitMs} ms`)),
      limitMs
    )
    this.#progressTimer.unref()
  }

  async #send(frame: Uint8Array): Promise<void> {
    await this.#stream.send(frame)
  }

  async #sendRuns(frame: Uint8Array): Promise<void> {
    await this.#send(frame)
    if (frame[0] !== KIND.done) this.#noteExchange()
  }

  #sendInBackground(frame: Uint8Array): void {
    this.#send(frame).catch((error: unknown) => this.#fail(error))
  }

  #fail(error: unknown): void {
    this.#abort.abort(error)
  }

  #end(): void {
    clearTimeout(this.#progressTimer)
    this.#store.events.off('extended', this.#onExtended)
    this.#store.events.off('wanted', this.#onWanted)
    this.#store.events.off('limited', this.#onLimited)
    this.#store.events.off('fork', this.#onFork)
    this.#store.events.off('roomy', this.#onRoomy)
    // A feed that came to be wanted after the cursor was ours, or found no room, and has not all come: the cursor says
    // nothing about it.
    const isCutShort = this.stats.isSettled && !this.#catchUp.isIdle
    if (this.#isLive && (isCutShort || this.#hasLeftOut)) this.#memory.resumed = MAX_RESUMES
    this.#sender?.stop()
    this.#announcer?.stop()
    this.#catchUp?.stop()
    if (this.#isLive && this.#store.isOpen) rememberPeer(this.#store, this.#options.peer, this.#memory)
  }
}
