// The side that gives a blob, on one stream: answers one request after the other. To whom, the node has asked before.
import type { MessageStream } from '../feeds/index.ts'
import { type BlobAnswer, type BlobRequest, decodeRequest, encodeAnswer } from './blob-frame.ts'
import { BlobError } from './errors.ts'
import { encodeManifest } from './manifest.ts'
import type { StoredBlob } from './stored-blob.ts'

export interface BlobHostOptions {
  find: (id: Uint8Array) => Promise<StoredBlob | undefined>
  /** Whether the other side may have a blob; asked before each answer. @default yes */
  mayHave?: (id: Uint8Array) => boolean
  /** Before each answer. @throws to end the stream */
  onRequest: () => void
}

/** Answers until the other side closes. @throws BlobError FRAME; whatever ends the stream */
export async function giveBlob(
  messages: MessageStream,
  { find, mayHave = () => true, onRequest }: BlobHostOptions
): Promise<void> {
  let blob: StoredBlob | undefined
  for await (const frame of messages.receive()) {
    const request = decodeRequest(frame)
    onRequest()
    // For who may not have it nothing is looked up: not even the time tells them whether it is here.
    if (request.kind === 'want') blob = mayHave(request.id) ? await find(request.id) : undefined
    else if (blob !== undefined && !mayHave(blob.id)) blob = undefined
    await messages.send(encodeAnswer(await answerTo(request, blob)))
  }
}

/** No is said alike of what was never here, what is not here any more, and chunks that are missing. */
async function answerTo(request: BlobRequest, blob: StoredBlob | undefined): Promise<BlobAnswer> {
  if (blob === undefined) return { kind: 'no' }
  try {
    if (request.kind === 'want') return { kind: 'has', bitmap: blob.bitmap() }
    if (request.kind === 'manifest') return { kind: 'manifestIs', manifest: encodeManifest(blob.manifest) }
    return { kind: 'chunkIs', index: request.index, bytes: await blob.read(request.index) }
  } catch (error) {
    if (error instanceof BlobError && error.code === 'NOT_FOUND') return { kind: 'no' }
    throw error
  }
}
