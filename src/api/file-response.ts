// A file of a post or a message as an answer: always one to be kept, never a page of this origin. Who wrote the post chose its
// name, its type and its bytes.
import type { Context } from 'hono'
import { ReadableStream } from 'node:stream/web'
import { NodeError, type OpenedAttachment } from '../node/comrade.ts'

/** How long a file that is not here yet is waited for, in ms. */
const WAIT_MS = 60_000
/** Types that a browser draws and that run nothing. All others are bytes. */
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'])

/** Whether the bytes are for a page to draw, and not for somebody who asked for the file: browsers say so. */
export function isDrawn(c: Context): boolean {
  return c.req.header('sec-fetch-dest') === 'image'
}

/**
 * Answers with the bytes of a file, once it is here.
 * @param open rejects when the signal that it is given fires
 * @param gone fires when nobody waits for it any more
 * @throws NodeError TIMEOUT after 60 s; what `open` throws
 */
export async function fileResponse(
  open: (signal: AbortSignal) => Promise<OpenedAttachment>,
  gone: AbortSignal
): Promise<Response> {
  const limit = AbortSignal.timeout(WAIT_MS)
  const file = await open(AbortSignal.any([gone, limit])).catch((error: unknown) => {
    if (!limit.aborted) throw error
    throw new NodeError('TIMEOUT', 'the file is not here yet: nobody who has it is connected', { cause: error })
  })
  const bytes = ReadableStream.from(file.read()) as globalThis.ReadableStream<Uint8Array> // one class under two types
  return new Response(bytes, {
    headers: {
      'content-type': PICTURES.has(file.mime ?? '') ? file.mime! : 'application/octet-stream',
      'content-length': String(file.size),
      'content-disposition': `attachment; filename*=UTF-8''${encoded(file.name)}`
    }
  })
}

/** As RFC 8187, section 3.2, has it. */
function encoded(name: string): string {
  const escape = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  return encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, escape)
}
