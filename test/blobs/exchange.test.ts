// The two sides of `/comrade/blob/1`, in memory: honest ones, and those that are not.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from '../../src/blobs/blob-frame.ts'
import {
  BlobCaller,
  BlobError,
  type BlobErrorCode,
  type BlobStore,
  CHUNK_SIZE,
  Download
} from '../../src/blobs/index.ts'
import { messageStreamPair } from '../../src/feeds/index.ts'
import { bytesOf, contentOf, Directory, sourceOf } from './support.ts'

const withCode = (code: BlobErrorCode) => (error: unknown) => error instanceof BlobError && error.code === code
const BYTES = bytesOf(40 * CHUNK_SIZE + 77)

/** Fetches from all of these at once. @returns how each has ended */
async function fetchFrom(
  store: BlobStore,
  id: Uint8Array,
  callers: BlobCaller[]
): Promise<PromiseSettledResult<void>[]> {
  for (const caller of callers) assert.equal(await caller.want(id), true)
  const blob = await store.begin(id, await callers[0].manifest())
  const download = new Download<BlobCaller>(blob.missing)
  return Promise.allSettled(callers.map((caller) => caller.fill(blob, download, () => {})))
}

/** A source that answers as this one does, but for what `change` makes of it. */
function liar(
  store: BlobStore,
  change: (answer: Uint8Array) => Uint8Array | undefined,
  answerTimeoutMs?: number
): BlobCaller {
  const [ours, theirs] = messageStreamPair()
  const { stream } = sourceOf(store)
  void (async () => {
    const answers = stream.receive()[Symbol.asyncIterator]()
    for await (const frame of theirs.receive()) {
      await stream.send(frame)
      const { value } = (await answers.next()) as { value: Uint8Array }
      const answer = change(Buffer.from(value))
      if (answer !== undefined) await theirs.send(answer)
    }
  })().catch(() => {})
  return new BlobCaller(ours, { answerTimeoutMs })
}

describe('fetching a blob', () => {
  it('takes a part of it from each of several sources', async () => {
    using theirs = new Directory()
    using ours = new Directory()
    const [source, store] = [theirs.open(), ours.open()]
    const id = await source.add([BYTES])
    const asked = [0, 0, 0]
    const callers = asked.map((_, i) => sourceOf(source, () => (asked[i] += 1)).caller)
    for (const { status } of await fetchFrom(store, id, callers)) assert.equal(status, 'fulfilled')
    assert.ok((await contentOf(store, id)).equals(BYTES))
    assert.ok(
      asked.every((count) => count > 5),
      `asked ${asked}`
    )
  })

  it('goes on with the others when one ends in the middle', async () => {
    using theirs = new Directory()
    using ours = new Directory()
    const [source, store] = [theirs.open(), ours.open()]
    const id = await source.add([BYTES])
    let left = 12
    const dying = sourceOf(source, () => {
      left -= 1
      if (left === 0) throw new Error('gone')
    })
    const [first, second] = await fetchFrom(store, id, [dying.caller, sourceOf(source).caller])
    assert.deepEqual([first.status, second.status], ['rejected', 'fulfilled'])
    assert.equal(store.has(id), true)
  })

  it('writes no wrong chunk, and ends with who sent it at the first one', async () => {
    using theirs = new Directory()
    using ours = new Directory()
    const [source, store] = [theirs.open(), ours.open()]
    const id = await source.add([BYTES])
    const lies: [BlobErrorCode, (chunk: Uint8Array) => Uint8Array][] = [
      ['CHUNK', (chunk) => chunk.fill(chunk[9] ^ 1, 9, 10)],
      ['CHUNK', (chunk) => chunk.subarray(0, -1)],
      ['FRAME', (chunk) => chunk.fill(chunk[4] ^ 1, 4, 5)],
      ['FRAME', () => encodeAnswer({ kind: 'has', bitmap: Uint8Array.of(255) })],
      ['FRAME', () => Uint8Array.of(77)],
      ['FRAME', (chunk) => Buffer.concat([chunk, Buffer.alloc(10)])],
      ['REFUSED', () => encodeAnswer({ kind: 'no' })]
    ]
    for (const [code, lie] of lies) {
      let count = 0
      const caller = liar(source, (answer) => (answer[0] === 35 && ++count === 3 ? lie(answer) : answer))
      const [ended] = await fetchFrom(store, id, [caller])
      assert.ok(ended.status === 'rejected' && withCode(code)(ended.reason), `${code}: ${JSON.stringify(ended)}`)
      assert.equal((await store.find(id))!.missing.length, 39)
      await store.remove(id)
    }
  })

  it('does not wait for ever for an answer, and ends with who says no', async () => {
    using theirs = new Directory()
    const source = theirs.open()
    const id = await source.add([BYTES])
    await assert.rejects(liar(source, () => undefined, 50).want(id), withCode('REFUSED'))
    const { caller } = sourceOf(source)
    assert.equal(await caller.want(randomBytes(32)), false)
    await assert.rejects(caller.manifest(), withCode('REFUSED'))
  })

  it('takes what somebody has who has not all of it', async () => {
    using theirs = new Directory()
    using ours = new Directory()
    using others = new Directory()
    const [source, middle, store] = [theirs.open(), ours.open(), others.open()]
    const id = await source.add([BYTES])
    const { caller } = sourceOf(source)
    await caller.want(id)
    const part = await middle.begin(id, await caller.manifest())
    await caller.fill(part, new Download([0, 5, 40]), () => {})
    await fetchFrom(store, id, [sourceOf(middle).caller])
    assert.deepEqual((await store.find(id))!.missing.length, 38)
  })

  it('reads frames as they were written, and no others', () => {
    const anything = fc.uint8Array({ minLength: 1, maxLength: 100 })
    const kinds = fc.tuple(fc.constantFrom(1, 2, 3, 33, 34, 35, 36), anything)
    const frames = fc.oneof(
      anything,
      kinds.map(([kind, rest]) => Uint8Array.of(kind, ...rest))
    )
    const check = (frame: Uint8Array, again: (frame: Uint8Array) => Uint8Array): void => {
      try {
        assert.deepEqual(new Uint8Array(again(frame)), new Uint8Array(frame))
      } catch (error) {
        if (!(error instanceof BlobError && error.code === 'FRAME')) throw error
      }
    }
    fc.assert(
      fc.property(frames, (frame) => {
        check(frame, (bytes) => encodeRequest(decodeRequest(bytes)))
        check(frame, (bytes) => encodeAnswer(decodeAnswer(bytes)))
      })
    )
    const answer = decodeAnswer(encodeAnswer({ kind: 'chunkIs', index: 1_023, bytes: Uint8Array.of(1, 2, 3) }))
    assert.deepEqual({ ...answer, bytes: [1, 2, 3] }, { kind: 'chunkIs', index: 1_023, bytes: [1, 2, 3] })
  })
})
