// How a route is made: what comes in is checked by the route's schema, and what its verb gives is the answer.
import type { Context, Hono } from 'hono'
import { NodeError } from '../node/comrade.ts'
import { parseRequest } from './requests.ts'
import type * as v from 'valibot'

/** A route that reads, with a query. */
export function get<S extends v.GenericSchema>(
  app: Hono,
  verb: string,
  schema: S,
  run: (input: v.InferOutput<S>) => unknown
): void {
  app.get(`/api/${verb}`, async (c) => c.json(await run(parseRequest(schema, query(c)))))
}

/** A route that changes something, with a JSON object. */
export function post<S extends v.GenericSchema>(
  app: Hono,
  verb: string,
  schema: S,
  run: (input: v.InferOutput<S>) => unknown
): void {
  app.post(`/api/${verb}`, async (c) => c.json(await run(parseRequest(schema, await json(c)))))
}

/** A query's fields. @throws NodeError BAD_INPUT when one is given twice */
export function query(c: Context): Record<string, string> {
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
