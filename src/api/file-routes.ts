// The routes of `files`: what a page hands over to be attached, and how far files of others have come. Nothing here names a
// file of this machine.
import type { Hono } from 'hono'
import { type AttachmentSource, type Comrade, NodeError } from '../node/comrade.ts'
import { requests } from './requests.ts'
import { get, post, upload } from './route.ts'
import { uploadShape } from './shapes.ts'

export function fileRoutes(app: Hono, { files }: Comrade): void {
  get(app, 'files', requests.nothing, () => files.coming())
  upload(app, 'files', requests.upload, async (about, c) => {
    const body = c.req.raw.body!.getReader() // the guard has seen to it that there is one
    const given = files.upload(arriving(body), { ...about, size: Number(c.req.header('content-length')) })
    return uploadShape(await given.catch((error: unknown) => drained(body, error)))
  })
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

type Body = ReadableStreamDefaultReader<Uint8Array>

/** The body as it comes. @throws NodeError BAD_INPUT when it breaks off */
async function* arriving(body: Body): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { done, value } = await body.read().catch((cause: unknown) => {
      throw new NodeError('BAD_INPUT', 'the file has not arrived: the connection broke off', { cause })
    })
    if (done) return
    yield value
  }
}

/** Reads what still comes: a browser that is answered before it has sent all would see a broken connection, and no reason. */
async function drained(body: Body, error: unknown): Promise<never> {
  while (!(await body.read().catch(() => ({ done: true }))).done);
  throw error
}
