// One blob that is being fetched: who wants it, of whom it is being asked, and who is left in peace for a while.
import type { PeerId } from '@libp2p/interface'
import type { BlobCaller, Download, StoredBlob } from '../../blobs/index.ts'

/** How long a peer is not asked again that did not give the blob, at first and at most, in ms. */
const FIRST_REST_MS = 2_000
const LAST_REST_MS = 600_000
/** The same of one that sent what is wrong. */
const FAULT_REST_MS = 3_600_000
/** Past it the oldest that wants the blob is forgotten. */
const MAX_WANTS = 64

/** A blob that is to be had. */
export interface WantedBlob {
  id: Uint8Array
  /** What it must have, in bytes: another one is not taken. @default any */
  size?: number
  /** Whether it may be at the devices of a person, by root key in hexadecimal digits. @default those of all friends */
  isAt?: (person: string) => boolean
  /**
   * How much of the room for what nobody asked for by name it may be part of, and of those that wait, from 0 to 1: who names
   * much cannot take all of both from others. @default 1
   */
  share?: number
  /** What wants it: said again, it takes the place of what was said before. @default nothing that can be told apart */
  by?: string
  /** All of it is here. */
  onHere?: () => void
}

/** A connected device of somebody who may be asked. */
export interface BlobPeer {
  peerId: PeerId
  /** Root key in hexadecimal digits. */
  person: string
  /** Followed, or oneself; else somebody who shares a group with the user. */
  isFriend: boolean
}

/** How far a blob has come, in bytes; `have` is `size` when all of it is here. */
export interface BlobProgress {
  have: number
  size: number
}

/** A blob as it is filled: all its sources share both. */
export interface OpenedBlob {
  blob: StoredBlob
  download: Download<BlobCaller>
}

type Want = Pick<WantedBlob, 'size' | 'isAt' | 'share' | 'onHere'>

export class BlobFetch {
  readonly id: Uint8Array
  isUrgent = false
  progress: BlobProgress
  /** While somebody is asked. */
  opened: Promise<OpenedBlob> | undefined
  readonly ended = new AbortController()
  /** Who is being asked: persons by peer id. */
  readonly sources = new Map<string, string>()
  readonly #wants = new Map<string, Want>()
  /** Until when (performance.now()) a peer is not asked, and for how long it rests the next time. */
  readonly #resting = new Map<string, { until: number; ms: number }>()

  constructor({ id, size = 0 }: WantedBlob) {
    this.id = id
    this.progress = { have: 0, size }
  }

  /** Several may want one blob, and say different things of it: one who is wrong does not keep it from the others. */
  add({ by, size, isAt, share, onHere }: WantedBlob): void {
    const key = by ?? `${size}`
    this.#wants.delete(key)
    this.#wants.set(key, { size, isAt, share, onHere })
    if (this.#wants.size > MAX_WANTS) this.#wants.delete(this.#wants.keys().next().value!)
  }

  /** Whether somebody wants it who takes this size. */
  takes(size: number): boolean {
    return this.#some((want) => (want.size ?? size) === size)
  }

  /** Whether it may be at a device of this person. */
  mayBeAt({ person, isFriend }: Pick<BlobPeer, 'person' | 'isFriend'>): boolean {
    return this.#some(({ isAt = () => isFriend }) => isAt(person))
  }

  /** Of those who want it, the largest share. */
  get share(): number {
    return this.#wants.values().reduce((largest, { share = 1 }) => Math.max(largest, share), 0)
  }

  /** How many devices of a person are being asked. */
  sourcesOf(person: string): number {
    return this.sources.values().reduce((count, each) => count + Number(each === person), 0)
  }

  /** All of it is here. */
  tell(): void {
    for (const { onHere } of this.#wants.values()) onHere?.()
  }

  isResting(peer: string): boolean {
    return performance.now() < (this.#resting.get(peer)?.until ?? 0)
  }

  /** It gave what it has, and did nothing wrong. */
  restShortly(peer: string): void {
    this.#rest(peer, FIRST_REST_MS)
  }

  /** It sent what is wrong. */
  restLong(peer: string): void {
    this.#rest(peer, FAULT_REST_MS)
  }

  /** Twice as long as the last time. */
  restLonger(peer: string): void {
    const before = this.#resting.get(peer)?.ms
    this.#rest(peer, Math.min(before === undefined ? FIRST_REST_MS : 2 * before, LAST_REST_MS))
  }

  /** @param peer @default all */
  endRest(peer?: string): void {
    if (peer === undefined) this.#resting.clear()
    else this.#resting.delete(peer)
  }

  #rest(peer: string, ms: number): void {
    this.#resting.set(peer, { until: performance.now() + ms, ms })
  }

  #some(is: (want: Want) => boolean): boolean {
    return this.#wants.values().some(is)
  }
}
