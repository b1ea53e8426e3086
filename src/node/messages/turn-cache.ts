// What was looked up, until the next turn of the event loop: of what comes in at once, most is from the same few.

export class TurnCache<Value> {
  readonly #values = new Map<string, Value>()

  get(name: string, look: () => Value): Value {
    const known = this.#values.get(name)
    if (known !== undefined || this.#values.has(name)) return known as Value
    if (this.#values.size === 0) setImmediate(() => this.#values.clear())
    const value = look()
    this.#values.set(name, value)
    return value
  }

  /** Something that was looked up may be otherwise now. */
  clear(): void {
    this.#values.clear()
  }
}
