// Sets of operations by their index in the log, as bits. Everything that evaluation asks of the graph is whether one
// operation is in the past of another, so that has to be one look.

/** A set of indices. Reading past its end is allowed: nothing is there. */
export class Past {
  readonly #words: Uint32Array

  constructor(words: Uint32Array) {
    this.#words = words
  }

  has(index: number): boolean {
    return (this.#words[index >>> 5] & (1 << (index & 31))) !== 0
  }

  /** How many there are: the same at every node, unlike an index. */
  get size(): number {
    let size = 0
    for (let word of this.#words) for (; word !== 0; word &= word - 1) size++
    return size
  }

  /** All indices below `size`. */
  static below(size: number): Past {
    const words = new Uint32Array(wordsFor(size)).fill(0xffff_ffff)
    const last = size & 31
    if (last !== 0) words[words.length - 1] = (1 << last) - 1
    return new Past(words)
  }

  /** These indices, and whatever is in their pasts. */
  static of(indices: readonly number[], pastOf: (index: number) => Past): Past {
    const words = new Uint32Array(wordsFor(Math.max(-1, ...indices) + 1))
    for (const index of indices) {
      const from = pastOf(index).#words
      for (let i = 0; i < from.length; i++) words[i] |= from[i]
      words[index >>> 5] |= 1 << (index & 31)
    }
    return new Past(words)
  }

  /** What is here and not in `other`, ascending. */
  *without(other: Past): Generator<number> {
    for (let i = 0; i < this.#words.length; i++) {
      let left = (this.#words[i] & ~other.#words[i]) >>> 0
      while (left !== 0) {
        const bit = 31 - Math.clz32(left & -left)
        left = (left & (left - 1)) >>> 0
        yield i * 32 + bit
      }
    }
  }
}

function wordsFor(size: number): number {
  return Math.ceil(size / 32)
}
