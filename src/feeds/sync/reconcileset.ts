// One side's items in a reconciliation: sorted by id, packed into flat arrays, with prefix sums of their hashes, so that
// the fingerprint of any range of them costs one subtraction and one hash.
import { hash } from 'node:crypto'
import { BLINDED_SIZE } from './blind.ts'

export const HEAD_SIZE = 8
export const FINGERPRINT_SIZE = 8
/** The largest height and count: they travel as unsigned 32-bit numbers. */
export const MAX_U32 = 0xffff_ffff

/** What one side says of one feed. */
export interface ReconItem {
  /** The feed's blinded id, 12 bytes. */
  id: Uint8Array
  /** The highest seq that is held, u32; 0 when the feed is wanted but nothing of it is held. */
  height: number
  /** The first 8 bytes of the id of the entry at that height; zeros at height 0. */
  head: Uint8Array
}

const ITEM_DOMAIN = Buffer.from('comrade/sync/item/1\0')
const RANGE_DOMAIN = Buffer.from('comrade/sync/range/1\0')
const ZERO_HEAD = new Uint8Array(HEAD_SIZE)
/** 32-bit limbs of a sum, most significant first. */
const LIMBS = 4

export class ItemSet {
  readonly size: number
  /** Where the item at a sorted position stood in the caller's list. */
  readonly order: Uint32Array
  readonly #ids: Buffer
  readonly #heights: Uint32Array
  readonly #heads: Buffer
  /** The sum of the hashes of the first n items, mod 2^128, at limb 4n. */
  readonly #sums: Uint32Array

  /** @throws RangeError when an item has a wrong shape or two have the same id */
  constructor(items: readonly ReconItem[]) {
    this.size = items.length
    this.order = sortedOrder(items)
    this.#ids = Buffer.alloc(items.length * BLINDED_SIZE)
    this.#heights = new Uint32Array(items.length)
    this.#heads = Buffer.alloc(items.length * HEAD_SIZE)
    this.order.forEach((place, index) => {
      this.#ids.set(items[place].id, index * BLINDED_SIZE)
      this.#heights[index] = items[place].height
      this.#heads.set(items[place].head, index * HEAD_SIZE)
      if (index > 0 && this.compareId(index - 1, items[place].id) === 0)
        throw new RangeError('two items have the same id')
    })
    this.#sums = this.#prefixSums()
  }

  item(index: number): ReconItem {
    return { id: this.#id(index), height: this.#heights[index], head: this.#head(index) }
  }

  /** Below, at or above 0 as the id at `index` is below, equal to or above `id`. */
  compareId(index: number, id: Uint8Array): number {
    return this.#ids.compare(id, 0, BLINDED_SIZE, index * BLINDED_SIZE, (index + 1) * BLINDED_SIZE)
  }

  hasState(index: number, height: number, head: Uint8Array): boolean {
    return this.#heights[index] === height && this.#head(index).equals(head)
  }

  /** The first position in [from, to) whose id is not below `id`; `to` when there is none. */
  lowerBound(id: Uint8Array, from: number, to: number): number {
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.compareId(middle, id) < 0) from = middle + 1
      else to = middle
    }
    return from
  }

  /** The shortest prefix that sorts above the id at `index - 1`, and not above the one at `index`. */
  boundBefore(index: number): Uint8Array {
    const [left, right] = [this.#id(index - 1), this.#id(index)]
    let length = 0
    while (left[length] === right[length]) length++
    return right.subarray(0, length + 1)
  }

  /**
   * The first 8 bytes of sha256("comrade/sync/range/1\0" ‖ sum of the item hashes mod 2^128 ‖ count, u32).
   *
   * The sum is an addition and not an XOR: XOR is linear over bits, so whoever can choose some 128 items finds a set
   * with any wanted XOR by elimination, and an item counted twice vanishes. Addition mod 2^128 leaves the generalised
   * birthday attack (Wagner), and that needs the item hashes, which depend on both sides' nonces and so are not known
   * before the session, nor ever to those outside it. A peer itself need not collide with anything: it can simply lie.
   * What is left is chance: a session compares some hundred ranges, so 8 bytes fail once in 2^57 sessions, and the next
   * session, with another salt, sees what was missed.
   */
  fingerprint(from: number, to: number): Uint8Array {
    const input = Buffer.alloc(RANGE_DOMAIN.length + 4 * LIMBS + 4)
    input.set(RANGE_DOMAIN)
    let borrow = 0
    for (let limb = LIMBS - 1; limb >= 0; limb--) {
      const difference = this.#sums[LIMBS * to + limb] - this.#sums[LIMBS * from + limb] - borrow
      borrow = difference < 0 ? 1 : 0
      input.writeUInt32BE(difference >>> 0, RANGE_DOMAIN.length + 4 * limb)
    }
    input.writeUInt32BE(to - from, RANGE_DOMAIN.length + 4 * LIMBS)
    return hash('sha256', input, 'buffer').subarray(0, FINGERPRINT_SIZE)
  }

  #id(index: number): Buffer {
    return this.#ids.subarray(index * BLINDED_SIZE, (index + 1) * BLINDED_SIZE)
  }

  #head(index: number): Buffer {
    return this.#heads.subarray(index * HEAD_SIZE, (index + 1) * HEAD_SIZE)
  }

  /** An item's hash is the first 16 bytes of sha256("comrade/sync/item/1\0" ‖ id ‖ height, u32 ‖ head), a big-endian number. */
  #prefixSums(): Uint32Array {
    const sums = new Uint32Array(LIMBS * (this.size + 1))
    const input = Buffer.alloc(ITEM_DOMAIN.length + BLINDED_SIZE + 4 + HEAD_SIZE)
    const digest = Buffer.alloc(4 * LIMBS)
    input.set(ITEM_DOMAIN)
    for (let index = 0; index < this.size; index++) {
      this.#ids.copy(input, ITEM_DOMAIN.length, index * BLINDED_SIZE, (index + 1) * BLINDED_SIZE)
      input.writeUInt32BE(this.#heights[index], ITEM_DOMAIN.length + BLINDED_SIZE)
      this.#heads.copy(input, ITEM_DOMAIN.length + BLINDED_SIZE + 4, index * HEAD_SIZE, (index + 1) * HEAD_SIZE)
      digest.write(hash('sha256', input, 'binary'), 0, digest.length, 'latin1')
      let carry = 0
      for (let limb = LIMBS - 1; limb >= 0; limb--) {
        const sum = sums[LIMBS * index + limb] + digest.readUInt32BE(4 * limb) + carry
        sums[LIMBS * (index + 1) + limb] = sum // a Uint32Array keeps it mod 2^32
        carry = sum > MAX_U32 ? 1 : 0
      }
    }
    return sums
  }
}

/** The places of the items in the order of their ids, after a check of each item's shape. */
function sortedOrder(items: readonly ReconItem[]): Uint32Array {
  const high = new Float64Array(items.length)
  items.forEach((item, place) => {
    checkItem(item)
    // 48 bits are exact in a number, and decide nearly every comparison.
    high[place] = Buffer.from(item.id.buffer, item.id.byteOffset, BLINDED_SIZE).readUIntBE(0, 6)
  })
  const order = Uint32Array.from(items, (_, place) => place)
  return order.sort((a, b) => high[a] - high[b] || Buffer.compare(items[a].id, items[b].id))
}

function checkItem({ id, height, head }: ReconItem): void {
  if (id.length !== BLINDED_SIZE) throw new RangeError(`a blinded id has ${BLINDED_SIZE} bytes, not ${id.length}`)
  if (head.length !== HEAD_SIZE) throw new RangeError(`a head has ${HEAD_SIZE} bytes, not ${head.length}`)
  if (!Number.isInteger(height) || height < 0 || height > MAX_U32)
    throw new RangeError(`a height is a u32, not ${height}`)
  if (height === 0 && Buffer.compare(head, ZERO_HEAD) !== 0) throw new RangeError('the head at height 0 is zeros')
}
