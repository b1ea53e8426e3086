import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { blobCid } from '../../src/blobs/index.ts'
import { encodeCbor } from '../../src/feeds/index.ts'
import {
  cellsFor,
  decodeContent,
  encodeContent,
  known,
  MAX_TEXT_SIZE,
  MessageError,
  type MessageErrorCode,
  newContent,
  pad,
  unpad
} from '../../src/messages/index.ts'

const withCode = (code: MessageErrorCode) => (error: unknown) => error instanceof MessageError && error.code === code
const id = () => new Uint8Array(randomBytes(16))
const file = { blob: blobCid(new Uint8Array(32)), key: new Uint8Array(32), size: 67_092_480, name: 'é'.repeat(127) }
const text = (fields: object = {}) => newContent({ type: 'text', text: 'hello', ...fields })
/** How far a message to so many people has come. */
const several = (count: number) => [
  id(),
  'delivered',
  Array.from({ length: count }, () => [new Uint8Array(32), 'unreachable'])
]

describe('content of a message', () => {
  it('reads what was written, of every known type', () => {
    const all = [
      text({ reply: id(), prev: id(), to: new Uint8Array(32), expires: 1 }),
      newContent({ type: 'reaction', about: id(), emoji: '🌻' }),
      newContent({ type: 'receipt', state: 'delivered', ids: [id(), id()] }),
      newContent({ type: 'attachment', ...file, mime: 'image/svg+xml', text: 'look', reply: id() }),
      newContent({ type: 'resend' }),
      newContent({ type: 'erase', about: id() }),
      newContent({ type: 'states', messages: [[id(), 'read'], several(2)] })
    ]
    for (const content of all) {
      const read = decodeContent(encodeContent(content))
      assert.deepEqual(read, content)
      assert.ok(known(read))
    }
  })

  it('keeps types and fields that it does not know', () => {
    const content = newContent({ type: 'dance', steps: [1, 2, { left: true }] })
    const read = decodeContent(encodeContent(content))
    assert.deepEqual(read, content)
    assert.equal(known(read), undefined)
    const more = text({ mood: 'good' })
    assert.deepEqual(decodeContent(encodeContent(more)), more)
  })

  it('refuses what is not of its type’s form', () => {
    const wrong = [
      text({ text: '' }),
      text({ text: 7 }),
      text({ reply: new Uint8Array(15) }),
      text({ v: 2 }),
      text({ id: new Uint8Array(17) }),
      text({ at: -1 }),
      text({ expires: '1' }),
      newContent({ type: 'reaction', about: id(), emoji: 'x'.repeat(33) }),
      newContent({ type: 'receipt', state: 'seen', ids: [id()] }),
      newContent({ type: 'receipt', state: 'read', ids: [] }),
      newContent({ type: 'receipt', state: 'read', ids: Array.from({ length: 33 }, id) }),
      ...[
        { blob: CID.createV1(0x55, file.blob.multihash) },
        { blob: 'bafyrei' },
        { key: new Uint8Array(31) },
        { size: -1 },
        { size: 67_092_481 },
        { name: '' },
        { name: 'é'.repeat(128) },
        { mime: 'text/html; charset=utf-8' },
        { text: '' }
      ].map((fields) => newContent({ type: 'attachment', ...file, ...fields })),
      ...[
        [],
        Array.from({ length: 65 }, () => [id(), 'read']),
        [[id(), 'unreachable']],
        [[id()]],
        [[id(), 'read', [[new Uint8Array(32), 'seen']]]],
        [[id(), 'read', [[id(), 'read']]]],
        [[id(), 'read', [], 'more']],
        [several(257)]
      ].map((messages) => newContent({ type: 'states', messages })),
      newContent({ type: '' }),
      newContent({ type: 'x'.repeat(65) })
    ]
    for (const content of wrong) assert.throws(() => decodeContent(encodeCbor(content)), withCode('CONTENT'))
    for (const bytes of [new Uint8Array(), randomBytes(100), encodeCbor([1]), encodeCbor(null), encodeCbor('text')])
      assert.throws(() => decodeContent(bytes), withCode('CONTENT'))
  })

  it('says how long a text may be', () => {
    assert.ok(encodeContent(text({ text: 'x'.repeat(MAX_TEXT_SIZE), reply: id(), prev: id(), to: new Uint8Array(32) })))
    assert.throws(() => encodeContent(text({ text: 'x'.repeat(MAX_TEXT_SIZE + 1) })), withCode('SIZE'))
    assert.throws(() => encodeContent(newContent({ type: 'dance', steps: 'x'.repeat(40_000) })), withCode('SIZE'))
  })
})

describe('padding', () => {
  it('makes texts of up to 1,500 bytes, receipts, states and reactions the same length', () => {
    const fields = {
      reply: id(),
      prev: id(),
      to: new Uint8Array(32),
      expires: Date.now(),
      conversation: id(),
      view: id()
    }
    const lengths = new Set<number>()
    for (let size = 1; size <= 1_500; size++)
      for (const more of [{}, fields]) lengths.add(pad(encodeContent(text({ text: 'x'.repeat(size), ...more }))).length)
    lengths.add(pad(encodeContent(newContent({ type: 'reaction', about: id(), emoji: '👍' }))).length)
    lengths.add(
      pad(encodeContent(newContent({ type: 'receipt', state: 'read', ids: Array.from({ length: 32 }, id) }))).length
    )
    for (const messages of [[several(32)], Array.from({ length: 64 }, () => [id(), 'delivered'])])
      lengths.add(pad(encodeContent(newContent({ type: 'states', messages, to: new Uint8Array(32) }))).length)
    assert.equal(lengths.size, 1)
    assert.equal(cellsFor([...lengths][0]), 2)
  })

  it('gives back what was padded, of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 29_000 }), (content) => {
        assert.deepEqual(Buffer.from(unpad(pad(content))), Buffer.from(content))
        assert.ok(cellsFor(pad(content).length) <= 16)
      })
    )
  })

  it('refuses what is not padded', () => {
    const good = pad(Buffer.from('hello'))
    const filled = good.slice()
    filled[filled.length - 1] = 1
    const long = good.slice()
    long.fill(255, 0, 2)
    for (const bytes of [new Uint8Array(), new Uint8Array(1), good.subarray(1), filled, long])
      assert.throws(() => unpad(bytes), withCode('CONTENT'))
  })
})
