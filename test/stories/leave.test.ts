// Leaving: whatever a node is doing, it is gone within three seconds of being asked, with exit code 0.
import assert from 'node:assert/strict'
import { Stage } from '../support/processes.ts'

const PROMISE_MS = 3_000
const ENTRIES = 10_000

describe('a node that is told to leave', function () {
  this.timeout(60_000)

  it('does so within three seconds in the middle of a bulk sync, and its peer goes on', async () => {
    await using stage = new Stage()
    const [reader, author, other] = await Promise.all(['reader', 'author', 'other'].map((name) => stage.up(name)))
    await author.end()
    const bot = await stage.program('bot', { home: author.home, listen: '/ip4/127.0.0.1/tcp/0', count: ENTRIES })
    await bot.line(({ event }) => event === 'published')
    await bot.end()
    await reader.json('follow', author.did)
    await other.json('follow', author.did)
    const back = await stage.up('author', '--peer', reader.address, '--peer', other.address)
    await reader.line(({ event }) => event === 'peer:connect')
    const askedMs = performance.now()
    assert.deepEqual(await Promise.all([reader.end(), back.end()]), [0, 0])
    const tookMs = performance.now() - askedMs
    assert.ok(tookMs < PROMISE_MS, `it took ${tookMs} ms`)
    assert.equal((await other.run('down')).code, 0)
    await other.end()
    assert.equal(other.child.exitCode, 0)
  })
})
