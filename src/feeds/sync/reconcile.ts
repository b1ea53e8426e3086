// Range-based set reconciliation: two peers that do not know each other's state find out, for each feed of their own,
// whether the other has it, and how much of it. Pure: bytes in, bytes out. After A. Meyer, "Range-Based Set
// Reconciliation" (2023), with two changes: replies are matched to questions by their order, and an item that only one
// side has is counted but never sent, because a blinded id says nothing to whoever does not hold the feed.
//
// WIRE FORMAT, version 1
//
// An item is (id: 12 bytes, height: u32, head: 8 bytes); head is zeros at height 0. Ids are compared as bytes, are
// unique within a side, and come from `blindFeeds`. A range is an interval [lower, upper) of ids; the whole range is
// everything. Numbers are big-endian unless they are varints: unsigned LEB128, shortest form, at most 2^32 - 1.
//
//   item hash    = sha256("comrade/sync/item/1\0" ‖ id ‖ height u32 ‖ head)[0..16], as a number
//   fingerprint  = sha256("comrade/sync/range/1\0" ‖ (sum of the item hashes mod 2^128, 16 bytes) ‖ count u32)[0..8]
//   state        = height varint ‖ (height > 0: head)
//   bound        = length u8 (1 to 12) ‖ that many bytes, the last one not 0; stands for itself filled up with zeros
//   message      = one or more replies, 61,440 bytes at most in all; no reply is spread over two messages
//
// Some replies ask: each range of a SPLIT, an ASK, a LIST. Each side keeps what it has asked and the other has not
// replied to, as a queue. The replies in all messages of one direction, in their order, meet the asker's queue in its
// order, so they name no range. A reply is a byte and what it calls for:
//
//   0x00–0x7f  EQUAL   The next (byte + 1) ranges: my fingerprint and count are the same as yours.
//   0x80–0xbf  SPLIT   I cut the range in k = (byte - 0x7f) parts: k times (bound, but not for the last part; count varint;
//                      fingerprint) of my items in that part. A bound ends its part and begins the next one; bounds rise
//                      strictly and lie strictly inside the range. No count is 0. Asks k ranges.
//   0xc0       LIST    count varint (at most 2,048), then all my items in the range: id ‖ state, ids rising strictly. Asks.
//   0xc1       ASK     Send me a LIST of this range. Asks.
//   0xc2       ANSWER  Two bits for each item that you listed, four to a byte from the lowest bits up, padded with zeros:
//                      0 mine is the same, 1 I have none, 2 mine differs; then my state for each that differs, in order;
//                      then, as a varint, how many items I have in the range that you did not list.
//
//   What was asked          may be replied to by
//   (start) whole range     SPLIT with k from 1, or LIST. The initiator's first message is this one reply.
//   a range of a SPLIT      EQUAL, SPLIT with k from 2, LIST, ASK
//   ASK                     LIST, with the count that stood in the SPLIT
//   LIST                    ANSWER
//
// A side is done when its queue is empty after it has replied to all it was sent. Which of the allowed replies is best
// is the sender's choice; `#compare` has this program's. It ends whatever the peer does: only own SPLITs and LISTs make
// questions, a SPLIT leaves a ninth of the own items in a part at most, and few items are always listed.
import { BLINDED_SIZE } from './blind.ts'
import { ItemSet, type ReconItem } from './reconcileset.ts'
import {
  badMessage,
  MAX_LIST,
  MAX_PARTS,
  MessageReader,
  MessageWriter,
  OP,
  VERDICT,
  type ItemState
} from './reconcilewire.ts'

export { MAX_MESSAGE_SIZE } from './reconcilewire.ts'
export type { ReconItem } from './reconcileset.ts'

/**
 * Parts of a range whose fingerprints differ. Measured with 10 differences among 10,000 items: 8 parts take 3.3 KB in 7
 * one-way trips, 16 take 4.3 KB in 6, 32 take 5.4 KB in 6.
 */
const SPLIT_FACTOR = 16
/** A range with up to this many items is listed at once: about what the fingerprints of a further split would take. */
const LIST_AT_MOST = 8
/** A side with at most the other's count divided by this lists its items: most of the other's must differ anyhow. */
const LIST_WHEN_FEWER_BY = 2
/** Bytes accepted in a session: ten times what the least favourable honest peer was measured to send. */
const RECEIVED_BASE = 64 * 1024
const RECEIVED_PER_ITEM = 256

interface Range {
  /** 12 bytes, inclusive. */
  lower: Uint8Array
  /** 12 bytes, exclusive; undefined at the end of all ids. */
  upper: Uint8Array | undefined
  /** The own items in it: positions [from, to) of the sorted set. */
  from: number
  to: number
}

/** Something that was asked of the peer, and what may reply to it. */
interface Question extends Range {
  kind: 'start' | 'range' | 'ask' | 'list'
  /** The count that the peer claimed for it, where it was an ASK. */
  claimed: number
}

/** What is known at the end. Indices are places in the list that the constructor was given, in no special order. */
export interface Outcome {
  /** Items that the peer has too, with the same height and head. */
  same: number[]
  /** Items that the peer has with another height or head (8 bytes). Height 0: it wants the feed and holds nothing. */
  differing: { index: number; theirHeight: number; theirHead: Uint8Array }[]
  /** Items that the peer does not have. */
  onlyMine: number[]
  /** How many items the peer says it has that are not among mine. */
  onlyTheirs: number
}

/**
 * One side of one reconciliation. The initiator sends `open()`; from then on each side passes every message that
 * arrives to `receive` and sends what it returns, until `isDone`. Several messages may be under way in either
 * direction; only their order matters. A side must go on reading while it writes.
 */
export class Reconciliation {
  readonly #set: ItemSet
  /** By sorted position: one of VERDICT, once it is known. */
  readonly #verdicts: Uint8Array
  readonly #theirs = new Map<number, ItemState>()
  #onlyTheirs = 0
  /** Asked of the peer and not yet replied to; those before #replied are. */
  #questions: Question[] = []
  #replied = 0
  #receivedBytes = 0
  #phase: 'new' | 'running' | 'failed' = 'new'

  /**
   * @param items own feeds, in any order, blinded by the session's salt; not changed and not kept
   * @throws RangeError when an item has a wrong shape or two have the same id
   */
  constructor(items: readonly ReconItem[]) {
    this.#set = new ItemSet(items)
    this.#verdicts = new Uint8Array(items.length)
  }

  /** The initiator's first message. @throws Error when the reconciliation has begun already */
  open(): Uint8Array {
    if (this.#phase !== 'new') throw new Error('the reconciliation has begun already')
    this.#phase = 'running'
    const writer = new MessageWriter()
    const whole = this.#wholeRange()
    if (this.#set.size <= LIST_AT_MOST) this.#list(whole, writer)
    else this.#split(whole, 1, writer)
    return writer.finish()[0]
  }

  /**
   * Takes the peer's next message.
   * @returns what to send, in this order, each at most MAX_MESSAGE_SIZE bytes; empty when there is nothing to say
   * @throws FeedError FRAME_FORMAT when the message breaks the format or a limit; the reconciliation is over then
   */
  receive(message: Uint8Array): Uint8Array[] {
    if (this.#phase === 'failed') throw badMessage('it has failed before')
    if (this.#phase === 'new') this.#questions.push({ ...this.#wholeRange(), kind: 'start', claimed: 0 })
    this.#phase = 'failed' // until the message has proved good
    const reader = new MessageReader(message)
    const writer = new MessageWriter()
    this.#countBytes(message.length)
    while (!reader.isAtEnd) this.#takeReply(reader, writer)
    this.#questions.splice(0, this.#replied)
    this.#replied = 0
    this.#phase = 'running'
    return writer.finish()
  }

  /** Whether every own item is settled, and the peer needs no more than what `receive` has returned so far. */
  get isDone(): boolean {
    return this.#phase === 'running' && this.#questions.length === 0
  }

  /** What was found out. @throws Error before `isDone` */
  outcome(): Outcome {
    if (!this.isDone) throw new Error('the reconciliation is not done')
    const outcome: Outcome = { same: [], differing: [], onlyMine: [], onlyTheirs: this.#onlyTheirs }
    this.#set.order.forEach((index, position) => {
      const theirs = this.#theirs.get(position)
      if (theirs !== undefined) outcome.differing.push({ index, theirHeight: theirs.height, theirHead: theirs.head })
      else if (this.#verdicts[position] === VERDICT.same) outcome.same.push(index)
      else outcome.onlyMine.push(index)
    })
    return outcome
  }

  #wholeRange(): Range {
    return { lower: new Uint8Array(BLINDED_SIZE), upper: undefined, from: 0, to: this.#set.size }
  }

  #countBytes(size: number): void {
    this.#receivedBytes += size
    const limit = RECEIVED_BASE + RECEIVED_PER_ITEM * this.#set.size
    if (this.#receivedBytes > limit) throw badMessage(`more than ${limit} bytes for ${this.#set.size} items`)
  }

  #takeReply(reader: MessageReader, writer: MessageWriter): void {
    const op = reader.byte()
    if (op < OP.split) return this.#takeEqual(op + 1)
    if (op < OP.split + MAX_PARTS) return this.#takeSplit(op - OP.split + 1, reader, writer)
    if (op === OP.list) return this.#takeList(reader, writer)
    if (op === OP.ask) return this.#takeAsk(writer)
    if (op === OP.answer) return this.#takeAnswer(reader)
    throw badMessage(`a reply cannot begin with 0x${op.toString(16)}`)
  }

  /** The oldest open question, now replied to. */
  #nextQuestion(...kinds: Question['kind'][]): Question {
    const question = this.#questions[this.#replied]
    if (question === undefined) throw badMessage('a reply to nothing that was asked')
    if (!kinds.includes(question.kind))
      throw badMessage(`a wrong kind of reply to a question of kind "${question.kind}"`)
    this.#replied++
    return question
  }

  #takeEqual(run: number): void {
    for (; run > 0; run--) {
      const { from, to } = this.#nextQuestion('range')
      this.#verdicts.fill(VERDICT.same, from, to)
    }
  }

  #takeSplit(parts: number, reader: MessageReader, writer: MessageWriter): void {
    const whole = this.#nextQuestion('start', 'range')
    if (parts === 1 && whole.kind !== 'start') throw badMessage('a split into one part')
    let { lower, from } = whole
    for (let part = 1; part <= parts; part++) {
      const upper = part === parts ? whole.upper : reader.bound()
      if (part < parts && !isBetween(lower, upper!, whole.upper))
        throw badMessage('bounds must rise inside their range')
      const to = upper === whole.upper ? whole.to : this.#set.lowerBound(upper!, from, whole.to)
      const count = reader.varint()
      this.#compare({ lower, upper, from, to }, count, reader.fingerprint(), writer)
      if (upper !== undefined) lower = upper
      from = to
    }
  }

  /** Replies to the peer's count and fingerprint of a range. */
  #compare(range: Range, theirs: number, fingerprint: Uint8Array, writer: MessageWriter): void {
    if (theirs === 0) throw badMessage('a part without items')
    const mine = range.to - range.from
    if (mine === theirs && Buffer.compare(this.#set.fingerprint(range.from, range.to), fingerprint) === 0) {
      this.#verdicts.fill(VERDICT.same, range.from, range.to)
      writer.equal()
    } else if (isListed(mine, theirs)) {
      this.#list(range, writer)
    } else if (isListed(theirs, mine)) {
      this.#questions.push({ ...range, kind: 'ask', claimed: theirs })
      writer.ask()
    } else {
      this.#split(range, Math.min(SPLIT_FACTOR, mine), writer)
    }
  }

  #split(range: Range, parts: number, writer: MessageWriter): void {
    const positions = Array.from(
      { length: parts + 1 },
      (_, part) => range.from + Math.floor((part * (range.to - range.from)) / parts)
    )
    const bounds = positions.slice(1, -1).map((position) => this.#set.boundBefore(position))
    const uppers = [...bounds.map(fillUp), range.upper]
    const fingerprints = uppers.map((upper, part) => {
      const [from, to] = [positions[part], positions[part + 1]]
      const lower = part === 0 ? range.lower : uppers[part - 1]!
      this.#questions.push({ lower, upper, from, to, kind: 'range', claimed: 0 })
      return { count: to - from, fingerprint: this.#set.fingerprint(from, to) }
    })
    writer.split(bounds, fingerprints)
  }

  #list(range: Range, writer: MessageWriter): void {
    this.#questions.push({ ...range, kind: 'list', claimed: 0 })
    writer.list(Array.from({ length: range.to - range.from }, (_, place) => this.#set.item(range.from + place)))
  }

  #takeAsk(writer: MessageWriter): void {
    const range = this.#nextQuestion('range')
    if (range.to - range.from > MAX_LIST) throw badMessage(`a list of more than ${MAX_LIST} items is wanted`)
    this.#list(range, writer)
  }

  #takeList(reader: MessageReader, writer: MessageWriter): void {
    const range = this.#nextQuestion('start', 'range', 'ask')
    const count = reader.varint()
    if (count > MAX_LIST) throw badMessage(`a list has at most ${MAX_LIST} items, not ${count}`)
    if (range.kind === 'ask' && count !== range.claimed)
      throw badMessage(`expected ${range.claimed} items, found ${count}`)
    this.#verdicts.fill(VERDICT.missing, range.from, range.to) // until the list has it
    const verdicts: number[] = []
    const states: ItemState[] = []
    let { lower, from } = range
    for (let place = 0; place < count; place++) {
      const id = reader.bytes(BLINDED_SIZE)
      const state = reader.state()
      const rises = place === 0 ? Buffer.compare(lower, id) <= 0 : Buffer.compare(lower, id) < 0
      if (!rises || !isBelow(id, range.upper)) throw badMessage('listed ids must rise inside their range')
      from = this.#set.lowerBound(id, from, range.to)
      verdicts.push(this.#judge(from, range.to, id, state))
      if (verdicts[place] === VERDICT.differs) states.push(this.#set.item(from))
      lower = id
    }
    const shared = verdicts.filter((verdict) => verdict !== VERDICT.missing).length
    this.#onlyTheirs += count - shared
    writer.answer(verdicts, states, range.to - range.from - shared)
  }

  /** Compares a listed item with the own one at `position`, if that is the same feed, and remembers what it says. */
  #judge(position: number, end: number, id: Uint8Array, theirs: ItemState): number {
    if (position === end || this.#set.compareId(position, id) !== 0) return VERDICT.missing
    const verdict = this.#set.hasState(position, theirs.height, theirs.head) ? VERDICT.same : VERDICT.differs
    this.#settle(position, verdict, theirs)
    return verdict
  }

  #takeAnswer(reader: MessageReader): void {
    const { from, to } = this.#nextQuestion('list')
    const packed = reader.bytes(Math.ceil((to - from) / 4))
    for (let position = from; position < from + 4 * packed.length; position++) {
      const place = position - from
      const verdict = (packed[place >> 2] >> (2 * (place & 3))) & 3
      if (verdict > VERDICT.differs || (position >= to && verdict !== 0)) throw badMessage('an unknown verdict')
      if (position < to)
        this.#settle(
          position,
          verdict,
          verdict === VERDICT.differs ? this.#differentState(position, reader) : undefined
        )
    }
    this.#onlyTheirs += reader.varint()
  }

  #differentState(position: number, reader: MessageReader): ItemState {
    const theirs = reader.state()
    if (this.#set.hasState(position, theirs.height, theirs.head))
      throw badMessage('an item is said to differ and does not')
    return theirs
  }

  #settle(position: number, verdict: number, theirs: ItemState | undefined): void {
    this.#verdicts[position] = verdict
    if (verdict !== VERDICT.differs || theirs === undefined) return
    // Copied, so that 8 bytes do not keep a whole message in memory.
    this.#theirs.set(position, { height: theirs.height, head: new Uint8Array(theirs.head) })
  }
}

/** Whether the side with `own` items in a range should list them to the side with `others`. */
function isListed(own: number, others: number): boolean {
  return own <= LIST_AT_MOST || (own <= MAX_LIST && own * LIST_WHEN_FEWER_BY <= others)
}

function isBelow(id: Uint8Array, upper: Uint8Array | undefined): boolean {
  return upper === undefined || Buffer.compare(id, upper) < 0
}

function isBetween(lower: Uint8Array, id: Uint8Array, upper: Uint8Array | undefined): boolean {
  return Buffer.compare(lower, id) < 0 && isBelow(id, upper)
}

function fillUp(bound: Uint8Array): Uint8Array {
  const filled = new Uint8Array(BLINDED_SIZE)
  filled.set(bound)
  return filled
}
