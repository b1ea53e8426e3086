// node.files: files that are on their way, to be attached or from others.
import type { Blobs } from './blobs.ts'
import type { FileProgress, Files, Upload, UploadOptions } from './contract.ts'
import type { Uploads } from './uploads.ts'

export interface NodeFilesOptions {
  blobs: Blobs
  uploads: Uploads
}

export class NodeFiles implements Files {
  readonly #options: NodeFilesOptions

  constructor(options: NodeFilesOptions) {
    this.#options = options
  }

  upload(source: AsyncIterable<Uint8Array>, options: UploadOptions): Promise<Upload> {
    return this.#options.uploads.add(source, options)
  }

  discard(id: string): boolean {
    return this.#options.uploads.discard(id)
  }

  coming(): FileProgress[] {
    const { blobs } = this.#options
    return blobs.fetcher.ids().map((id) => blobs.progressOf(id))
  }
}
