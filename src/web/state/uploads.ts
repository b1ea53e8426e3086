// Files that go with what is being written: each is handed over to the node as soon as it is chosen, so that sending is quick.
import { type Signal, signal } from '@preact/signals'
import { ApiError, post } from '../api.ts'
import { plainFile } from '../plain-file.ts'
import { upload } from '../upload.ts'

/** Largest file that the node takes, in bytes: 64 MiB less 16 KiB. */
export const MAX_FILE_SIZE = 67_092_480
/** Files of one post. */
export const MAX_FILES = 16

/** What is attached, as the routes that write take it. */
export interface AttachedFile {
  id: string
  alt?: string
}

export class PickedFile {
  readonly file: File
  /** What a picture shows, for those who do not see it. */
  readonly alt = signal('')
  /** How much of it has been handed over, from 0 to 1. */
  readonly part = signal(0)
  readonly state = signal<'coming' | 'here' | 'failed'>('coming')
  readonly error = signal<unknown>(undefined)
  readonly mayHide = signal(false)
  #id: string | undefined
  #over = new AbortController()
  #done: Promise<void>

  constructor(file: File, isPlain: boolean) {
    this.file = file
    this.#done = this.#handOver(isPlain)
  }

  get isPicture(): boolean {
    return this.file.type.startsWith('image/')
  }

  /** Hands it over anew: because that failed, or as something else. */
  again(isPlain: boolean): void {
    this.discard()
    this.#over = new AbortController()
    this.#done = this.#handOver(isPlain)
  }

  /** Resolves when the node has it. @throws ApiError, DOMException */
  async attached(): Promise<AttachedFile> {
    await this.#done
    if (this.#id === undefined) throw this.error.value
    const alt = this.alt.value.trim()
    return { id: this.#id, ...(alt === '' ? {} : { alt }) }
  }

  /** It is not to be attached: the node lets go of it. */
  discard(): void {
    this.#over.abort()
    if (this.#id !== undefined) void post('files/discard', { id: this.#id }).catch(() => {})
    this.#id = undefined
  }

  /** Never fails: why it did not work is in {@link error}. */
  async #handOver(isPlain: boolean): Promise<void> {
    const { signal: over } = this.#over
    this.part.value = 0
    this.error.value = undefined
    this.state.value = 'coming'
    try {
      checkSize(this.file)
      const { file, name, mayHide } = isPlain
        ? await plainFile(this.file)
        : { file: this.file, name: this.file.name, mayHide: false }
      this.mayHide.value = mayHide
      const mime = /^[\w.+-]+\/[\w.+-]+$/.test(file.type) ? file.type : undefined
      const onProgress = (part: number): void => void (this.part.value = part)
      const { id } = await upload(file, { name: name === '' ? 'file' : name, mime, onProgress, signal: over })
      if (over.aborted) return void post('files/discard', { id }).catch(() => {})
      this.#id = id
      this.state.value = 'here'
    } catch (error) {
      if (over.aborted) return
      this.error.value = error
      this.state.value = 'failed'
    }
  }
}

/** @throws ApiError TOO_LARGE, EMPTY: codes that the page tells by itself */
function checkSize({ size }: File): void {
  if (size === 0) throw new ApiError('EMPTY', 'the file is empty')
  if (size > MAX_FILE_SIZE) throw new ApiError('TOO_LARGE', 'the file is too large')
}

/** The files of one text. */
export class Uploads {
  readonly files = signal<readonly PickedFile[]>([])
  /** Whether hidden data are taken out of pictures. */
  readonly isPlain: Signal<boolean> = signal(true)
  /** More were chosen than fit. */
  readonly areTooMany = signal(false)

  add(chosen: Iterable<File>): void {
    const all = [...chosen]
    const taken = all.slice(0, MAX_FILES - this.files.value.length)
    this.areTooMany.value = taken.length < all.length
    this.files.value = [...this.files.value, ...taken.map((file) => new PickedFile(file, this.isPlain.value))]
  }

  remove(file: PickedFile): void {
    file.discard()
    this.forget(file)
  }

  /** It has been attached. */
  forget(file: PickedFile): void {
    this.areTooMany.value = false
    this.files.value = this.files.value.filter((each) => each !== file)
  }

  setPlain(isPlain: boolean): void {
    this.isPlain.value = isPlain
    for (const file of this.files.value) if (file.isPicture || file.file.type === '') file.again(isPlain)
  }

  /**
   * Attaches files to what `use` writes, and forgets them then. The node keeps what was handed over for an hour, and not
   * beyond its own end: what it does not know any more is handed over once more.
   * @throws what `use` throws; ApiError, DOMException when one could not be handed over
   */
  async attach<T>(files: readonly PickedFile[], use: (attached: AttachedFile[]) => Promise<T>): Promise<T> {
    const attempt = async (): Promise<T> => use(await Promise.all(files.map((file) => file.attached())))
    const written = await attempt().catch((error: unknown) => {
      if (files.length === 0 || !(error instanceof ApiError) || error.code !== 'NOT_FOUND') throw error
      for (const file of files) file.again(this.isPlain.value)
      return attempt()
    })
    for (const file of files) this.forget(file)
    return written
  }

  /** What was chosen is not attached to anything: one has gone elsewhere. */
  clear(): void {
    for (const file of this.files.value) this.remove(file)
  }
}
