// What is taken of what a post says about its files.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { blobCid, formatBlobId, MAX_FILE_SIZE } from '../../../src/blobs/index.ts'
import { filesOf } from '../../../src/node/blobs/posted-file.ts'

const id = randomBytes(32)
const key = new Uint8Array(32).fill(7)
const postWith = (file: object) => ({ type: 'post', text: 'x', blobs: [blobCid(id)], files: [file] })

describe('files that a post names', () => {
  it('have the key that opens them in a post to a group, and none in one to everybody', () => {
    const said = { name: 'a.txt', size: 13, alt: 'words' }
    const shown = { id: formatBlobId(id), ...said }
    assert.deepEqual(filesOf(postWith({ ...said, key }), { isSealed: true }), [{ ...shown, key }])
    assert.deepEqual(filesOf(postWith({ ...said, key })), [shown])
    assert.deepEqual(filesOf(postWith(said), { isSealed: true }), [])
  })

  it('are none of a post to a group when no file can have that size', () => {
    for (const size of [0, MAX_FILE_SIZE + 1, 2 ** 53 - 1])
      assert.deepEqual(filesOf(postWith({ name: 'a', size, key }), { isSealed: true }), [])
    assert.equal(filesOf(postWith({ name: 'a', size: MAX_FILE_SIZE, key }), { isSealed: true }).length, 1)
  })

  it('are never opened by anything but 32 bytes', () => {
    const keys = fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.string(), fc.integer(), fc.constant(null))
    fc.assert(
      fc.property(keys, (wrong) => {
        fc.pre(!(wrong instanceof Uint8Array && wrong.length === 32))
        assert.deepEqual(filesOf(postWith({ name: 'a', size: 1, key: wrong }), { isSealed: true }), [])
      })
    )
  })
})
