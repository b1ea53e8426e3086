// The routes of `files`: what a page hands over to be attached, and how far files of others have come. Nothing here names a
// file of this machine.
import type { Context, Hono } from 'hono'
import { type AttachmentSource, type Comrade, NodeError } from '../node/comrade.ts'
import { requests } from './requests.ts'
import { get, post, upload } from './route.ts'
import { uploadShape } from './shapes.ts'

export function fileRoutes(app: Hono, { files }: Comrade): void {
  get(app, 'files', requests.nothing, () => files.coming())
  upload(app, 'files', requests.upload, async (about, c) =>
    uploadShape(await files.upload(arriving(c), { ...about, size: sizeOf(c) }))
  )
  post(app, 'files/discard', requests.discard, ({ id }) => ({ id, discarded: files.discard(id) }))
}

/** What was uploaded, as the node takes it. */
export function uploadedFile({ id, alt }: { id: string; alt?: string }): AttachmentSource {
  return { upload: id, alt: saying(alt) }
}

/** A file of this machine, named by its user. */
export function fileAt(path: string, { alt, plain }: { alt?: string; plain?: boolean }): AttachmentSource {
  return { file: path, alt: saying(alt), isPlain: plain }
}

function saying(alt: string | undefined): string | undefined {
  return alt === '' ? undefined : alt
}

/** The guard has seen to it that it is there. */
function sizeOf(c: Context): number {
  return Number(c.req.header('content-length'))
}

/** The body as it comes. @throws NodeError BAD_INPUT when it breaks off */
async function* arriving(c: Context): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of c.req.raw.body ?? []) yield part
  } catch (cause) {
    throw new NodeError('BAD_INPUT', 'the file has not arrived: the connection broke off', { cause })
  }
}
