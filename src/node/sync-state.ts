// How far what others wrote has come, from each peer and from all, and the news of it, a few times a second at most.
import type { PeerId } from '@libp2p/interface'
import type { SyncProgress, SyncSession } from '../feeds/index.ts'
import type { PeerSync, SyncStatus } from './comrade.ts'

/** How long news wait for more of them, in ms. */
const NEWS_DELAY_MS = 500

export interface SyncStateOptions {
  /** Those who are connected. */
  peers: () => PeerId[]
  sessionOf: (peerId: PeerId) => SyncSession | undefined
  /** Whose device a peer is, by name; undefined for strangers and for oneself. */
  personOf: (peerId: PeerId) => string | undefined
  files: () => SyncStatus['files']
  /** Something has changed that is worth telling: not each entry that is pushed. */
  onNews: (status: SyncStatus) => void
}

export class SyncState {
  readonly #options: SyncStateOptions
  /** Of sessions that have ended. */
  #received = 0
  #lastMs: number | undefined
  #timer: NodeJS.Timeout | undefined
  #told = ''
  #isStopped = false

  constructor(options: SyncStateOptions) {
    this.#options = options
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** Something may have come further. */
  readonly note = (): void => {
    if (this.#isStopped) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#tell()
    }, NEWS_DELAY_MS).unref()
  }

  noteEnded({ progress: { received, lastMs } }: SyncSession): void {
    this.#received += received
    this.#lastMs = later(this.#lastMs, lastMs)
    this.note()
  }

  status(): SyncStatus {
    const { peers, sessionOf, personOf, files } = this.#options
    const status = { comparing: 0, fetching: 0, current: 0, people: 0, received: this.#received, missing: 0 }
    const people = new Set<string>()
    let lastMs = this.#lastMs
    for (const peerId of peers()) {
      const progress = sessionOf(peerId)?.progress
      if (progress === undefined) continue
      status[progress.state]++
      status.received += progress.received
      status.missing += progress.missing
      lastMs = later(lastMs, progress.lastMs)
      const person = personOf(peerId)
      if (progress.state === 'current' && person !== undefined) people.add(person)
    }
    return { ...status, people: people.size, files: files(), ...at(lastMs) }
  }

  #tell(): void {
    const status = this.status()
    const { received: _received, last: _last, ...shown } = status
    const told = JSON.stringify(shown)
    if (told === this.#told) return
    this.#told = told
    this.#options.onNews(status)
  }
}

/** What a session has come to, as it is told. */
export function peerSync({ lastMs, ...progress }: SyncProgress): PeerSync {
  return { ...progress, ...at(lastMs) }
}

function at(lastMs: number | undefined): { last?: string } {
  return lastMs === undefined ? {} : { last: new Date(lastMs).toISOString() }
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.max(a, b)
}
