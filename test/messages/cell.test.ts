import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { MessageError, type MessageErrorCode, readPiece, Reassembly, toCells } from '../../src/messages/index.ts'
import { CELL_CONTENT_SIZE, type Piece, PIECE_SIZE } from '../../src/messages/cell.ts'
import {
  MAX_UNFINISHED,
  MAX_UNFINISHED_BYTES,
  MAX_UNFINISHED_PER_SENDER,
  UNFINISHED_LIMIT_MS
} from '../../src/messages/reassembly.ts'

const withCode = (code: MessageErrorCode) => (error: unknown) => error instanceof MessageError && error.code === code

function cellsOf(bytes: Uint8Array, { count = 2, from = randomBytes(32), transfer = randomBytes(16) } = {}) {
  return toCells({ type: 3, bytes }, { transfer, from, count })
}

describe('cells', () => {
  it('have one size, whatever is in them', () => {
    for (const size of [1, 100, PIECE_SIZE, 2 * PIECE_SIZE])
      assert.deepEqual(
        cellsOf(randomBytes(size)).map(({ length }) => length),
        [CELL_CONTENT_SIZE, CELL_CONTENT_SIZE]
      )
    assert.throws(() => cellsOf(randomBytes(2 * PIECE_SIZE + 1)), withCode('SIZE'))
    assert.throws(() => cellsOf(randomBytes(1), { count: 17 }), withCode('SIZE'))
  })

  it('are put together in any order, with duplicates, and among those of others, each message once', () => {
    const message = fc.record({ size: fc.integer({ min: 1, max: 5 * PIECE_SIZE }), sender: fc.nat(2) })
    const senders = Array.from({ length: 3 }, () => randomBytes(32))
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        (messages, random) => {
          const sent = messages.map(({ size, sender }) => ({ bytes: randomBytes(size), sender }))
          const pieces = sent.flatMap(({ bytes, sender }) => {
            const cells = cellsOf(bytes, { count: 5, from: senders[sender] }).map(readPiece)
            return cells.map((piece) => ({ piece, key: random.next().value as number }))
          })
          const shuffled = pieces.toSorted((a, b) => a.key - b.key).map(({ piece }) => piece)
          const reassembly = new Reassembly()
          const whole = shuffled.flatMap((piece) => {
            const once = reassembly.add(piece, 'somebody')
            return once ?? []
          })
          const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
          assert.deepEqual(
            whole.map(({ bytes }) => hex(bytes)).toSorted(),
            sent.map(({ bytes }) => hex(bytes)).toSorted()
          )
          assert.equal(reassembly.bytes, 0)
        }
      ),
      { numRuns: 200 }
    )
  })

  it('come twice without harm before their message is whole', () => {
    const [first, second] = cellsOf(Buffer.alloc(3_000, 7)).map(readPiece)
    const reassembly = new Reassembly()
    for (let i = 0; i < 5; i++) assert.equal(reassembly.add(first, 'a'), undefined)
    assert.equal(reassembly.bytes, PIECE_SIZE)
    assert.deepEqual(reassembly.add(second, 'a')!.bytes, Buffer.alloc(3_000, 7))
  })

  it('of one who brings them do not go together with those of another', () => {
    const [first, second] = cellsOf(randomBytes(3_000)).map(readPiece)
    const reassembly = new Reassembly()
    reassembly.add(first, 'a')
    assert.equal(reassembly.add(second, 'b'), undefined)
  })

  it('that are not whole take bounded room, and push out those of the same sender first', () => {
    const reassembly = new Reassembly()
    const begin = (source: string, count = 2): Piece => {
      const [first] = cellsOf(randomBytes(100), { count }).map(readPiece)
      reassembly.add(first, source)
      return first
    }
    const honest = cellsOf(randomBytes(3_000)).map(readPiece)
    reassembly.add(honest[0], 'honest')
    for (let i = 0; i < 10_000; i++) begin('flood')
    assert.equal(reassembly.size, 1 + MAX_UNFINISHED_PER_SENDER)
    assert.ok(reassembly.add(honest[1], 'honest'))
    for (let i = 0; i < 1_000; i++) begin(`source ${i}`)
    assert.equal(reassembly.size, MAX_UNFINISHED)
    assert.ok(reassembly.bytes <= MAX_UNFINISHED_BYTES)
  })

  it('that are not whole are forgotten after ten minutes, and when the clock is set back', () => {
    let now = 1e12
    const reassembly = new Reassembly({ now: () => now })
    for (const shift of [UNFINISHED_LIMIT_MS + 1, -31_536_000_000]) {
      const [first, second] = cellsOf(randomBytes(3_000)).map(readPiece)
      reassembly.add(first, 'a')
      now += shift
      assert.equal(reassembly.add(second, 'a'), undefined)
      reassembly.add(first, 'a')
    }
  })

  it('that are cut or changed are refused or read as something of their size', () => {
    const [cell] = cellsOf(randomBytes(3_000))
    for (let length = 0; length < cell.length; length += 13)
      assert.throws(() => readPiece(cell.subarray(0, length)), withCode('CELL'))
    fc.assert(
      fc.property(fc.nat(CELL_CONTENT_SIZE - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Buffer.from(cell)
        changed[at] ^= by
        try {
          const { index, count, bytes } = readPiece(changed)
          assert.ok(index < count && count <= 16 && bytes.length <= PIECE_SIZE)
        } catch (error) {
          assert.ok(withCode('CELL')(error))
        }
      })
    )
  })
})
