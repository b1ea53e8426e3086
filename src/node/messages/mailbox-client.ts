// This device's mailboxes at others' nodes: has them made, asks for what has come, and moves on when a host ends; and puts
// cells into those of others. Bytes and rules: src/messages/README.md, Mailboxes.
import type { IdentifyResult, Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { withStream } from '../../feeds/index.ts'
import {
  MailboxCaller,
  type MailboxBook,
  type MailboxDescriptor,
  mailboxKey,
  type MailboxPlace,
  MAX_MAILBOX_HOSTS,
  type OwnQueue
} from '../../messages/index.ts'
import { framedStream } from '../frames.ts'
import { MAILBOX_PROTOCOL } from './mailbox-service.ts'

/** Hosts that a contact is given, where there are as many. */
export const HOSTS_PER_CONTACT = 3
/** Hosts that a cell is put at. */
export const COPIES = 2
/** How often all hosts are asked, in ms; each time between three quarters and five quarters of it. */
const POLL_MS = 600_000
/** One host: to reach it, and to fetch all that is there. */
const DIAL_TIMEOUT_MS = 15_000
const VISIT_TIMEOUT_MS = 120_000
const PUT_TIMEOUT_MS = 30_000
/** Hosts that are asked at the same time. */
const PARALLEL_VISITS = 4
/** What one visit takes of a queue: a host that makes up cells does not hold it up for ever. */
const MAX_CELLS_PER_VISIT = 256
/** After so many cells what was taken is acknowledged. */
const ACKNOWLEDGE_EVERY = 16
/** A host that was not reached for so long, while this node ran and reached others, is replaced, in ms. */
const GONE_MS = 3 * 86_400_000
/** For how long it is asked on after that, in ms: a host keeps a queue that nobody asks for as long. */
const KEPT_MS = 60 * 86_400_000
/** Who refused to host is asked again after so long, in ms. */
const REFUSED_MS = 6 * 3_600_000
/** The first time: it may not know yet that we are friends, since both sides say so at the same moment. */
const FIRST_REFUSED_MS = 5_000
/** Peers of whom that is remembered. */
const MAX_REFUSED = 256

export interface MailboxClientOptions {
  libp2p: Libp2p
  book: MailboxBook
  /** Connects with a peer, by these addresses if it is not connected; those that may not be dialled are left out. */
  dial: (peerId: string, addresses: string[], signal: AbortSignal) => Promise<unknown>
  /** Where a host can be reached, for those who are to write to it. */
  addressesOf: (peerId: string) => string[]
  /** For whom there are to be queues: 32 bytes each. */
  contacts: () => Iterable<Uint8Array>
  /** How many devices of a contact were revoked: what those know is ended, and made anew for the others. */
  generationOf: (contact: Uint8Array) => number
  /** Queues that one host may have. @default as many as it makes */
  queuesPerHost?: () => number
  /** Connected devices of friends and own other ones, but for those of this contact; of own ones only where there are more than two. */
  candidates: (contact: Uint8Array) => Iterable<string>
  /**
   * Takes a cell, and has it on the disk when it resolves: it is deleted at the host then. The same cell may come several
   * times. What it cannot open it drops; when it rejects, this and all later cells of the queue come again.
   */
  onCell: (contact: Uint8Array, cell: Uint8Array) => Promise<void>
  /** What this contact was told of its queues is not so any more. */
  onMoved: (contact: Uint8Array) => void
  /** A number from 0 to 1. @default Math.random */
  random?: () => number
  /** @default 600_000 */
  pollMs?: number
  /** For how long a host cannot be reached before another takes its place, in ms. @default 259_200_000 */
  goneMs?: number
}

export class MailboxClient {
  readonly #options: MailboxClientOptions
  readonly #random: () => number
  readonly #pollMs: number
  readonly #goneMs: number
  /** When hosts were asked last (performance.now()). */
  #polledMs = performance.now()
  /** By peer: the visit that is under way, and one that follows because there is more to be done by now. */
  readonly #visits = new Map<string, { now: Promise<boolean>; next?: Promise<boolean> }>()
  /** Until when (performance.now()) who refused to host is not asked again. */
  readonly #refused = new Map<string, number>()
  #reviewing: Promise<void> | undefined
  readonly #asking = new Set<NodeJS.Timeout>()
  #isReviewDue = false
  #timer: NodeJS.Timeout | undefined
  #stopping = new AbortController()

  constructor(options: MailboxClientOptions) {
    this.#options = options
    this.#random = options.random ?? Math.random
    this.#pollMs = options.pollMs ?? POLL_MS
    this.#goneMs = options.goneMs ?? GONE_MS
  }

  /** Polls by the clock, and whoever connects and has queues of this device. */
  start(): void {
    this.#stopping = new AbortController()
    this.#options.libp2p.addEventListener('peer:identify', this.#onIdentified)
    this.#pollLater()
  }

  async stop(): Promise<void> {
    for (const timer of this.#asking) clearTimeout(timer)
    clearTimeout(this.#timer)
    this.#options.libp2p.removeEventListener('peer:identify', this.#onIdentified)
    this.#stopping.abort(new Error('the node is stopping'))
    await Promise.allSettled([this.#reviewing, ...[...this.#visits.values()].map(({ now }) => now)])
  }

  /** What this contact is to be told; undefined while no host has made a queue for it. */
  descriptorFor(contact: Uint8Array): MailboxDescriptor | undefined {
    const queues = this.#options.book.of(contact)
    const made = queues.filter(({ peer, host }) => host !== undefined && !this.#isGone(peer))
    if (made.length === 0) return undefined
    const hosts = made.map(({ peer, host, send }) => ({
      peer,
      addresses: this.#options.addressesOf(peer),
      key: host!,
      secret: send.secret
    }))
    return { hosts: this.#shuffled(hosts) }
  }

  /**
   * Puts the cells of a message into a contact's mailboxes.
   * @param seal makes the cells for one host: two that have the same bytes would know that they keep them for the same people
   * @returns how many hosts have all of them: up to {@link COPIES}
   * @throws whatever `signal` was aborted with
   */
  async put(
    { hosts }: MailboxDescriptor,
    seal: () => readonly Uint8Array[],
    { signal }: { signal?: AbortSignal } = {}
  ): Promise<number> {
    const left = [...hosts]
    const putOne = async (): Promise<number> => {
      for (let place = left.shift(); place !== undefined; place = left.shift())
        if (await this.#putAt(place, seal, signal)) return 1
      return 0
    }
    const copies = await Promise.all(Array.from({ length: COPIES }, putOne))
    signal?.throwIfAborted()
    return copies.reduce((sum, each) => sum + each, 0)
  }

  /** Asks all hosts for what has come, and notes which of them cannot be reached. */
  async poll(): Promise<void> {
    const peers = [...new Set(this.#options.book.all().map(({ peer }) => peer))]
    const left = [...peers]
    const missed: string[] = []
    const work = async (): Promise<void> => {
      for (let peer = left.shift(); peer !== undefined; peer = left.shift())
        if (!(await this.#visit(peer))) missed.push(peer)
    }
    await Promise.all(Array.from({ length: PARALLEL_VISITS }, work))
    if (this.#stopping.signal.aborted) return
    const sinceMs = Math.min(performance.now() - this.#polledMs, 2 * this.#pollMs)
    this.#polledMs = performance.now()
    // Where nobody can be reached, it is this node that is cut off.
    if (this.#options.libp2p.getPeers().length > 0) for (const peer of missed) this.#noteMissed(peer, sinceMs)
  }

  /** One that is gone for long is replaced by another, and asked on in case it comes back. */
  #noteMissed(peer: string, sinceMs: number): void {
    const { book } = this.#options
    const before = book.missedMs(peer)
    const missedMs = before + sinceMs
    const queues = book.at(peer)
    if (missedMs > this.#goneMs + KEPT_MS) return queues.forEach((queue) => book.remove(queue))
    book.noteMissed(peer, missedMs)
    if (before > this.#goneMs || missedMs <= this.#goneMs) return
    for (const { contact } of queues) this.#options.onMoved(contact)
    this.#reviewSoon()
  }

  #isGone(peer: string): boolean {
    return this.#options.book.missedMs(peer) > this.#goneMs
  }

  /**
   * Contacts or candidates may be others now: queues that are needed are made, as far as there are hosts, and those that
   * are not are ended.
   */
  review(): Promise<void> {
    this.#isReviewDue = true
    this.#reviewing ??= this.#reviewAll()
    return this.#reviewing
  }

  async #reviewAll(): Promise<void> {
    await Promise.resolve() // whatever is still to change in this turn
    try {
      while (this.#isReviewDue && !this.#stopping.signal.aborted) {
        this.#isReviewDue = false
        await this.#review()
      }
    } finally {
      this.#reviewing = undefined
    }
  }

  async #review(): Promise<void> {
    const { book, contacts } = this.#options
    const wanted = new Map([...contacts()].map((contact) => [nameOf(contact), contact]))
    const peers = new Set<string>()
    for (const queue of book.all()) {
      const isWanted = wanted.has(nameOf(queue.contact))
      if (isWanted && queue.state === 'made' && !this.#isKnownToRevoked(queue)) continue
      if (!isWanted) book.setEnding(queue)
      if (this.#isConnected(queue.peer)) peers.add(queue.peer)
    }
    const hosts = await this.#possibleHosts()
    for (const contact of wanted.values()) for (const peer of this.#addHosts(contact, hosts)) peers.add(peer)
    await Promise.all([...peers].map((peer) => this.#visit(peer)))
  }

  #addHosts(contact: Uint8Array, hosts: ReadonlySet<string>): string[] {
    const { book, candidates, generationOf, queuesPerHost = () => Infinity } = this.#options
    if (this.#stopping.signal.aborted) return []
    const queues = book.of(contact)
    const missing = HOSTS_PER_CONTACT - queues.filter(({ peer }) => !this.#isGone(peer)).length
    if (missing <= 0) return []
    const isPossible = (peer: string): boolean =>
      hosts.has(peer) && !queues.some((queue) => queue.peer === peer) && book.countAt(peer) < queuesPerHost()
    const added = this.#shuffled([...candidates(contact)].filter(isPossible)).slice(0, missing)
    for (const peer of added) book.add(contact, peer, generationOf(contact))
    return added
  }

  /** A device that was revoked could keep it full. */
  #isKnownToRevoked({ contact, generation }: OwnQueue): boolean {
    return generation < this.#options.generationOf(contact)
  }

  /** Connected peers that speak the protocol and have not just refused. */
  async #possibleHosts(): Promise<Set<string>> {
    const peers = this.#options.libp2p.getPeers().map(String)
    const found = await Promise.all(peers.map(async (peer) => ((await this.#mayHost(peer)) ? [peer] : [])))
    return new Set(found.flat())
  }

  async #mayHost(peer: string): Promise<boolean> {
    if (performance.now() < (this.#refused.get(peer) ?? 0)) return false
    try {
      const { protocols } = await this.#options.libp2p.peerStore.get(peerIdFromString(peer))
      return protocols.includes(MAILBOX_PROTOCOL)
    } catch {
      return false // not identified yet, or no peer id
    }
  }

  /**
   * One visit of a host at a time. It does not reject: what failed is tried again at the next.
   * @returns whether the host answered
   */
  #visit(peer: string): Promise<boolean> {
    const visits = this.#visits.get(peer)
    if (visits !== undefined) return (visits.next ??= visits.now.then(() => this.#visit(peer)))
    const now = this.#tendAll(peer).finally(() => this.#visits.delete(peer))
    this.#visits.set(peer, { now })
    return now
  }

  async #tendAll(peer: string): Promise<boolean> {
    const { book, addressesOf } = this.#options
    if (this.#stopping.signal.aborted) return false
    let isReached = false
    try {
      await this.#call(
        { peer, addresses: addressesOf(peer) },
        AbortSignal.timeout(VISIT_TIMEOUT_MS),
        async (caller) => {
          isReached = true
          const queues = book.at(peer)
          this.#noteReached(peer, queues)
          for (const queue of queues) await this.#tend(queue, caller)
        }
      )
    } catch {
      // It went away in the middle, or what it gave could not be kept.
    }
    return isReached
  }

  #noteReached(peer: string, queues: readonly OwnQueue[]): void {
    const { book, onMoved } = this.#options
    if (book.missedMs(peer) === 0) return
    const wasGone = this.#isGone(peer)
    book.noteMissed(peer, 0)
    if (wasGone) for (const { contact } of queues) onMoved(contact)
  }

  async #tend(queue: OwnQueue, caller: MailboxCaller): Promise<void> {
    const { book } = this.#options
    if (queue.state === 'making') return this.#make(queue, caller)
    if (queue.state === 'ending') {
      await caller.end(queue.receive)
      return book.remove(queue)
    }
    const isThere = isSame(caller.host, queue.host!) && (await this.#drain(queue, caller))
    // A host that comes back when others have taken its place is one too many.
    const isSpare = book.of(queue.contact).length > MAX_MAILBOX_HOSTS
    if (isThere && caller.isHosting && !isSpare && !this.#isKnownToRevoked(queue)) return
    if (isThere) await caller.end(queue.receive)
    this.#moveOn(queue)
  }

  async #make(queue: OwnQueue, caller: MailboxCaller): Promise<void> {
    if (await caller.make(queue.receive, queue.send.id)) {
      this.#options.book.setMade(queue, caller.host)
      return this.#options.onMoved(queue.contact)
    }
    this.#options.book.remove(queue)
    this.#refuse(queue.peer)
  }

  /** The host has forgotten the queue or hosts no more, or the queue is not to be written to any longer. */
  #moveOn(queue: OwnQueue): void {
    this.#options.book.remove(queue)
    this.#options.onMoved(queue.contact)
    this.#reviewSoon()
  }

  #refuse(peer: string): void {
    const before = this.#refused.get(peer)
    const delayMs = before === undefined ? FIRST_REFUSED_MS : REFUSED_MS
    if (this.#refused.size >= MAX_REFUSED) this.#refused.clear()
    this.#refused.set(peer, performance.now() + delayMs)
    this.#reviewSoon()
    if (before !== undefined) return // the next poll after that asks again
    const timer = setTimeout(() => {
      this.#asking.delete(timer)
      this.#reviewSoon()
    }, delayMs).unref()
    this.#asking.add(timer)
  }

  /** At the latest the next poll reviews again. */
  #reviewSoon(): void {
    this.review().catch(() => {})
  }

  /** @returns whether the host has the queue */
  async #drain({ contact, receive }: OwnQueue, caller: MailboxCaller): Promise<boolean> {
    let [taken, acknowledged] = [0, 0]
    const acknowledge = async (): Promise<void> => {
      if (taken > acknowledged) await caller.acknowledge(receive, taken)
      acknowledged = taken
    }
    for (let count = 1; count <= MAX_CELLS_PER_VISIT; count++) {
      const found = await caller.fetch(receive, taken)
      if (found === 'no') return false
      if (found === 'empty') break
      try {
        await this.#options.onCell(contact, found.cell)
      } catch (error) {
        await acknowledge()
        throw error
      }
      taken = found.number
      if (count % ACKNOWLEDGE_EVERY === 0) await acknowledge()
    }
    await acknowledge()
    return true
  }

  async #putAt(place: MailboxPlace, seal: () => readonly Uint8Array[], signal?: AbortSignal): Promise<boolean> {
    const timeout = AbortSignal.timeout(PUT_TIMEOUT_MS)
    try {
      return await this.#call(place, signal === undefined ? timeout : AbortSignal.any([signal, timeout]), (caller) =>
        isSame(caller.host, place.key) && caller.isHosting ? putAll(caller, place.secret, seal()) : false
      )
    } catch {
      return false // it cannot be reached, or does not speak this protocol
    }
  }

  /** A stream to a host, for as long as the work takes. */
  async #call<T>(
    { peer, addresses }: Pick<MailboxPlace, 'peer' | 'addresses'>,
    limit: AbortSignal,
    work: (caller: MailboxCaller) => T | Promise<T>
  ): Promise<T> {
    const { libp2p, dial } = this.#options
    const signal = AbortSignal.any([this.#stopping.signal, limit])
    const dialling = AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    if (!this.#isConnected(peer)) await dial(peer, addresses, dialling)
    const stream = await libp2p.dialProtocol(peerIdFromString(peer), MAILBOX_PROTOCOL, {
      signal: dialling,
      runOnLimitedConnection: true
    })
    return withStream(framedStream(stream), signal, async (messages) => work(await MailboxCaller.open(messages)))
  }

  #isConnected(peer: string): boolean {
    return this.#options.libp2p.getConnections(peerIdFromString(peer)).some(({ status }) => status === 'open')
  }

  readonly #onIdentified = ({ detail: { peerId } }: CustomEvent<IdentifyResult>): void => {
    if (this.#options.book.countAt(peerId.toString()) > 0) void this.#visit(peerId.toString())
    this.#reviewSoon()
  }

  #pollLater(): void {
    const delayMs = this.#pollMs * (0.75 + this.#random() / 2)
    this.#timer = setTimeout(() => {
      void Promise.allSettled([this.poll(), this.review()]).then(
        () => this.#stopping.signal.aborted || this.#pollLater()
      )
    }, delayMs).unref()
  }

  #shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, place: this.#random() }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ item }) => item)
  }
}

async function putAll(caller: MailboxCaller, secret: Uint8Array, cells: readonly Uint8Array[]): Promise<boolean> {
  const send = mailboxKey(secret)
  for (const cell of cells) if (!(await caller.put(send, cell))) return false
  return true
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}

function nameOf(contact: Uint8Array): string {
  return Buffer.from(contact).toString('hex')
}
