// How large a request's body may be. One that does not say its length is counted while it is read.
import type { MiddlewareHandler } from 'hono'
import { TOO_LARGE } from './guard.ts'

/** Answers 413 to larger bodies, before more of them is read than may be. @param maxSizeAt in bytes, by the path */
export function bodyLimit(maxSizeAt: (path: string) => number): MiddlewareHandler {
  return async (c, next) => {
    const maxSize = maxSizeAt(c.req.path)
    const length = c.req.header('content-length')
    const isCounted = length === undefined || c.req.header('transfer-encoding') !== undefined
    const body = isCounted ? await readUpTo(maxSize, c.req.raw.body) : undefined
    if (isCounted ? body === undefined : Number(length) > maxSize) {
      const message = `a request body has at most ${maxSize} bytes here`
      return c.json({ error: { code: TOO_LARGE.code, message } }, 413)
    }
    if (body !== undefined) c.req.bodyCache.arrayBuffer = body
    return next()
  }
}

/** undefined when it is larger. */
async function readUpTo(maxSize: number, body: AsyncIterable<Uint8Array> | null): Promise<ArrayBuffer | undefined> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body ?? []) {
    size += part.length
    if (size > maxSize) return undefined
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts)).buffer
}
