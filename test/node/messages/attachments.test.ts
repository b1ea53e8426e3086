import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Comrade, NodeError, type NodeErrorCode } from '../../../src/index.ts'
import { befriend, Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'
import { messagesAt, reaches, shows } from './support.ts'

const withCode = (code: NodeErrorCode) => (error: unknown) => error instanceof NodeError && error.code === code

/** Waits until the file of a message is all there. */
async function arrives(node: Comrade, id: string): Promise<void> {
  await until(
    async () => (await messagesAt(node)).some((each) => each.id === id && each.attachment?.isHere === true),
    'the file is here'
  )
}

async function bytesOf(node: Comrade, id: string): Promise<Buffer> {
  const { read } = await node.messages.attachment(id, { signal: AbortSignal.timeout(20_000) })
  return Buffer.concat(await Array.fromAsync(read()))
}

const blobsAt = (node: Comrade): string[] => readdirSync(join(node.home, 'blobs'))

describe('files that go with private messages', function () {
  this.timeout(60_000)

  it('come whole to the other side, are saved once, and go with the message', async () => {
    await using homes = new Homes()
    const [alice, bob] = [await homes.start('alice'), await homes.start('bob')]
    await befriend(alice, bob)
    const bytes = randomBytes(300_000)
    const file = homes.of('map.pdf')
    writeFileSync(file, bytes)
    const sent = await alice.messages.send(bob.identity.did, { text: 'the way', attachment: { file } })
    assert.deepEqual(sent.attachment, { name: 'map.pdf', size: 300_000, isHere: true })
    await shows(bob, 'the way')
    await arrives(bob, sent.id)
    assert.deepEqual(await bytesOf(bob, sent.id), bytes)
    const saved = await bob.messages.save(sent.id, homes.path + '/copy.pdf')
    assert.deepEqual(readFileSync(saved.file), bytes)
    await assert.rejects(bob.messages.save(sent.id, saved.file), withCode('BAD_INPUT'))
    await reaches(alice, sent.id, 'delivered')
    await alice.messages.erase(sent.id)
    await until(() => [...blobsAt(alice), ...blobsAt(bob)].length === 0, 'both have let it go')
    assert.ok(existsSync(saved.file))
    await assert.rejects(bob.messages.attachment(sent.id), withCode('NOT_FOUND'))
  })
})
