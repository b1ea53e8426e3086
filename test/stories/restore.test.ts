// A backup of the store alone is put back, as somebody does after a broken card: the node says why it does not sign,
// and signs again when a friend has given back what the backup lacks.
import assert from 'node:assert/strict'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type NodeProcess, Stage, until } from '../support/processes.ts'

describe('a restored backup', function () {
  this.timeout(60_000)

  it('is said to be one, and is not signed with before a friend has completed it', async () => {
    await using stage = new Stage()
    const [alice, bob] = await Promise.all([stage.up('alice'), stage.up('bob')])
    await bob.json('follow', alice.did)
    await alice.json('post', 'before the backup')
    await alice.end()
    copyFileSync(join(alice.home, 'feeds.sqlite'), join(stage.path, 'backup'))
    const later = await stage.up('alice', '--peer', bob.address)
    await later.json('post', 'after the backup')
    await bob.entry('after the backup')
    await later.end('SIGKILL')
    for (const end of ['', '-wal', '-shm']) rmSync(join(alice.home, `feeds.sqlite${end}`), { force: true })
    copyFileSync(join(stage.path, 'backup'), join(alice.home, 'feeds.sqlite'))

    const away = ['--no-lan', '--listen', '/ip4/127.0.0.2/tcp/0'] // or bob would find her at the port that she had
    const restored = await stage.up('alice', ...away)
    await assertPaused(restored)
    await restored.end('SIGKILL')
    const again = await stage.up('alice', ...away) // still so after another start
    await assertPaused(again)
    await again.end()

    const whole = await stage.up('alice', '--peer', bob.address)
    await until(async () => (await whole.json('status'))[0].paused === undefined, 'it may sign')
    assert.equal((await whole.json('post', 'on it goes'))[0].seq, 3)
    await bob.entry('on it goes')
    const feed = await bob.json('feed', alice.did)
    assert.deepEqual(
      feed.map(({ text }) => text),
      ['on it goes', 'after the backup', 'before the backup']
    )
  })
})

async function assertPaused(node: NodeProcess): Promise<void> {
  assert.match(String((await node.json('status'))[0].paused), /backup/)
  const { code, stdout, stderr } = await node.run('post', 'too early')
  assert.deepEqual([code, stdout], [1, ''])
  const { error } = JSON.parse(stderr) as { error: { code: string; message: string } }
  assert.equal(error.code, 'SIGNING_PAUSED')
  assert.match(error.message, /backup was restored/)
  const doctor = await node.run('doctor')
  assert.equal(doctor.code, 1)
  assert.match(doctor.stdout, /"check":"signing","ok":false/)
}
