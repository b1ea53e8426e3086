// What one process can say about itself: bytes on its TCP sockets, its memory, and how long its event loop was blocked.
import { subscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** The histogram counts the whole time between two ticks of its timer: this much of it is no delay. */
const TICK_MS = 5
/** Bytes count as "no more are coming" when none has moved for this long. */
const QUIET_MS = 1_000
const QUIET_LIMIT_MS = 20_000

export interface Reading {
  /** On all TCP sockets, both ways, since the last reset: handshakes and encryption included. */
  wireBytes: number
  /** 99th percentile of the event loop's delay since the last reset. */
  loopDelayP99Ms: number
  /** The most that was ever resident in this process. */
  peakBytes: number
}

/** Counts from the moment it is made: make it before any socket is. */
export class Meter {
  readonly #sockets = new Set<Socket>()
  readonly #loop = monitorEventLoopDelay({ resolution: TICK_MS })
  #closedBytes = 0
  #baseBytes = 0

  constructor() {
    const count = (message: unknown): void => this.#count((message as { socket: Socket }).socket)
    subscribe('net.client.socket', count)
    subscribe('net.server.socket', count)
    this.#loop.enable()
  }

  reset(): void {
    this.#baseBytes = this.#wireBytes()
    this.#loop.reset()
  }

  read(): Reading {
    return {
      wireBytes: this.#wireBytes() - this.#baseBytes,
      loopDelayP99Ms: Math.max(0, this.#loop.percentile(99) / 1e6 - TICK_MS),
      peakBytes: peakBytes()
    }
  }

  /** Resolves when nothing has moved on the sockets for a second. */
  async quiet(): Promise<void> {
    const end = performance.now() + QUIET_LIMIT_MS
    let last = this.#wireBytes()
    let since = performance.now()
    while (performance.now() - since < QUIET_MS) {
      if (performance.now() > end) throw new Error(`bytes still move on the sockets after ${QUIET_LIMIT_MS} ms`)
      await new Promise((resolve) => setTimeout(resolve, 50))
      if (this.#wireBytes() !== last) since = performance.now()
      last = this.#wireBytes()
    }
  }

  #count(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#closedBytes += socket.bytesRead + socket.bytesWritten
    })
  }

  #wireBytes(): number {
    let bytes = this.#closedBytes
    for (const socket of this.#sockets) bytes += socket.bytesRead + socket.bytesWritten
    return bytes
  }
}

/** VmHWM of Linux; elsewhere what the operating system says of the maximum resident set. */
function peakBytes(): number {
  try {
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
    if (line) return Number(line[1]) * 1024
  } catch {
    // not Linux
  }
  return process.resourceUsage().maxRSS * 1024
}
