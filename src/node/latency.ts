// How long it takes to a peer and back. libp2p measures it once a minute, and not at first: here it is measured when a
// connection comes to be known, and again while somebody looks.
import { randomBytes } from 'node:crypto'
import type { Connection } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'

/** @see https://github.com/libp2p/specs/blob/master/ping/ping.md */
const PING_PROTOCOL = '/ipfs/ping/1.0.0'
const PING_SIZE = 32
/** A measure that is no older is not taken again, in ms. */
const FRESH_MS = 10_000
/** How long to wait after one that failed, in ms. */
const RETRY_MS = 1_000
const TIMEOUT_MS = 10_000

interface Measure {
  /** performance.now() when it was begun. */
  at: number
  ms?: number
}

export class Latency {
  readonly #measures = new WeakMap<Connection, Measure>()
  readonly #stopping = new AbortController()

  stop(): void {
    this.#stopping.abort(new Error('the node is stopping'))
  }

  /** In ms; undefined when it was not measured yet. */
  of(connection: Connection): number | undefined {
    return this.#measures.get(connection)?.ms ?? connection.rtt
  }

  /** Measures it behind, unless it was measured just now. */
  look(connection: Connection): void {
    const { at = -Infinity, ms } = this.#measures.get(connection) ?? {}
    if (connection.status !== 'open' || performance.now() - at < FRESH_MS) return
    this.#measures.set(connection, { at: performance.now(), ms })
    this.#measure(connection).then(
      (measured) => this.#measures.set(connection, { at: performance.now(), ms: measured }),
      // It went away, answers no pings, or answers too many already.
      () => this.#measures.set(connection, { at: performance.now() - FRESH_MS + RETRY_MS, ms })
    )
  }

  async #measure(connection: Connection): Promise<number> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(TIMEOUT_MS)])
    const stream = await connection.newStream(PING_PROTOCOL, { signal, runOnLimitedConnection: true })
    try {
      const bytes = byteStream(stream, { maxBufferSize: PING_SIZE })
      const start = performance.now()
      await Promise.all([bytes.write(randomBytes(PING_SIZE), { signal }), bytes.read({ bytes: PING_SIZE, signal })])
      const ms = performance.now() - start
      await stream.close({ signal })
      return ms
    } catch (error) {
      stream.abort(error as Error)
      throw error
    }
  }
}
