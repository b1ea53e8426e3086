// One session of /comrade/sync/1 with one peer, over any message stream: both say hello, find out what differs, fetch
// what they lack, and then push to each other what is new for as long as the stream lives. docs/protocol.md describes it.
import { randomBytes } from 'node:crypto'
import { FeedError } from '../errors.ts'
import { decodeForkProof } from '../fork.ts'
import { lastOf } from '../run.ts'
import { erasuresOf, noteErasedAt } from '../store/erasure.ts'
import type { Extension, FeedState, FeedStore, IngestOutcome } from '../store/store.ts'
import { NONCE_SIZE, sessionSalt } from './blind.ts'
import { BlindIndex } from './blind-index.ts'
import { diffFeed } from './diff.ts'
import type { FeedClaims } from './feed-claims.ts'
import type { MessageStream } from './message-stream.ts'
import * as message from './messages.ts'
import { KIND } from './messages.ts'
import { MAX_RESUMES, type PeerMemory, recallPeer, rememberPeer, resumeTag, SharedFeeds } from './peer-memory.ts'
import { HEAD_SIZE } from './reconcileset.ts'
import { Reconciliation } from './reconcile.ts'
import { type FetchPlan, RunFetcher } from './run-fetcher.ts'
import { RunIntake } from './run-intake.ts'
import { RunSender } from './run-sender.ts'
import { Turn } from './turn.ts'

/** How long the peer may take for its hello, and then for the next bytes of what was asked for, in ms. */
const PROGRESS_TIMEOUT_MS = 30_000
const HELLO_SHARE = 1 / 3
/** How long nothing must have been sent before the peer is told our position, in ms. */
const POSITION_DELAY_MS = 300
/** Credit is granted again when this much of it was used up, in bytes. */
const CREDIT_STEP = 262_144
/** Feeds named in one frame. */
const FEEDS_PER_FRAME = 2_048

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

export class SyncSession {
  readonly stats: SyncStats = { path: 'hello', runsReceived: 0, entriesReceived: 0, isSettled: false }
  readonly #store: FeedStore
  readonly #stream: MessageStream
  readonly #options: SyncOptions
  readonly #fetcher: RunFetcher
  readonly #nonce = new Uint8Array(randomBytes(NONCE_SIZE))
  readonly #abort = new AbortController()
  #sender!: RunSender
  #index!: BlindIndex
  #memory!: PeerMemory
  #reconciliation: Reconciliation | undefined
  #reconciled: FeedState[] = []
  #isLive = false
  /** Heights that the peer is known to have, where that is not what we had when it was last compared. */
  readonly #theirs = new Map<number, number>()
  /** Feeds of which the peer has more than we have fetched. */
  readonly #ahead = new Map<number, number>()
  /** Feeds of which the peer has nothing older than we hold, and those of which we lacked, up to that seq, what it asked for. */
  readonly #hasNoOlder = new Set<number>()
  readonly #owed = new Map<number, number>()
  /** Feeds whose fork the peer was shown: once is enough, and a proof is larger than what asks for it. */
  readonly #proven = new Set<number>()
  /** Feeds that changed while the peer could not be told yet. */
  readonly #news = new Set<number>()
  /** Where heads differ: the fork lies at or above `low` and below `high`. */
  readonly #probes = new Map<number, { low: number; high: number; isMoved: boolean }>()
  /** Up to where in the peer's counter we were told everything, and where it stood when the session began. */
  #theirPosition = 0
  #awaitedPosition = 0
  #toldPosition = 0
  #usedCredit = 0
  #positionTimer: NodeJS.Timeout | undefined
  #progressTimer: NodeJS.Timeout | undefined
  #isSendingNews = false
  readonly #turn = new Turn()
  #intake!: RunIntake
  readonly #holdsOwn = new Set<number>()
  /** What is shared is not what it was when onSettled was called. */
  #hasSharedChanged = false

  constructor(store: FeedStore, stream: MessageStream, options: SyncOptions) {
    this.#store = store
    this.#stream = stream
    this.#options = options
    this.#fetcher = new RunFetcher(options.claims, (plans) => this.#sendWants(plans))
  }

  /** Runs until the stream ends or `signal` aborts. Resolves when the peer closed; rejects with what went wrong. */
  async run(): Promise<void> {
    const signal =
      this.#options.signal === undefined
        ? this.#abort.signal
        : AbortSignal.any([this.#abort.signal, this.#options.signal])
    const onAbort = (): void =>
      this.#stream.abort(signal.reason instanceof Error ? signal.reason : new FeedError('ABORTED', 'sync was ended'))
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      signal.throwIfAborted()
      await this.#talk()
      this.#stream.close().catch(() => {}) // the peer closed; nothing is left to be said
    } catch (error) {
      this.#stream.abort(error instanceof Error ? error : new FeedError('ABORTED', 'sync failed'))
      throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#end()
    }
  }

  /** Fetches a feed up to `height`, of which something was heard elsewhere (gossip), from this peer. */
  pull(feed: FeedState, height: number): void {
    if (!this.#isLive || height <= feed.height) return
    this.#ahead.set(feed.num, Math.max(height, this.#ahead.get(feed.num) ?? 0))
    this.#fetch(feed)
  }

  /** Whether the peer wants this feed too. */
  shares(feed: FeedState): boolean {
    return this.#memory?.shared.has(feed.num) ?? false
  }

  /** Whether the peer said, when it was compared, that it holds at least what we then held of an own feed, and something at all. */
  holdsOwn(feed: FeedState): boolean {
    return this.#holdsOwn.has(feed.num)
  }

  async #talk(): Promise<void> {
    const remembered = recallPeer(this.#store, this.#options.peer)
    await this.#send(message.encodeHello(this.#hello(remembered)))
    this.#expectProgress(HELLO_SHARE)
    let isFirst = true
    for await (const frame of this.#stream.receive()) {
      if (isFirst) await this.#begin(message.decodeHello(frame), remembered)
      else await this.#take(frame)
      isFirst = false
    }
  }

  #hello(remembered: PeerMemory | undefined): message.Hello {
    const hello: message.Hello = {
      takesPacked: true,
      nonce: this.#nonce,
      epoch: this.#store.epoch,
      counter: this.#store.counter
    }
    if (remembered !== undefined && remembered.resumed < MAX_RESUMES) {
      hello.resume = { cursor: remembered.cursor, tag: this.#tag(remembered) }
    }
    this.#toldPosition = hello.counter
    return hello
  }

  #tag(memory: PeerMemory): Uint8Array {
    return resumeTag([this.#store.epoch, memory.epoch], memory.shared)
  }

  /** Both hellos are known: goes on from the cursors when both sides can, else compares everything. */
  async #begin(hello: message.Hello, remembered: PeerMemory | undefined): Promise<void> {
    const nonces: [Uint8Array, Uint8Array] = this.#options.isInitiator
      ? [this.#nonce, hello.nonce]
      : [hello.nonce, this.#nonce]
    this.#index = new BlindIndex(this.#store, sessionSalt(...nonces))
    this.#sender = new RunSender(this.#store, {
      send: (frame) => this.#send(frame),
      isPacked: hello.takesPacked && this.#options.isPacked !== false,
      onIdle: () => this.#tellPositionSoon(),
      onError: (error) => this.#fail(error)
    })
    this.#intake = new RunIntake({
      store: this.#store,
      index: this.#index,
      origin: this,
      onOutcome: (run, outcome) => this.#takeOutcome(run, outcome),
      onStored: () => this.#checkSettled(),
      onError: (error) => this.#fail(error)
    })
    this.#awaitedPosition = hello.counter
    this.#store.events.on('extended', this.#onExtended)
    this.#store.events.on('wanted', this.#onWanted)
    this.#store.events.on('fork', this.#onFork)
    this.#options.claims.join(this.#fetcher, (num) => this.#reconsider(num))
    if (this.#canResume(hello, remembered)) return this.#resume(hello.resume!.cursor, remembered!)
    this.stats.path = 'reconcile'
    this.#theirPosition = hello.counter
    this.#memory = { epoch: hello.epoch, cursor: 0, shared: new SharedFeeds(), resumed: 0, told: remembered?.told ?? 0 }
    this.#startReconciliation()
    if (this.#options.isInitiator) await this.#send(message.encodeReconcile(this.#reconciliation!.open()))
  }

  /** The same question with the same answer on both sides: it looks only at what both hellos say. */
  #canResume(hello: message.Hello, remembered: PeerMemory | undefined): boolean {
    if (hello.resume === undefined || remembered === undefined || remembered.resumed >= MAX_RESUMES) return false
    if (hello.resume.cursor > this.#toldPosition || remembered.cursor > hello.counter) return false
    return (
      Buffer.compare(remembered.epoch, hello.epoch) === 0 &&
      Buffer.compare(hello.resume.tag, this.#tag(remembered)) === 0
    )
  }

  async #resume(cursor: number, remembered: PeerMemory): Promise<void> {
    this.stats.path = 'resume'
    this.#theirPosition = remembered.cursor
    this.#memory = { ...remembered, resumed: remembered.resumed + 1 }
    if (cursor < this.#store.counter) {
      const changed = this.#store
        .changedSince(cursor)
        .filter(
          (feed) => feed.priority !== undefined && (this.#memory.shared.has(feed.num) || feed.wantedSince > cursor)
        )
      await this.#sendHave(changed)
    }
    await this.#goLive()
  }

  #startReconciliation(): void {
    this.#reconciled = this.#store.wantedFeeds()
    const items = this.#reconciled.map((feed) => ({
      id: this.#index.idOf(feed),
      height: feed.height,
      head: headOf(feed)
    }))
    this.#reconciliation = new Reconciliation(items)
  }

  async #takeReconcile(frame: Uint8Array): Promise<void> {
    const reconciliation = this.#reconciliation
    if (reconciliation === undefined) throw new FeedError('FRAME_FORMAT', 'a reconcile frame outside of reconciliation')
    for (const reply of reconciliation.receive(frame.subarray(1))) await this.#send(message.encodeReconcile(reply))
    if (!reconciliation.isDone) return
    this.#reconciliation = undefined
    const { same, differing } = reconciliation.outcome()
    for (const index of same) {
      this.#share(this.#reconciled[index])
      this.#noteHeld(this.#reconciled[index], this.#reconciled[index].height)
    }
    for (const { index, theirHeight, theirHead } of differing) {
      this.#share(this.#reconciled[index])
      this.#compare(this.#store.feedByNumber(this.#reconciled[index].num)!, theirHeight, theirHead)
    }
    this.#reconciled = []
    await this.#goLive()
  }

  async #goLive(): Promise<void> {
    this.#isLive = true
    for (const feed of this.#store.feedsWithGap()) if (this.#memory.shared.has(feed.num)) this.#fetchOlder(feed)
    this.#tellErased()
    await this.#flushNews()
    this.#checkSettled()
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
        return this.#takeDone(message.decodeNumber(frame))
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
      if (this.#share(feed)) this.#news.add(feed.num)
      this.#compare(feed, height, head)
    }
    this.#flushNewsSoon()
  }

  /** Acts on what the peer says it has of a feed. */
  #compare(feed: FeedState, height: number, head: Uint8Array): void {
    const step = diffFeed(feed, { height, head })
    this.#theirs.set(feed.num, height)
    this.#noteHeld(feed, height)
    if (step.kind === 'prove') this.#prove(feed)
    else if (step.kind === 'nothing' || step.kind === 'behind') {
      this.#hasNoOlder.delete(feed.num) // it says so again because it has got more of it
      if (this.#isLive && height >= feed.low) this.#fetchOlder(feed)
    } else if (step.kind === 'probe') {
      this.#probes.set(feed.num, { low: feed.low, high: feed.height + 1, isMoved: true })
      this.#probe(feed)
    } else if (step.kind === 'want') {
      this.#ahead.set(feed.num, step.to)
      if (feed.isOwn) this.#store.events.emit('ownAhead', { feed, height })
      this.#fetch(feed)
    }
  }

  #noteHeld(feed: FeedState, height: number): void {
    if (feed.isOwn && height > 0 && height >= feed.height) this.#holdsOwn.add(feed.num)
  }

  /** Asks for what is missing at the top of a feed, if the peer has it. */
  #fetch(feed: FeedState): void {
    const height = this.#ahead.get(feed.num)
    if (height === undefined || feed.priority === undefined) return
    const step = diffFeed(feed, { height, head: ZERO_HEAD })
    if (step.kind !== 'want') this.#ahead.delete(feed.num)
    else
      this.#fetcher.want({ ...held(feed), from: step.from, to: step.to, isDown: step.isDown, priority: feed.priority })
  }

  /** Asks for the older entries of a feed that was fetched from its newest down and was interrupted. */
  #fetchOlder(feed: FeedState): void {
    if (feed.priority !== undefined && feed.low > 1 && !this.#hasNoOlder.has(feed.num))
      this.#fetcher.want({ ...held(feed), from: 1, to: feed.low - 1, isDown: true, priority: feed.priority })
  }

  /** Another session let a feed go, or ended. */
  #reconsider(num: number): void {
    if (!this.#isLive || !this.#store.isOpen) return
    const feed = this.#store.feedByNumber(num)
    if (feed?.priority === undefined || !this.#memory.shared.has(num)) return
    if (this.#ahead.has(num)) this.#fetch(feed)
    else if (feed.low > 1 && (this.#theirs.get(num) ?? feed.height) >= feed.low) this.#fetchOlder(feed)
  }

  #sendWants(plans: FetchPlan[]): void {
    const wants = plans.flatMap((plan) => {
      const feed = this.#store.feedByNumber(plan.num)
      return feed === undefined
        ? []
        : { id: this.#index.nameOf(feed), from: plan.from, to: plan.to, isDown: plan.isDown }
    })
    this.#expectProgress()
    this.#sendInBackground(message.encodeWant(wants))
  }

  #takeWant(frame: Uint8Array): void {
    for (const want of message.decodeWant(frame)) {
      const feed = this.#index.find(want.id)
      if (feed !== undefined) this.#noteWant(feed, want)
      const known = feed ?? { num: -1 } // what we do not hold is answered by a DONE all the same
      if (!this.#sender.serve(known, want))
        throw new FeedError('FRAME_FORMAT', 'the peer asks for more than it may at a time')
    }
  }

  /** Of what is asked for, the peer will have what is here; of what is missing here it is told when it comes. */
  #noteWant(feed: FeedState, want: message.Want): void {
    this.#theirs.set(feed.num, Math.max(Math.min(want.to, feed.height), this.#theirs.get(feed.num) ?? 0))
    if (want.from < feed.low) this.#owed.set(feed.num, want.isDown ? feed.low - 1 : want.from)
  }

  async #takeRuns(frame: Uint8Array): Promise<void> {
    await this.#intake.add(frame)
    this.#giveCredit(frame.length)
    await this.#turn.giveWay()
  }

  #takeOutcome(run: { feed: Uint8Array; first: number; count: number }, outcome: IngestOutcome): void {
    const feed = this.#store.feed(run.feed)!
    const last = lastOf(run)
    this.stats.runsReceived++
    this.#theirs.set(feed.num, Math.max(last, this.#theirs.get(feed.num) ?? 0))
    if (outcome.kind === 'stored') {
      this.stats.entriesReceived += outcome.to - outcome.from + 1
      if (this.#fetcher.advance(feed.num)) this.#expectProgress()
      else this.#fetchOlder(feed) // it was pushed into a feed of which nothing was here
    }
    if (outcome.kind === 'frozen') {
      this.#probes.delete(feed.num)
      this.#prove(feed)
    }
    if (outcome.kind === 'gap' && run.first > feed.height) {
      this.#ahead.set(feed.num, Math.max(last, this.#ahead.get(feed.num) ?? 0))
      this.#fetch(feed)
    }
    this.#moveProbe(feed, last, outcome)
  }

  /** Narrows down where a feed forked; the next question follows when the peer is done with this one. */
  #moveProbe(feed: FeedState, last: number, outcome: IngestOutcome): void {
    const probe = this.#probes.get(feed.num)
    if (outcome.kind === 'diverges')
      this.#probes.set(feed.num, { low: probe?.low ?? feed.low, high: outcome.before, isMoved: true })
    else if (outcome.kind === 'known' && probe !== undefined)
      this.#probes.set(feed.num, { low: last + 1, high: probe.high, isMoved: true })
    if (probe === undefined && !this.#fetcher.has(feed.num)) this.#probe(feed)
  }

  /** Asks for one run in the middle of where a feed may have forked. */
  #probe(feed: FeedState): void {
    const probe = this.#probes.get(feed.num)
    if (probe === undefined) return
    if (!probe.isMoved || probe.low >= probe.high || feed.priority === undefined) {
      this.#probes.delete(feed.num)
      return
    }
    probe.isMoved = false
    const middle = Math.floor((probe.low + probe.high) / 2)
    this.#fetcher.want({ ...held(feed), from: middle, to: middle, isDown: false, priority: feed.priority })
  }

  #takeDone(count: number): void {
    const ended = this.#fetcher.done(count)
    if (ended.length > 0) this.#expectProgress()
    for (const plan of ended) {
      const feed = this.#store.feedByNumber(plan.num)
      if (feed === undefined) continue
      this.#probe(feed)
      const isOlder = plan.to < plan.low
      const hasGrown = feed.low !== plan.low || feed.height !== plan.height // older ones may have come in a run that reaches up to new ones
      // What the peer did not send although it said it has it is not asked for again until it says so anew.
      if (!hasGrown && isOlder) this.#hasNoOlder.add(plan.num)
      else if (!hasGrown) this.#ahead.delete(plan.num)
      this.#fetch(feed)
      this.#fetchOlder(feed)
    }
  }

  #takeDrop(frame: Uint8Array): void {
    for (const id of message.decodeDrop(frame)) {
      const feed = this.#index.find(id)
      if (feed === undefined || !this.#memory.shared.delete(feed)) continue
      this.#hasSharedChanged = true
      this.#proven.delete(feed.num) // it may want the feed again later
    }
  }

  #takeErased(frame: Uint8Array): void {
    const { id, seqs } = message.decodeErased(frame)
    const feed = this.#index.find(id)
    if (feed?.isOwn) noteErasedAt(this.#store, feed, this.#options.peer, seqs.slice(0, FEEDS_PER_FRAME))
  }

  /** Tells the author at the other end which of its bodies were erased here since it was last told. */
  #tellErased(): void {
    const key = this.#options.peerFeed?.()
    const feed = key && this.#store.feed(key)
    // While older entries are still to come, wishes among them would be passed over for good.
    if (!feed || feed.height === 0 || feed.low > 1) return
    const seqs = erasuresOf(this.#store, feed, this.#memory.told)
    for (let i = 0; i < seqs.length; i += FEEDS_PER_FRAME) {
      this.#sendInBackground(message.encodeErased(this.#index.nameOf(feed), seqs.slice(i, i + FEEDS_PER_FRAME)))
    }
    this.#memory.told = feed.height
  }

  readonly #onExtended = ({ feed, from, to, origin }: Extension): void => {
    if (!this.#isLive) {
      this.#news.add(feed.num)
      return
    }
    if (this.#ahead.has(feed.num)) this.#reconsider(feed.num)
    if (origin === this) {
      this.#tellErasedIn(feed)
      this.#tellPositionSoon()
      return
    }
    if (!this.#memory.shared.has(feed.num)) return
    if (to < feed.height) return this.#tellOlder(feed, from)
    // Where nothing is known, the peer has what we had: nothing, when these are the first entries that are here.
    const theirs = this.#theirs.get(feed.num) ?? (from === feed.low ? 0 : from - 1)
    if (theirs >= to) return
    if (theirs < from - 1) {
      this.#news.add(feed.num)
      this.#flushNewsSoon()
      return
    }
    this.#theirs.set(feed.num, to)
    this.#sender.push(feed, this.#index.nameOf(feed), theirs + 1, to)
  }

  /** Older entries came that the peer had asked for in vain. */
  #tellOlder(feed: FeedState, from: number): void {
    const owed = this.#owed.get(feed.num)
    if (owed === undefined || from > owed) return
    this.#owed.delete(feed.num)
    this.#news.add(feed.num)
    this.#flushNewsSoon()
  }

  #tellErasedIn(feed: FeedState): void {
    const key = this.#options.peerFeed?.()
    if (key !== undefined && Buffer.compare(key, feed.key) === 0) this.#tellErased()
  }

  readonly #onWanted = (feed: FeedState): void => {
    if (feed.priority === undefined) {
      if (this.#memory?.shared.delete(feed)) this.#sendInBackground(message.encodeDrop([this.#index.idOf(feed)]))
      return
    }
    this.#index.add(feed)
    this.#news.add(feed.num)
    this.#flushNewsSoon()
  }

  readonly #onFork = (feed: FeedState): void => {
    this.#proven.delete(feed.num) // a fork further back needs another proof
    if (this.#memory?.shared.has(feed.num)) this.#prove(feed)
  }

  #prove(feed: FeedState): void {
    if (this.#proven.has(feed.num)) return
    const proof = this.#store.forkProof(feed)
    if (proof === undefined) return
    this.#proven.add(feed.num)
    this.#sendInBackground(message.encodeFork(proof))
  }

  /** @returns whether the feed was not shared before */
  #share(feed: FeedState): boolean {
    const isNew = this.#memory.shared.add(feed)
    if (isNew) this.#hasSharedChanged = true
    return isNew
  }

  #flushNewsSoon(): void {
    if (!this.#isLive || this.#isSendingNews || this.#news.size === 0) return
    this.#isSendingNews = true
    setImmediate(() => {
      this.#isSendingNews = false
      this.#flushNews().catch((error: unknown) => this.#fail(error))
    })
  }

  async #flushNews(): Promise<void> {
    const feeds = [...this.#news]
      .flatMap((num) => this.#store.feedByNumber(num) ?? [])
      .filter((feed) => feed.priority !== undefined)
    this.#news.clear()
    if (feeds.length > 0) await this.#sendHave(feeds)
  }

  async #sendHave(feeds: FeedState[]): Promise<void> {
    // While pushes wait to be sent, not everything up to our counter has been told.
    const position = this.#sender.isIdle ? this.#store.counter : 0
    if (position > 0) this.#toldPosition = position
    for (let i = 0; i === 0 || i < feeds.length; i += FEEDS_PER_FRAME) {
      const part = feeds.slice(i, i + FEEDS_PER_FRAME)
      const have = part.map((feed) => ({ id: this.#index.nameOf(feed), height: feed.height, head: headOf(feed) }))
      await this.#send(message.encodeHave(i + FEEDS_PER_FRAME < feeds.length ? 0 : position, have))
    }
  }

  #tellPositionSoon(): void {
    if (!this.#isLive) return
    clearTimeout(this.#positionTimer)
    this.#positionTimer = setTimeout(() => {
      if (
        !this.#store.isOpen ||
        this.#toldPosition === this.#store.counter ||
        !this.#sender.isIdle ||
        this.#news.size > 0
      )
        return
      this.#toldPosition = this.#store.counter
      this.#sendInBackground(message.encodeNumber(KIND.position, this.#toldPosition))
    }, POSITION_DELAY_MS)
    this.#positionTimer.unref()
  }

  #giveCredit(bytes: number): void {
    this.#usedCredit += bytes
    if (this.#usedCredit < CREDIT_STEP) return
    this.#sendInBackground(message.encodeNumber(KIND.credit, this.#usedCredit))
    this.#usedCredit = 0
  }

  /** When nothing is missing any more, the peer's position is ours to remember. */
  #checkSettled(): void {
    if (!this.#isLive || !this.#fetcher.isIdle) return
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

  #sendInBackground(frame: Uint8Array): void {
    this.#send(frame).catch((error: unknown) => this.#fail(error))
  }

  #fail(error: unknown): void {
    this.#abort.abort(error)
  }

  #end(): void {
    clearTimeout(this.#positionTimer)
    clearTimeout(this.#progressTimer)
    this.#store.events.off('extended', this.#onExtended)
    this.#store.events.off('wanted', this.#onWanted)
    this.#store.events.off('fork', this.#onFork)
    this.#sender?.stop()
    this.#fetcher.stop()
    if (this.#isLive && this.#store.isOpen) rememberPeer(this.#store, this.#options.peer, this.#memory)
  }
}

const ZERO_HEAD = new Uint8Array(HEAD_SIZE)

/** The first bytes of a head, as peers name it; zeros where nothing is held. */
function headOf(feed: FeedState): Uint8Array {
  return feed.height === 0 ? ZERO_HEAD : feed.head.subarray(0, HEAD_SIZE)
}

function held(feed: FeedState): { num: number; low: number; height: number } {
  return { num: feed.num, low: feed.low, height: feed.height }
}
