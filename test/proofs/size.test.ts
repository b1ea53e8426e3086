// The promise: how long something is does not tell what it is. The attack: to tell texts, receipts and reactions apart by
// the frames of a stream, and by what lies at a host.
import assert from 'node:assert/strict'
import { encodeContent, MAILBOX_FRAME_SIZE, newContent } from '../../src/messages/index.ts'
import { MESSAGE_PROTOCOL } from '../../src/node/messages/cell-streams.ts'
import { MAILBOX_PROTOCOL } from '../../src/node/messages/mailbox-service.ts'
import { reaches } from '../node/messages/support.ts'
import { Homes } from '../support/node.ts'
import { until } from '../support/processes.ts'
import { type Frame, framesOf, mail, rowsOf, startVillage } from './stage.ts'

const SIZES = [1, 2, 17, 255, 256, 1_000, 1_499, 1_500]

describe('whoever measures what a message is', function () {
  this.timeout(120_000)

  it('finds one size for texts of 1 to 1,500 bytes, receipts and reactions, on streams and at the host', async () => {
    await using homes = new Homes()
    const { alice, bob, carol } = await startVillage(homes)
    const [fromAlice, fromBob] = [framesOf(alice), framesOf(bob)]
    const seen = new Map<string, Set<string>>()
    const atHosts = new Set<number>()
    const note = (kind: string, frames: Frame[]): void => {
      const all = frames.splice(0)
      for (const { bytes } of all.filter(({ protocol }) => protocol === MAILBOX_PROTOCOL)) atHosts.add(bytes.length)
      const shape = all.filter(({ protocol }) => protocol === MESSAGE_PROTOCOL).map(({ bytes }) => bytes.length)
      if (shape.length > 0) seen.set(kind, (seen.get(kind) ?? new Set<string>()).add(shape.join()))
    }
    const write = async (kind: string, text: string): Promise<string> => {
      const { id } = await alice.messages.send(bob.identity.did, { text })
      await reaches(alice, id, 'delivered')
      note(kind, fromAlice)
      note('receipt', fromBob)
      return id
    }
    await write('text', 'the first, before which keys are asked for')
    seen.clear()
    let last = ''
    for (const size of SIZES) last = await write('text', 'x'.repeat(size))
    const { id } = await bob.messages.react(last, '🌻')
    await reaches(bob, id, 'delivered')
    note('reaction', fromBob)
    const shapes = new Set([...seen.values()].flatMap((each) => [...each]))
    assert.deepEqual([...seen.keys()].toSorted(), ['reaction', 'receipt', 'text'])
    assert.equal(shapes.size, 1, `one shape for all: ${[...shapes].join(' / ')}`)
    // The attack notices what is not padded alike.
    await write('long', 'x'.repeat(3_000))
    assert.equal(
      [...seen.get('long')!].some((shape) => shapes.has(shape)),
      false
    )
    const unpadded = SIZES.map((size) => encodeContent(newContent({ type: 'text', text: 'x'.repeat(size) })).length)
    assert.equal(new Set(unpadded).size, SIZES.length)

    await bob.stop()
    const hosted: Set<string>[] = []
    for (const size of [1, 1_500]) {
      await mail(alice, bob.identity.did, 'x'.repeat(size))
      await until(() => rowsOf(homes.of('carol'), 'mailbox_cells').length === 2 * (hosted.length + 1), 'it is there')
      const sizes = ['mailbox_cells', 'mailbox_ends'].flatMap((table) =>
        rowsOf(homes.of('carol'), table).map(({ bytes }) => `${table} ${(bytes as Uint8Array).length}`)
      )
      hosted.push(new Set(sizes))
    }
    assert.deepEqual(hosted[0], hosted[1])
    assert.equal(hosted[0].size, 2, 'the beginning and the end of a cell')
    note('mailed', fromAlice)
    assert.deepEqual([...atHosts], [2 + MAILBOX_FRAME_SIZE], 'one size for all that is said to hosts')
    await carol.stop()
  })
})
