// The vectors that any implementation can check itself against, against this one.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeBody, encodeBody, renderable } from '../../src/feeds/body.ts'
import { validateEntry, type Entry } from '../../src/feeds/entry.ts'
import { FeedError } from '../../src/feeds/errors.ts'
import type { Vector } from '../vectors/cases/build.ts'
import { formatVectors, vectorFiles } from '../vectors/generate.ts'

const folder = join(import.meta.dirname, '../vectors')
const bytes = (hex: string) => Buffer.from(hex, 'hex')
const optional = (hex: string | undefined) => (hex === undefined ? undefined : bytes(hex))

function validate({ header, body, signature, previous }: Vector): Entry {
  return validateEntry(
    { header: bytes(header), body: optional(body), signature: optional(signature) },
    previous && { feed: bytes(previous.feed), seq: previous.seq, id: bytes(previous.id) }
  )
}

describe('vectors', () => {
  it('are what the generator makes', () => {
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
    assert.deepEqual(files.toSorted(), Object.keys(vectorFiles).toSorted())
    for (const file of files) {
      assert.equal(
        readFileSync(join(folder, file), 'utf8'),
        formatVectors(vectorFiles[file]),
        `${file}: run generate.ts`
      )
    }
  })

  it('have names of their own within a file', () => {
    for (const [file, vectors] of Object.entries(vectorFiles)) {
      const names = vectors.map(({ name, error }) => `${error}: ${name}`)
      assert.equal(new Set(names).size, names.length, file)
    }
  })

  for (const [file, vectors] of Object.entries(vectorFiles)) {
    describe(file, () => {
      for (const vector of vectors) {
        if (vector.valid) it(`accepts ${vector.name}`, () => accept(vector))
        else it(`${vector.error}: refuses ${vector.name}`, () => refuse(vector))
      }
    })
  }
})

function accept(vector: Vector): void {
  const entry = validate(vector)
  assert.equal(Buffer.from(entry.id).toString('hex'), vector.id)
  if (entry.version !== 1 || entry.flags !== 0 || entry.body === undefined) return
  const body = decodeBody(entry.body)
  if (vector.rendered !== undefined) assert.equal(renderable(body) !== undefined, vector.rendered)
  if (vector.rendered) assert.deepEqual(Buffer.from(encodeBody(body)), entry.body)
}

function refuse(vector: Vector): void {
  assert.throws(
    () => validate(vector),
    (error) => error instanceof FeedError && assert.equal(error.code, vector.error, error.message) === undefined
  )
}
