// Who may ask the local API, judged from a request's head alone, before any of its body is read.
// The unix socket is protected by its mode; loopback HTTP can be reached by any page in any browser of this machine.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { MAX_FILE_SIZE } from '../blobs/index.ts'
import type { Sessions } from './sessions.ts'

/** Largest request body, in bytes. */
export const MAX_REQUEST_SIZE = 1_048_576
/** Largest file that is uploaded, in bytes: what can be sealed and attached. */
export const MAX_UPLOAD_SIZE = MAX_FILE_SIZE
/** Where a body is the bytes of a file. */
const UPLOAD_PATH = '/api/files'
/** The same of somebody who is nobody yet: it has a code. */
export const MAX_STRANGER_SIZE = 1_024

/** What a request on loopback HTTP has to match. The socket has none of these. */
export interface LoopbackPolicy {
  /** Port that the server listens on. */
  port: number
  /** The bearer token. */
  token: string
  /** Browsers that were let in. */
  sessions: Pick<Sessions, 'use'>
}

/** Why a request is not let in. */
export interface Refusal {
  status: 400 | 401 | 403 | 411 | 413 | 415 | 421
  code:
    | 'BAD_INPUT'
    | 'UNAUTHORIZED'
    | 'FORBIDDEN'
    | 'TIMEOUT'
    | 'LENGTH_REQUIRED'
    | 'TOO_LARGE'
    | 'UNSUPPORTED_TYPE'
    | 'MISDIRECTED'
  message: string
}

/** The page: a few files with nothing of the user in them. Each is named in full, so that nothing else is reached by dots. */
const PAGE_FILE = /^\/(open|web\/[\w-]+(\.\w+)+)?$/
/** Cookies of one name that are looked at: pages of other ports can add some. */
const MAX_COOKIES = 4

/** The part of a request that is judged; `rawHeaders` because a repeated Host is folded away in `headers`. */
export type RequestHead = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>

/**
 * Judges a request. In this order, the first that fails names the refusal:
 *  1. Exactly one Host, and it is 127.0.0.1 or localhost with this port (DNS rebinding)     421
 *  2. The target is a path, not a whole URL                                                 421
 *  3. No Origin, or the one of this very Host; `null` is a foreign one                      403
 *  4. No Sec-Fetch-Site, or same-origin, or none (typed by the user)                        403
 *  5. Authorization: Bearer with the token, or the cookie of a session                      401
 *  6. Without the token, what changes something names its Origin, and
 *     Sec-Fetch-Site: same-origin                                                           403
 *  7. Content-Length at most 1 MiB, of an uploaded file 64 MiB less 16 KiB                  413
 *     A file that is uploaded says its length                                               411
 *  8. A body is application/json, a file application/octet-stream: no form can send them    415
 * The page is for everybody, and the trade of a code for a session is judged as if there were one.
 *
 * @param policy absent for the unix socket, where only 7 and 8 apply
 * @returns undefined when the request may go on
 */
export function refusalOf(request: RequestHead, policy?: LoopbackPolicy): Refusal | undefined {
  return (
    (policy && (foreignHost(request, policy) ?? foreignPage(request) ?? stranger(request, policy))) ?? badBody(request)
  )
}

/** Rules 1 and 2. */
function foreignHost(request: RequestHead, { port }: LoopbackPolicy): Refusal | undefined {
  const hosts = request.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length
  const host = request.headers.host
  const isOurs = host === `127.0.0.1:${port}` || host === `localhost:${port}`
  if (hosts === 1 && isOurs && request.url?.startsWith('/')) return undefined
  return {
    status: 421,
    code: 'MISDIRECTED',
    message: `this server answers only as 127.0.0.1:${port} or localhost:${port}`
  }
}

/** Rules 3 and 4. */
function foreignPage({ headers }: RequestHead): Refusal | undefined {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  const isOwnOrigin = origin === undefined || origin === `http://${host}`
  const isOwnSite = site === undefined || site === 'same-origin' || site === 'none'
  if (isOwnOrigin && isOwnSite) return undefined
  return { status: 403, code: 'FORBIDDEN', message: 'pages of other origins may not use the local API' }
}

/** Rules 5 and 6. A wrong token is not made good by a cookie. */
function stranger(request: RequestHead, policy: LoopbackPolicy): Refusal | undefined {
  if (request.headers.authorization !== undefined) return hasToken(request, policy) ? undefined : UNAUTHORIZED
  if (!isPublic(request) && sessionOf(request, policy) === undefined) return UNAUTHORIZED
  return request.method === 'GET' || request.method === 'HEAD' || isOwnPage(request) ? undefined : NOT_OWN_PAGE
}

function isPublic({ method, url }: RequestHead): boolean {
  const [path] = (url ?? '').split('?')
  return method === 'GET' ? PAGE_FILE.test(path) : method === 'POST' && path === '/api/session'
}

function hasToken({ headers }: RequestHead, { token }: LoopbackPolicy): boolean {
  const given = /^Bearer ([\w-]{1,128})$/i.exec(headers.authorization ?? '')?.[1]
  return given !== undefined && isSameSecret(given, token)
}

function isOwnPage({ headers }: RequestHead): boolean {
  return headers.origin === `http://${headers.host}` && headers['sec-fetch-site'] === 'same-origin'
}

const UNAUTHORIZED: Refusal = {
  status: 401,
  code: 'UNAUTHORIZED',
  message:
    'send Authorization: Bearer with the token from keys/api-token; for a browser, run `comrade open` and follow its address'
}

const NOT_OWN_PAGE: Refusal = {
  status: 403,
  code: 'FORBIDDEN',
  message: 'with a cookie only own pages may change something: Origin and Sec-Fetch-Site have to say so'
}

/** The session that a request without a token belongs to. @returns what fires when it is over */
export function sessionOf(
  { headers }: RequestHead,
  { port, sessions }: Omit<LoopbackPolicy, 'token'>
): AbortSignal | undefined {
  if (headers.authorization !== undefined) return undefined
  for (const secret of sessionSecrets(headers.cookie, port)) {
    const over = sessions.use(secret)
    if (over !== undefined) return over
  }
  return undefined
}

/** Browsers do not tell ports apart when they send cookies: each node on this machine has a name of its own for its. */
export function cookieName(port: number): string {
  return `comrade-${port}`
}

/** All values that a Cookie header has for the session. */
export function sessionSecrets(header: string | undefined, port: number): string[] {
  const name = `${cookieName(port)}=`
  const values = (header ?? '').split(/; */).filter((pair) => pair.startsWith(name))
  return values.map((pair) => pair.slice(name.length)).slice(0, MAX_COOKIES)
}

/** Compares in a time that does not depend on where, or in how many characters, the two differ. */
function isSameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** Rules 7 and 8. A body without a length is counted while it is read; a file has one. */
function badBody(request: RequestHead): Refusal | undefined {
  const { headers } = request
  const length = headers['content-length']
  const isFile = isUpload(request)
  if (isFile && length === undefined) return NO_LENGTH
  if (Number(length ?? 0) > (isFile ? MAX_UPLOAD_SIZE : MAX_REQUEST_SIZE)) return isFile ? TOO_LARGE_FILE : TOO_LARGE
  const hasBody = (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined
  const type = headers['content-type'] ?? ''
  if (isFile) return type === 'application/octet-stream' ? undefined : NO_FILE
  return !hasBody || /^application\/json *(;|$)/i.test(type) ? undefined : NO_JSON
}

/** Whether a request's body is the bytes of a file. */
export function isUpload({ method, url }: Pick<RequestHead, 'method' | 'url'>): boolean {
  return method === 'POST' && url?.split('?')[0] === UPLOAD_PATH
}

const NO_JSON: Refusal = {
  status: 415,
  code: 'UNSUPPORTED_TYPE',
  message: 'a body is JSON: send Content-Type: application/json'
}

const NO_FILE: Refusal = {
  status: 415,
  code: 'UNSUPPORTED_TYPE',
  message: 'a file is bytes: send Content-Type: application/octet-stream, and its type as mime in the query'
}

const NO_LENGTH: Refusal = {
  status: 411,
  code: 'LENGTH_REQUIRED',
  message: 'a file is taken when its size is known: send Content-Length'
}

const TOO_LARGE_FILE: Refusal = {
  status: 413,
  code: 'TOO_LARGE',
  message: `a file that is attached has at most ${MAX_UPLOAD_SIZE} bytes`
}

export const TOO_LARGE: Refusal = {
  status: 413,
  code: 'TOO_LARGE',
  message: `a request body has at most ${MAX_REQUEST_SIZE} bytes`
}

/** Sent with every response: never sniffed, framed, cached, or read as a page. */
export const GUARD_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store'
}
