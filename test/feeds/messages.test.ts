import assert from 'node:assert/strict'
import { FeedError } from '../../src/feeds/errors.ts'
import { checkRun } from '../../src/feeds/run.ts'
import * as message from '../../src/feeds/sync/messages.ts'
import { KIND } from '../../src/feeds/sync/messages.ts'
import { Author, texts } from '../support/feeds.ts'

const id = new Uint8Array(12).fill(7)
const head = new Uint8Array(8).fill(8)
const isFrameError = (error: unknown) => error instanceof FeedError && error.code === 'FRAME_FORMAT'

describe('messages of a sync session', () => {
  it('come back as they were written', () => {
    const hello = {
      takesPacked: true,
      nonce: new Uint8Array(16).fill(1),
      epoch: new Uint8Array(8).fill(2),
      counter: 2 ** 40,
      resume: { cursor: 5, tag: head }
    }
    assert.deepEqual(message.decodeHello(message.encodeHello(hello)), hello)
    const feeds = [{ id, height: 0xffff_ffff, head }]
    assert.deepEqual(message.decodeHave(message.encodeHave(9, feeds)), { position: 9, feeds })
    const wants = [{ id, from: 1, to: 0xffff_ffff, isDown: true }]
    assert.deepEqual(message.decodeWant(message.encodeWant(wants)), wants)
    assert.deepEqual(message.decodeDrop(message.encodeDrop([id, id])), [id, id])
    assert.deepEqual(message.decodeErased(message.encodeErased(id, [1, 9])), { id, seqs: [1, 9] })
    assert.equal(message.decodeNumber(message.encodeNumber(KIND.credit, 0xffff_ffff)), 0xffff_ffff)
    assert.equal(message.decodeNumber(message.encodeNumber(KIND.position, 2 ** 48 - 1)), 2 ** 48 - 1)
  })

  it('carry runs that are valid at the other end, plain and compressed', () => {
    const author = new Author('carol')
    const runs = [...author.post(...texts(70)), ...author.post('more')]
    const plain = message.encodeRuns(runs.flatMap((run) => message.encodeRun(id, run)))
    const packed = message.packRuns(plain)
    assert.ok(packed.length < plain.length / 2)
    assert.deepEqual(message.unpackRuns(packed), Buffer.from(plain))
    const decoded = message.decodeRuns(message.unpackRuns(packed))
    assert.deepEqual(
      decoded.map((run) => Buffer.from(checkRun({ ...run, feed: author.key.publicKey }).ids)),
      runs.map(({ ids }) => Buffer.from(ids))
    )
  })

  it('stay plain where compression would not make them smaller', () => {
    const frame = message.encodeRuns([Uint8Array.of(1, 2, 3)])
    assert.equal(message.packRuns(frame), frame)
  })

  it('are refused when they are cut short or too long', () => {
    const [run] = new Author('carol').post('a')
    const frames: [Uint8Array, (frame: Uint8Array) => unknown][] = [
      [
        message.encodeHello({ takesPacked: false, nonce: new Uint8Array(16), epoch: head, counter: 1 }),
        message.decodeHello
      ],
      [message.encodeHave(1, [{ id, height: 1, head }]), message.decodeHave],
      [message.encodeWant([{ id, from: 1, to: 1, isDown: false }]), message.decodeWant],
      [message.encodeRuns(message.encodeRun(id, run)), message.decodeRuns],
      [message.encodeNumber(KIND.done, 1), message.decodeNumber],
      [message.encodeDrop([id]), message.decodeDrop],
      [message.encodeErased(id, [1]), message.decodeErased]
    ]
    for (const [frame, decode] of frames) {
      assert.throws(() => decode(frame.subarray(0, -1)), isFrameError)
      assert.throws(() => decode(Buffer.concat([frame, Uint8Array.of(0)])), isFrameError)
    }
  })
})
