// Sees to it that this device, and the others of its identity, have certificates to publish with: where the root key is,
// they are made ahead, and anew when a device was revoked.
import { dayOf, type DirectoryBook, type DirectoryMaterial } from '../trust/index.ts'
import { CERTIFIED_DAYS, keepCertified } from './directory-certificates.ts'

/** A year of certificates takes a third of a second: not when a node has just begun. */
const REST_DELAY_MS = 30_000

export interface CertifierOptions {
  book: DirectoryBook
  /** Where this device holds the root key. */
  rootSeed?: Uint8Array
  /** How many devices the identity log has revoked. */
  revocations: () => number
  /** Whether the identity has other devices. */
  hasOthers: () => boolean
  /** What was published counts no more, or could not be published before. */
  onRenewed: () => void
  /** Hands other own devices what they need to publish. */
  share: (material: DirectoryMaterial) => void
  onError: (error: unknown) => void
  now: () => number
}

export class DirectoryCertifier {
  readonly #options: CertifierOptions
  #stopping = new AbortController()
  #work: Promise<void> | undefined
  #rest: NodeJS.Timeout | undefined
  #generation = -1

  constructor(options: CertifierOptions) {
    this.#options = options
  }

  start(): void {
    this.#stopping = new AbortController()
    this.certify()
  }

  async stop(): Promise<void> {
    clearTimeout(this.#rest)
    this.#stopping.abort(new Error('the node is stopping'))
    await this.#work
  }

  /** Makes what is missing: today's and tomorrow's now, the others later. Call it each day, and when the log grew. */
  certify(days = 1): void {
    const { book, rootSeed, revocations, onRenewed, onError } = this.#options
    if (rootSeed === undefined || this.#work !== undefined || this.#stopping.signal.aborted) return
    clearTimeout(this.#rest)
    const { signal } = this.#stopping
    const generation = revocations()
    const hasChanged = generation !== this.#generation
    this.#generation = generation
    this.#work = keepCertified(book, { rootSeed, generation, today: this.#today, days, signal })
      .then((made) => (made > 0 && days === CERTIFIED_DAYS ? this.#share() : undefined))
      .catch(onError)
      .finally(() => {
        this.#work = undefined
        if (signal.aborted) return
        if (hasChanged) onRenewed()
        if (generation !== revocations()) this.certify()
        else if (days < CERTIFIED_DAYS) this.#certifyRest()
      })
  }

  /** All that another device needs, also what is not made yet. */
  async material(): Promise<DirectoryMaterial | undefined> {
    const { book, rootSeed, revocations } = this.#options
    const { signal } = this.#stopping
    if (rootSeed !== undefined)
      await keepCertified(book, { rootSeed, generation: revocations(), today: this.#today, signal })
    return book.exportMaterial(this.#today)
  }

  /** At once where other devices wait for it. */
  #certifyRest(): void {
    const delayMs = this.#options.hasOthers() ? 0 : REST_DELAY_MS
    this.#rest = setTimeout(() => this.certify(CERTIFIED_DAYS), delayMs).unref()
  }

  /** Other devices have nothing to publish with, after a revocation or a year, until they are told. */
  #share(): void {
    const material = this.#options.book.exportMaterial(this.#today)
    if (material !== undefined && this.#options.hasOthers()) this.#options.share(material)
  }

  get #today(): number {
    return dayOf(this.#options.now())
  }
}
