// How a route is made: what comes in is checked by the route's schema, and what its verb gives is the answer.
import type { Context, Handler, Hono } from 'hono'
import { NodeError } from '../node/comrade.ts'
import { parseRequest } from './requests.ts'
import type * as v from 'valibot'

/** What each handler takes, for whoever describes the API. */
const inputs = new WeakMap<Handler, v.GenericSchema>()

/** A route that reads, with a query. */
export function get<S extends v.GenericSchema>(
  app: Hono,
  verb: string,
  schema: S,
  run: (input: v.InferOutput<S>) => unknown
): void {
  stream(app, verb, schema, async (input, c) => c.json(await run(input)))
}

/** A route that reads, with a query, and makes its answer itself: a stream. */
export function stream<S extends v.GenericSchema>(
  app: Hono,
  verb: string,
  schema: S,
  run: (input: v.InferOutput<S>, c: Context) => Response | Promise<Response>
): void {
  const handler: Handler = async (c) => run(parseRequest(schema, query(c)), c)
  inputs.set(handler, schema)
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
  inputs.set(handler, schema)
  app.post(`/api/${verb}`, handler)
}

/** The schema of what a route takes; undefined for a handler that was not made here. */
export function inputOf(handler: Handler): v.GenericSchema | undefined {
  return inputs.get(handler)
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
