// Files that go with private messages, as users would send them: whole nodes in processes of their own.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type NodeProcess, Stage, until } from '../support/processes.ts'

async function meet(one: NodeProcess, other: NodeProcess): Promise<void> {
  const [{ link }] = await one.json('meet')
  await other.json('meet', String(link), '--yes')
}

async function isHere(node: NodeProcess, id: unknown): Promise<boolean> {
  const message = (await node.json('messages')).find((each) => each.id === id)
  return (message?.attachment as { isHere?: boolean } | null)?.isHere === true
}

/** A picture of nothing: signature, and a chunk that ends it. */
const DOT = Buffer.from('89504e470d0a1a0a0000000049454e44ae426082', 'hex')

describe('files between people', function () {
  this.timeout(120_000)

  it('are attached and saved by the command line, also after both were killed on the way', async () => {
    await using stage = new Stage()
    let [alice, bob] = [await stage.up('alice'), await stage.up('bob')]
    await meet(alice, bob)
    const bytes = randomBytes(16_000_000)
    const file = join(stage.path, 'film.bin')
    writeFileSync(file, bytes)
    const [sent] = await alice.json('message', bob.did, '--attach', file, 'look')
    assert.deepEqual([sent.type, sent.text], ['attachment', 'look'])
    const blobs = join(bob.home, 'blobs')
    await until(() => readdirSync(blobs).some((name) => name.endsWith('.part')), 'it has begun to come')
    await Promise.all([alice.end('SIGKILL'), bob.end('SIGKILL')])
    const part = readdirSync(blobs).find((name) => name.endsWith('.part'))
    assert.notEqual(part, undefined)
    alice = await stage.up('alice')
    bob = await stage.up('bob', '--peer', alice.address)
    const path = join(stage.path, 'saved')
    const [saved] = await bob.json('messages', 'save', String(sent.id), path)
    assert.deepEqual(saved, { id: sent.id, file: path, bytes: bytes.length })
    assert.ok(readFileSync(path).equals(bytes))
    assert.equal(await isHere(bob, sent.id), true)
    assert.equal((await bob.run('messages', 'save', String(sent.id), path)).code, 2)
    const picture = join(stage.path, 'dot.png')
    writeFileSync(picture, DOT)
    const [post] = await alice.json('post', '--attach', picture, '--alt', 'one dot', '--plain')
    const [{ files }] = await alice.json('show', String(post.id))
    assert.deepEqual(files, [
      {
        id: (files as { id: string }[])[0].id,
        name: 'dot.png',
        size: 20,
        mime: 'image/png',
        alt: 'one dot',
        isHere: true
      }
    ])
    const refused = await alice.run('post', '--attach', file, '--plain')
    assert.deepEqual([refused.code, /what it hides cannot be taken out/.test(refused.stderr)], [2, true])
  })
})
