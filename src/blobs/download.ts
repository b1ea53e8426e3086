// Which chunk of a blob is asked of whom: each of one source at a time, the first that is missing first. When all that is
// missing was asked for, a source that has nothing to do asks for it too, so that nobody waits for the slowest.

/** Sources of which the same chunk is asked at most. */
const MAX_ASKED = 2

export class Download<Source> {
  readonly #missing: Set<number>
  readonly #asked = new Map<number, Set<Source>>()

  /** @param missing indices of the chunks that are to be had */
  constructor(missing: Iterable<number>) {
    this.#missing = new Set(missing)
  }

  get isComplete(): boolean {
    return this.#missing.size === 0
  }

  /**
   * What to ask of a source next, which is noted.
   * @param has whether the source has that chunk
   * @returns undefined when there is nothing for it to do now
   */
  next(source: Source, has: (index: number) => boolean): number | undefined {
    let spare: number | undefined
    for (const index of this.#missing) {
      const asked = this.#asked.get(index)
      if (asked?.has(source) || (asked?.size ?? 0) >= MAX_ASKED || !has(index)) continue
      if (asked === undefined) return this.#ask(source, index)
      spare ??= index
    }
    return spare === undefined ? undefined : this.#ask(source, spare)
  }

  /** A chunk is here. @returns whether it was missing */
  settle(index: number): boolean {
    this.#asked.delete(index)
    return this.#missing.delete(index)
  }

  /** What was asked of a source and has not come, others may be asked for again. */
  release(source: Source): void {
    for (const [index, asked] of this.#asked) if (asked.delete(source) && asked.size === 0) this.#asked.delete(index)
  }

  #ask(source: Source, index: number): number {
    const asked = this.#asked.get(index) ?? new Set()
    this.#asked.set(index, asked.add(source))
    return index
  }
}
