// Which HTTP status an error's code has, and how an error looks on the wire.
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** How every failure is told: under `error`, with a stable code and a sentence. */
export interface ErrorBody {
  error: { code: string; message: string }
}

const STATUS: Readonly<Record<string, ContentfulStatusCode>> = {
  BAD_INPUT: 400,
  DID: 400,
  NAME: 400,
  ADDRESS: 400,
  SELF: 400,
  BODY_TOO_LARGE: 400,
  BODY_SCHEMA: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_OWN: 403,
  NOT_OWN_FEED: 403,
  NOT_FOUND: 404,
  WHO_UNKNOWN: 404,
  WHO_AMBIGUOUS: 409,
  NAME_TAKEN: 409,
  BLOCKED: 409,
  FEED_FROZEN: 409,
  SIGNING_PAUSED: 409,
  TOO_LARGE: 413,
  UNSUPPORTED_TYPE: 415,
  MISDIRECTED: 421,
  ARCHIVE_FORMAT: 422,
  LOCKED: 423,
  FAILED: 500,
  UNREACHABLE: 502,
  NOT_RUNNING: 503,
  STORE_CLOSED: 503,
  TIMEOUT: 504,
  DISK_FULL: 507
}

/** Status of a code; a code that is not in the table is the node's own failure: 500. */
export function statusOf(code: string): ContentfulStatusCode {
  return STATUS[code] ?? 500
}

/** The wire form of anything that was thrown. Errors without a code of this program have FAILED. */
export function errorBody(error: unknown): ErrorBody {
  if (!(error instanceof Error)) return { error: { code: 'FAILED', message: String(error) } }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'FAILED'
  return { error: { code, message: error.message } }
}
