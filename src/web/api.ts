// Asks the node that this page came from. Nothing else is ever asked.
import type { ErrorShape, Sentence } from './shapes.ts'

/** What the node refused, with its code; `OFFLINE` when it could not be reached at all. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly code: string
  /** What the message says, where that has a code of its own. */
  readonly sentence: Sentence | undefined

  constructor(code: string, message: string, options?: ErrorOptions & { sentence?: Sentence }) {
    super(message, options)
    this.code = code
    this.sentence = options?.sentence
  }
}

export type Query = Record<string, string | number | boolean | undefined>

/** How long an answer may take, in ms. Meeting somebody may take 40 s. */
const ANSWER_TIMEOUT_MS = 60_000

/** Reads. @throws ApiError */
export async function get<T>(verb: string, query: Query = {}): Promise<T> {
  const response = await send(target(verb, query), { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
  return (await response.json()) as T
}

/** Changes. @throws ApiError */
export async function post<T>(verb: string, body: object = {}): Promise<T> {
  const response = await send(target(verb, {}), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  })
  return (await response.json()) as T
}

/** Reads a stream of values, a line each, to its end. @throws ApiError, also for an error that is the last line */
export async function list<T>(verb: string, query: Query = {}): Promise<T[]> {
  const response = await send(target(verb, query), { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
  const values = (await response.text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line))
  for (const value of values) throwIfError(value)
  return values as T[]
}

/** Asks for a stream, and lets go of it when it has begun: what it stands for goes on. @throws ApiError */
export async function begin(verb: string, query: Query): Promise<void> {
  const response = await send(target(verb, query), { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  const { value } = await reader.read()
  await reader.cancel()
  if (value !== undefined) throwIfError(JSON.parse(value.split('\n')[0]))
}

function target(verb: string, query: Query): string {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const search = new URLSearchParams(fields.map(([name, value]) => [name, String(value)])).toString()
  return search === '' ? `/api/${verb}` : `/api/${verb}?${search}`
}

async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, init).catch((cause: unknown) => {
    throw new ApiError('OFFLINE', 'the node cannot be reached', { cause })
  })
  if (response.ok) return response
  throwIfError(await response.json().catch(() => undefined))
  throw new ApiError('FAILED', `the node answered with status ${response.status}`)
}

function throwIfError(value: unknown): void {
  if (typeof value !== 'object' || value === null || !('error' in value)) return
  const { code, message, sentence } = value.error as ErrorShape['error']
  throw new ApiError(code, message, { sentence })
}
