// Describes the local API in OpenAPI: what each route takes, from the very schema that checks it; what it gives, in the words
// of docs/api.md.
import { toJsonSchema } from '@valibot/to-json-schema'
import type { Hono } from 'hono'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EventLog } from '../src/api/event-log.ts'
import { isShort, MAX_CHARACTERS } from '../src/api/requests.ts'
import { formOf, type RouteForm } from '../src/api/route.ts'
import { routes } from '../src/api/routes.ts'
import { Sessions } from '../src/api/sessions.ts'
import type { Comrade } from '../src/node/comrade.ts'

const ROOT = dirname(import.meta.dirname)

type Json = Record<string, unknown>

/** One route, as a row of the table in docs/api.md tells it. */
export interface ReferenceRow {
  takes: string
  gives: string
}

/** Every route of the API, of a node that is not there: they are looked at, and not asked. */
export function allRoutes(): Hono {
  const comrade = new Proxy({}, { get: () => comrade }) as Comrade // whatever part of it a route is made with
  const { signal: closing } = new AbortController()
  const refuse = (): never => {
    throw new Error('there is no node')
  }
  const browsers = { sessions: new Sessions(), port: undefined, open: refuse, end: refuse }
  return routes({ comrade, isSocket: false, onDown: refuse, closing, log: new EventLog(comrade, closing), browsers })
}

export function reference(): Map<string, ReferenceRow> {
  return readReference(readFileSync(join(ROOT, 'docs/api.md'), 'utf8'))
}

/** The text of docs/openapi.json as it should be. */
export function apiDescription(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  return JSON.stringify(describeApi(allRoutes(), reference(), version), null, 2) + '\n'
}

/** The rows of the table in docs/api.md, by `GET /api/…`. */
function readReference(markdown: string): Map<string, ReferenceRow> {
  const rows = new Map<string, ReferenceRow>()
  for (const line of markdown.split('\n')) {
    const [, names, takes, gives] = /^\| (`(?:GET|POST) \/api\/.*?) \|(.*?)\|(.*)\|$/.exec(line) ?? []
    for (const [, name] of names?.matchAll(/`(.*?)`/g) ?? [])
      rows.set(name, { takes: takes.trim(), gives: gives.trim() })
  }
  return rows
}

/** The routes below /api/, by `GET /api/…`. @throws when one was made without saying what it takes */
export function formsOf(app: Hono): Map<string, RouteForm> {
  const own = app.routes.filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/'))
  return new Map(
    own.map(({ method, path, handler }) => {
      const form = formOf(handler)
      if (form === undefined)
        throw new Error(`${method} ${path} is to be made by get, post or stream of src/api/route.ts`)
      return [`${method} ${path}`, form]
    })
  )
}

/** The JSON Schema of what a route takes: draft 2020-12, which OpenAPI 3.1 uses. */
export function inputSchema({ input }: RouteForm): Json {
  const { $schema: _version, ...schema } = toJsonSchema(input, {
    target: 'draft-2020-12',
    // In a query everything is text. What it stands for is described, as OpenAPI has it.
    typeMode: 'output',
    overrideAction: ({ valibotAction: { type, ...action }, jsonSchema }) => {
      const requirement = (action as { requirement?: unknown }).requirement
      if (type === 'regex') return { ...jsonSchema, pattern: (requirement as RegExp).source }
      // JSON Schema counts characters, of which there are never more than bytes.
      if (type === 'max_bytes') return { ...jsonSchema, maxLength: requirement as number }
      if (type === 'check') return requirement === isShort ? { ...jsonSchema, maxLength: MAX_CHARACTERS } : jsonSchema
      return undefined
    }
  })
  return schema
}

/**
 * The whole API as OpenAPI 3.1.
 * @throws when a route has no row in the reference
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
function describeApi(app: Hono, rows: ReadonlyMap<string, ReferenceRow>, version: string): Json {
  const paths: Record<string, Json> = {}
  for (const [name, form] of formsOf(app)) {
    const row = rows.get(name)
    if (row === undefined) throw new Error(`${name} is missing in docs/api.md`)
    const [method, path] = name.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(name, form, row) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: "Comrade's local API",
      version,
      description: 'Rules, streams, and the fields of answers are told in docs/api.md and docs/cli.md.',
      license: { name: 'AGPL-3.0-or-later', identifier: 'AGPL-3.0-or-later' }
    },
    servers: [{ url: 'http://127.0.0.1:{port}', variables: { port: { default: '7777', description: 'of --http' } } }],
    security: [{ token: [] }, { session: [] }],
    paths,
    components: COMPONENTS
  }
}

const COMPONENTS = {
  securitySchemes: {
    token: { type: 'http', scheme: 'bearer', description: 'from keys/api-token in the home' },
    session: { type: 'apiKey', in: 'cookie', name: 'comrade-{port}', description: 'by `comrade open`' }
  },
  schemas: {
    Error: {
      type: 'object',
      properties: {
        error: {
          type: 'object',
          properties: { code: { type: 'string' }, message: { type: 'string' } },
          required: ['code', 'message']
        }
      },
      required: ['error']
    }
  },
  responses: {
    Error: {
      description: 'a code that stays, and a sentence for people',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
    }
  }
}

const FILE_BODY = { requestBody: { required: true, content: { 'application/octet-stream': {} } } }

function operation(name: string, form: RouteForm, { takes, gives }: ReferenceRow): Json {
  const [method, path] = name.split(' ')
  const schema = inputSchema(form)
  return {
    operationId: [method.toLowerCase(), ...path.split('/').slice(2)].join('-'),
    ...(takes === '' ? {} : { description: `Takes ${plain(takes)}` }),
    ...(method === 'GET' || form.isUpload === true ? queryOf(schema) : bodyOf(schema)),
    ...(form.isUpload === true ? FILE_BODY : {}),
    ...(name === 'POST /api/session' ? { security: [] } : {}),
    responses: {
      200: { description: plain(gives), content: contentOf(form, name) },
      default: { $ref: '#/components/responses/Error' }
    }
  }
}

function queryOf(schema: Json): Json {
  const required = schema.required as string[]
  const parameters = Object.entries(schema.properties as Record<string, Json>).map(([field, value]) => ({
    name: field,
    in: 'query',
    ...(required.includes(field) ? { required: true } : {}),
    schema: value
  }))
  return parameters.length === 0 ? {} : { parameters }
}

function bodyOf(schema: Json): Json {
  if (Object.keys(schema.properties as Json).length === 0) return {}
  const isRequired = (schema.required as string[]).length > 0
  return { requestBody: { ...(isRequired ? { required: true } : {}), content: { 'application/json': { schema } } } }
}

function contentOf({ answer }: RouteForm, name: string): Json {
  if (answer === 'json') return { 'application/json': {} }
  if (answer === 'file') return { '*/*': { schema: { contentMediaType: 'application/octet-stream' } } }
  const lines = { 'application/x-ndjson': {} }
  return name === 'GET /api/events' ? { ...lines, 'text/event-stream': {} } : lines
}

/** Words of a table without their links: these lead from docs/. */
function plain(markdown: string): string {
  return markdown.replace(/\[(.*?)\]\(.*?\)/g, '$1')
}
