// How a route is made: what comes in is checked by the route's schema, and what its verb gives is the answer.
import type { Context, Handler, Hono } from 'hono'
import { NodeError } from '../node/comrade.ts'
import { parseRequest } from './requests.ts'
import type * as v from 'valibot'

/** What is known of a route besides what it does, for whoever describes the API. */
export interface RouteForm {
  /** What is taken: as a query by GET and with a file, else as JSON. */
  input: v.GenericSchema
  /** Whether the body is the bytes of a file. */
  isUpload?: boolean
  answer: 'json' | 'stream' | 'file'
}

const forms = new WeakMap<Handler, RouteForm>()

/** The form of a route; undefined for a handler that was not made here. */
export function formOf(handler: Handler): RouteForm | undefined {
  return forms.get(handler)
}

/** A route that reads, with a query. */
export function get<S extends v.GenericSchema>(
  app: Hono,
  verb: string,
  schema: S,
  run: (input: v.InferOutput<S>) => unknown
): void {
  respond(app, verb, { input: schema, answer: 'json' }, async (input, c) => c.json(await run(input)))
}

/** A route that reads, with a query, and gives a stream of values. */
export function stream<S extends v.GenericSchema>(
  app: Hono,
  verb: string,
  schema: S,
  run: (input: v.InferOutput<S>, c: Context) => Response | Promise<Response>
): void {
  respond(app, verb, { input: schema, answer: 'stream' }, run)
}

/** A route that reads, with a query, and gives the bytes of a file. */
export function file<S extends v.GenericSchema>(
  app: Hono,
  verb: string,
  schema: S,
  run: (input: v.InferOutput<S>, c: Context) => Promise<Response>
): void {
  respond(app, verb, { input: schema, answer: 'file' }, run)
}

function respond<S extends v.GenericSchema>(
  app: Hono,
  verb: string,
  form: RouteForm & { input: S },
  run: (input: v.InferOutput<S>, c: Context) => Response | Promise<Response>
): void {
  const handler: Handler = async (c) => run(parseRequest(form.input, query(c)), c)
  forms.set(handler, form)
  app.get(`/api/${verb}`, handler)
}

/** A route that changes something, with a JSON object. */
export function post<S extends v.GenericSchema>(
  app: Hono,
  verb: string,
  schema: S,
  run: (input: v.InferOutput<S>, c: Context) => unknown
): void {
  const handler: Handler = async (c) => c.json(await run(parseRequest(schema, await json(c)), c))
  forms.set(handler, { input: schema, answer: 'json' })
  app.post(`/api/${verb}`, handler)
}

/** A route that takes the bytes of a file, with a query, as they come. */
export function upload<S extends v.GenericSchema>(
  app: Hono,
  verb: string,
  schema: S,
  run: (input: v.InferOutput<S>, c: Context) => unknown
): void {
  const handler: Handler = async (c) => c.json(await run(parseRequest(schema, query(c)), c))
  forms.set(handler, { input: schema, answer: 'json', isUpload: true })
  app.post(`/api/${verb}`, handler)
}

/** A query's fields. @throws NodeError BAD_INPUT when one is given twice */
function query(c: Context): Record<string, string> {
  const fields = Object.entries(c.req.queries())
  const twice = fields.find(([, values]) => values.length > 1)
  if (twice !== undefined) throw new NodeError('BAD_INPUT', `${twice[0]} is given twice`)
  return Object.fromEntries(fields.map(([name, [value]]) => [name, value]))
}

/** The body; none at all is an empty object. @throws NodeError BAD_INPUT when it is not UTF-8 or not JSON */
async function json(c: Context): Promise<unknown> {
  const bytes = await c.req.arrayBuffer()
  if (bytes.byteLength === 0) return {}
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new NodeError('BAD_INPUT', 'the body is not JSON in UTF-8', { cause })
  }
}
