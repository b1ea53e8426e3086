// Hands the bytes of a file over to the node. By an XMLHttpRequest, since fetch does not tell how far a request has come.
import { ApiError } from './api.ts'
import type { UploadShape } from './shapes.ts'

export interface UploadOptions {
  name: string
  mime?: string
  /** From 0 to 1. */
  onProgress: (part: number) => void
  signal: AbortSignal
}

/** @throws ApiError; `ABORTED` when the signal fires */
export function upload(file: Blob, { name, mime, onProgress, signal }: UploadOptions): Promise<UploadShape> {
  const query = new URLSearchParams({ name, ...(mime === undefined ? {} : { mime }) })
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new ApiError('ABORTED', 'the file is not wanted any more'))
    const request = new XMLHttpRequest()
    request.open('POST', `/api/files?${query.toString()}`)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.responseType = 'json'
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total === 0 ? 0 : loaded / total))
    request.addEventListener('load', () => {
      if (request.status === 200) resolve(request.response as UploadShape)
      else reject(failureOf(request))
    })
    request.addEventListener('error', () => reject(new ApiError('OFFLINE', 'the node cannot be reached')))
    request.addEventListener('abort', () => reject(new ApiError('ABORTED', 'the file is not wanted any more')))
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(file)
  })
}

function failureOf({ response, status }: XMLHttpRequest): ApiError {
  const { error } = (response ?? {}) as { error?: { code: string; message: string } }
  return new ApiError(error?.code ?? 'FAILED', error?.message ?? `the node answered with status ${status}`)
}
