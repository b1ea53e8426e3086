// test/README.md says which test shows what becomes of each thing that others may try: those tests have to be there.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/documents.ts'

/** Named as `` `folder/file.ts`: part of the test's name ``, with semicolons between. */
const NAMED = /^`([\w/.-]+\.ts)`: (.+)$/

describe('the list of what others may try', () => {
  const rows = readFileSync(join(ROOT, 'test/README.md'), 'utf8')
    .split('\n### ')
    .slice(1)
    .flatMap((section) => section.split('\n').filter((row) => row.startsWith('| ')))
    .map((row) => row.slice(2, -2).split(' | '))
    .filter(([attempt]) => attempt !== 'attempt' && attempt !== '---')

  it('has rows', () => assert.ok(rows.length > 20))

  for (const [attempt, , tests] of rows)
    it(`names tests that there are: ${attempt}`, () => {
      for (const each of tests.split('; ')) {
        const [, file, name] = NAMED.exec(each) ?? []
        assert.ok(file !== undefined, `not a file and a test: ${each}`)
        assert.ok(readFileSync(join(ROOT, 'test', file), 'utf8').includes(name), `no test '${name}' in ${file}`)
      }
    })
})
