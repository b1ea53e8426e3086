// Which HTTP status an error's code has.
import type { ContentfulStatusCode } from 'hono/utils/http-status'

const STATUS = {
  BAD_INPUT: 400,
  BAD_ID: 400,
  DID: 400,
  NAME: 400,
  ADDRESS: 400,
  LINK: 400,
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
  USED: 409,
  DECLINED: 409,
  BLOCKED: 409,
  FEED_FROZEN: 409,
  SIGNING_PAUSED: 409,
  EXPIRED: 410,
  LENGTH_REQUIRED: 411,
  TOO_LARGE: 413,
  UNSUPPORTED_TYPE: 415,
  MISDIRECTED: 421,
  ARCHIVE_FORMAT: 422,
  LOCKED: 423,
  BUSY: 429,
  FAILED: 500,
  UNAVAILABLE: 501,
  UNREACHABLE: 502,
  NOT_RUNNING: 503,
  STORE_CLOSED: 503,
  TIMEOUT: 504,
  DISK_FULL: 507
} as const satisfies Readonly<Record<string, ContentfulStatusCode>>

/** Codes that have a status of their own; of what others say no more is known than that it failed. */
export type ErrorCode = keyof typeof STATUS

/** Status of a code; a code that is not in the table is the node's own failure: 500. */
export function statusOf(code: string): ContentfulStatusCode {
  return Object.hasOwn(STATUS, code) ? STATUS[code as ErrorCode] : STATUS.FAILED
}

/** All codes that have a status of their own. */
export function statusCodes(): ErrorCode[] {
  return Object.keys(STATUS) as ErrorCode[]
}
