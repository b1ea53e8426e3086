// docs/openapi.json and docs/api.md say of every route what it takes, as the node checks it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { allRoutes, apiDescription, formsOf, inputSchema, reference } from '../../scripts/api-description.ts'
import { ROOT } from '../support/documents.ts'

interface Operation {
  operationId: string
  parameters?: { name: string; required?: boolean }[]
  requestBody?: { content: { 'application/json'?: { schema: { properties: object } } } }
}

describe('the description of the local API', () => {
  const forms = formsOf(allRoutes())
  const fields = (name: string): string[] => Object.keys(inputSchema(forms.get(name)!).properties as object)

  it('is what the schemas and the reference make of it', () => {
    const text = readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')
    assert.ok(text === apiDescription(), 'docs/openapi.json is out of date: run `npm run openapi`')
  })

  it('has each route once, with all that it takes', () => {
    const { paths } = JSON.parse(apiDescription()) as { paths: Record<string, Record<string, Operation>> }
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation }))
    )
    assert.deepEqual(operations.map(({ name }) => name).sort(), [...forms.keys()].sort())
    assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, forms.size)
    for (const { name, operation } of operations) {
      const inQuery = operation.parameters?.map((parameter) => parameter.name) ?? []
      const inBody = Object.keys(operation.requestBody?.content['application/json']?.schema.properties ?? {})
      assert.deepEqual([...inQuery, ...inBody], fields(name), name)
    }
  })

  it('gives limits as the node checks them: bytes, characters, numbers in a query', () => {
    const input = (name: string): unknown => inputSchema(forms.get(name)!).properties
    assert.deepEqual((input('POST /api/profile') as { name: object }).name, { type: 'string', maxLength: 64 })
    const { limit, follow, before } = input('GET /api/feed') as Record<string, object>
    assert.deepEqual(limit, { type: 'integer', minimum: 1, maximum: 10_000 })
    assert.deepEqual(follow, { type: 'boolean' })
    assert.deepEqual(before, { type: 'string', pattern: '^bafkrei[a-z2-7]{52}$' })
  })

  it('is the same for people: docs/api.md has each route once, with all fields that it takes', () => {
    const rows = reference()
    assert.ok(rows.size > 20)
    assert.deepEqual([...rows.keys()].sort(), [...forms.keys()].sort())
    for (const [name, { takes, gives }] of rows) {
      const words = [...takes.matchAll(/`(\w+)(=\w+)?`/g)].map(([, word]) => word)
      const missing = fields(name).filter((field) => !words.includes(field))
      assert.deepEqual(missing, [], `${name} in docs/api.md`)
      if (fields(name).length === 0) assert.equal(takes, '', `${name} takes nothing`)
      assert.notEqual(gives, '', name)
    }
  })
})
