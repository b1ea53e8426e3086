// A set of feed numbers as a bitmap: what two peers share, small enough to be stored for each peer.

export class FeedSet {
  #bits: Uint8Array
  #size = 0

  constructor(bits: Uint8Array = new Uint8Array()) {
    this.#bits = Uint8Array.from(bits)
    for (const byte of bits) for (let rest = byte; rest !== 0; rest &= rest - 1) this.#size++
  }

  get size(): number {
    return this.#size
  }

  has(num: number): boolean {
    return (this.#bits[num >> 3] & (1 << (num & 7))) !== 0
  }

  /** @returns whether it was not in the set before */
  add(num: number): boolean {
    if (this.has(num)) return false
    if (num >> 3 >= this.#bits.length) this.#grow(num >> 3)
    this.#bits[num >> 3] |= 1 << (num & 7)
    this.#size++
    return true
  }

  delete(num: number): boolean {
    if (!this.has(num)) return false
    this.#bits[num >> 3] &= ~(1 << (num & 7))
    this.#size--
    return true
  }

  *[Symbol.iterator](): Generator<number> {
    for (let byte = 0; byte < this.#bits.length; byte++) {
      for (let bit = 0; bit < 8; bit++) if ((this.#bits[byte] & (1 << bit)) !== 0) yield byte * 8 + bit
    }
  }

  /** For storing; read back by the constructor. */
  get bits(): Uint8Array {
    return this.#bits
  }

  #grow(byte: number): void {
    const bits = new Uint8Array(Math.max(byte + 1, this.#bits.length * 2, 16))
    bits.set(this.#bits)
    this.#bits = bits
  }
}
