import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { Client } from '../../src/api/client.ts'
import type { MessageShape } from '../../src/api/message-shapes.ts'
import { Reading } from '../../src/cli/reading.ts'

const message = (id: string, fields: Partial<MessageShape> = {}): MessageShape =>
  ({ id, from: 'did:them', state: 'delivered', type: 'text', ...fields }) as MessageShape

/** A node that takes a moment for each request, and notes what it was asked. */
function nodeThat(fails = false): { client: Client; asked: string[][] } {
  const asked: string[][] = []
  const post = async (_verb: string, body: object): Promise<never> => {
    asked.push((body as { ids: string[] }).ids)
    await setImmediate()
    if (fails) throw new Error('the node has left')
    return [] as never
  }
  return { client: { post } as unknown as Client, asked }
}

describe('messages that were shown', () => {
  it('are noted as read, many at a time, but for own ones and those that were read', async () => {
    const { client, asked } = nodeThat()
    const reading = new Reading(client, 'did:me')
    for (const id of ['a', 'b']) reading.note(message(id))
    reading.note(message('own', { from: 'did:me' }))
    reading.note(message('read', { state: 'read' }))
    reading.note(message('gone', { type: 'erased' }))
    await Promise.resolve()
    for (const id of ['c', 'd', 'e']) reading.note(message(id))
    await reading.done()
    assert.deepEqual(asked, [
      ['a', 'b'],
      ['c', 'd', 'e']
    ])
  })

  it('do not end a list when they cannot be noted', async () => {
    const { client, asked } = nodeThat(true)
    const reading = new Reading(client, 'did:me')
    reading.note(message('a'))
    await reading.done()
    assert.deepEqual(asked, [['a']])
  })

  it('are told of again when they are own ones that have come further', () => {
    const reading = new Reading(nodeThat().client, 'did:me')
    assert.equal(reading.changeLines(message('a')).length, 0)
    assert.equal(reading.changeLines(message('a', { from: 'did:me', state: 'mailed' })).length, 1)
  })
})
