// Ids of entries as links and as text.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { cidToEntryId, entryCid, formatEntryId, parseEntryId } from '../../src/feeds/entry-id.ts'
import { FeedError } from '../../src/feeds/errors.ts'

const ids = fc.uint8Array({ minLength: 32, maxLength: 32 })
const text = formatEntryId(new Uint8Array(32).fill(1))
const refuses = (error: unknown) => error instanceof FeedError && error.code === 'BAD_ID'

describe('entry ids', () => {
  it('are read as they were written, as text and as links', () => {
    fc.assert(
      fc.property(ids, (id) => {
        assert.deepEqual(parseEntryId(formatEntryId(id)), id)
        assert.deepEqual(cidToEntryId(entryCid(id)), id)
        assert.equal(formatEntryId(id), entryCid(id).toString())
      })
    )
  })

  it('are 59 characters from bafkrei on', () => {
    assert.match(text, /^bafkrei/)
    assert.equal(text.length, 59)
  })

  for (const [name, bad] of Object.entries({
    nothing: '',
    'capital letters': text.toUpperCase(),
    'one character less': text.slice(0, -1),
    'one character more': `${text}a`,
    'a space': ` ${text}`,
    'a line break': `${text}\n`,
    'bits after the id': `${text.slice(0, -1)}7`,
    'a link to something else': CID.decode(Uint8Array.from([1, 0x71, 0x12, 32, ...new Uint8Array(32)])).toString(),
    'a megabyte': 'b'.repeat(1_000_000)
  })) {
    it(`are not read from ${name}`, () => assert.throws(() => parseEntryId(bad), refuses))
  }

  it('are not found in links of another kind', () => {
    for (const prefix of [
      [1, 0x71, 0x12, 32],
      [1, 0x55, 0x1e, 32],
      [0x12, 32]
    ]) {
      assert.equal(cidToEntryId(CID.decode(Uint8Array.from([...prefix, ...new Uint8Array(32)]))), undefined)
    }
    assert.equal(cidToEntryId(CID.decode(Uint8Array.from([1, 0x55, 0x12, 31, ...new Uint8Array(31)]))), undefined)
  })

  it('have 32 bytes', () => {
    assert.throws(() => formatEntryId(new Uint8Array(31)), refuses)
    assert.throws(() => entryCid(new Uint8Array(33)), refuses)
  })
})
