// The events of a node, for whoever embeds it; the warnings among them.
import type { FeedState, Sentence } from '../feeds/index.ts'
import { formatDid } from '../trust/index.ts'
import type { ComradeEvents } from './comrade.ts'
import type { Log } from './log.ts'

export class NodeEvents {
  readonly #target = new EventTarget()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  addEventListener<K extends keyof ComradeEvents>(
    type: K,
    listener: (event: ComradeEvents[K]) => void,
    options?: { signal?: AbortSignal }
  ): void {
    this.#target.addEventListener(type, listener as (event: Event) => void, options)
  }

  removeEventListener<K extends keyof ComradeEvents>(type: K, listener: (event: ComradeEvents[K]) => void): void {
    this.#target.removeEventListener(type, listener as (event: Event) => void)
  }

  emit<K extends keyof ComradeEvents>(type: K, detail: ComradeEvents[K]['detail']): void {
    this.#target.dispatchEvent(new CustomEvent(type, { detail }))
  }

  warn(code: string, sentence: Sentence, more: { feed?: string } = {}): void {
    this.emit('warning', { code, message: sentence.text, sentence, ...more })
  }

  /** Also told to the log. */
  warnOfFeed(code: string, sentence: Sentence, { key }: FeedState): void {
    const feed = formatDid(key)
    this.#log.warn({ code, feed }, sentence.text)
    this.warn(code, sentence, { feed })
  }
}
