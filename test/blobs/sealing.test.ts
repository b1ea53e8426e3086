import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BlobError, CHUNK_SIZE, MAX_FILE_SIZE, openFile, sealedSize, sealFile } from '../../src/blobs/index.ts'
import { bytesOf } from './support.ts'

const KEY = bytesOf(32)
const isSealed = (error: unknown): boolean => error instanceof BlobError && error.code === 'SEALED'

/** Chunks of 64 KiB, as a store would cut the blob. */
async function sealed(pieces: Uint8Array[], size: number, key = KEY): Promise<Buffer[]> {
  return (await Array.fromAsync(sealFile(pieces, size, key))).map((chunk) => Buffer.from(chunk))
}

async function opened(chunks: Uint8Array[], size: number, key = KEY): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(openFile(chunks, size, key)))
}

describe('a sealed file', () => {
  it('opens to what it was, whatever its size and however it was cut', async () => {
    const sizes = fc.oneof(fc.nat(5_000), fc.integer({ min: 65_000, max: 66_000 }), fc.nat(400_000))
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 500, max: 100_000 }), async (size, length) => {
        const file = bytesOf(size)
        const count = Math.ceil(size / length)
        const pieces = Array.from({ length: count }, (_, i) => file.subarray(i * length, (i + 1) * length))
        const chunks = await sealed(pieces, size)
        assert.equal(Buffer.concat(chunks).length, sealedSize(size))
        assert.ok((await opened(chunks, size)).equals(file))
        const exact = await Array.fromAsync(sealFile(pieces, size, KEY, { isPadded: false }))
        assert.equal(Buffer.concat(exact).length, sealedSize(size, { isPadded: false }))
        const again = await Array.fromAsync(openFile(exact, size, KEY, { isPadded: false }))
        assert.ok(Buffer.concat(again).equals(file))
      }),
      { numRuns: 30 }
    )
  })

  it('has one of few sizes', () => {
    const sizes = [0, 1, 4_080, 4_081, 65_520, 65_521, 1_048_320, 1_048_321, 16_773_120, 16_773_121, MAX_FILE_SIZE]
    const [small, medium, large, huge] = [4_096, 65_536, 1_048_576, 16_777_216]
    assert.deepEqual(
      sizes.map((size) => sealedSize(size)),
      [...[small, small, small, medium, medium, large, large, huge, huge, 2 * huge, 4 * huge]]
    )
    for (const size of [-1, 0.5, NaN, MAX_FILE_SIZE + 1]) assert.throws(() => sealedSize(size), BlobError)
  })

  it('is unlike the file, and unlike another one that was made of it', async () => {
    const file = Buffer.alloc(1_000, 'canary')
    const [one, other] = [await sealed([file], 1_000), await sealed([file], 1_000, bytesOf(32, 2))]
    assert.equal(Buffer.concat(one).includes('canary'), false)
    assert.notDeepEqual(one, other)
  })

  it('does not open under another key, changed, moved, or cut', async () => {
    const file = bytesOf(150_000)
    const chunks = await sealed([file], file.length)
    assert.equal(chunks.length, 16)
    await assert.rejects(opened(chunks, file.length, bytesOf(32, 2)), isSealed)
    for (const at of [0, 1, 2]) {
      const changed = chunks.map((chunk, i) => (i === at ? Buffer.from(chunk).fill(chunk[7] ^ 1, 7, 8) : chunk))
      await assert.rejects(opened(changed, file.length), isSealed)
    }
    await assert.rejects(opened([chunks[1], chunks[0], chunks[2]], file.length), isSealed)
    await assert.rejects(opened(chunks.slice(0, 2), file.length), isSealed)
    await assert.rejects(opened([...chunks.slice(0, 2), chunks[2].subarray(0, 10)], file.length), isSealed)
    // The last chunk of a short file is not taken for one in the middle of a long one.
    const [lone] = await sealed([file.subarray(0, 60_000)], 60_000)
    await assert.rejects(opened([lone, ...chunks.slice(1)], file.length), isSealed)
  })

  it('is not made of a file that has become longer or shorter', async () => {
    const isSize = (error: unknown): boolean => error instanceof BlobError && error.code === 'SIZE'
    for (const size of [99, 101, CHUNK_SIZE]) await assert.rejects(sealed([bytesOf(100)], size), isSize)
  })
})
