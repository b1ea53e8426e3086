// Two strangers with fresh homes exchange a link, and read each other a few seconds later.
import assert from 'node:assert/strict'
import { type NodeProcess, Stage, until } from '../support/processes.ts'

/** From the link to each other's posts on screen, on loopback. */
const MEETING_LIMIT_MS = 3_000

describe('two people who have never met', function () {
  this.timeout(90_000)

  it('exchange a link, and read each other within three seconds; the link is used up', async () => {
    await using stage = new Stage()
    const [alice, bob, carol] = await Promise.all([stage.up('alice'), stage.up('bob'), stage.up('carol')])
    await alice.json('profile', '--name', 'Alice')
    await alice.json('post', 'hello from alice')
    await bob.json('post', 'hello from bob')
    const [{ link, expires, ...rest }] = await alice.json('meet')
    assert.deepEqual(rest, {})
    assert.match(String(link), /^comrade:meet\/[\w-]+$/)
    assert.match(String(expires), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

    const refused = await bob.run('meet', String(link))
    assert.deepEqual([refused.code, /--yes/.test(refused.stderr)], [2, true])
    const start = performance.now()
    assert.deepEqual(await bob.json('meet', String(link), '--yes', '--name', 'ally'), [
      { did: alice.did, name: 'ally', state: 'met' }
    ])
    await Promise.all([bob.entry('hello from alice'), alice.entry('hello from bob')])
    const tookMs = performance.now() - start
    assert.ok(tookMs <= MEETING_LIMIT_MS, `it took ${tookMs} ms`)
    assert.deepEqual(await textsOf(bob), ['hello from alice', 'hello from bob'])
    assert.deepEqual(await textsOf(alice), ['hello from alice', 'hello from bob'])
    assert.equal((await alice.line(({ event }) => event === 'met')).did, bob.did)

    const late = await carol.run('meet', String(link), '--yes')
    assert.equal(late.code, 1)
    assert.equal(codeOf(late.stderr), 'USED')

    // Alice introduces her two contacts to each other; each of them says yes.
    const [second] = await alice.json('meet', '--ask', '--expires', '1h')
    const [asked] = await carol.json('meet', String(second.link), '--yes')
    assert.equal(asked.state, 'requested')
    assert.equal((await alice.line(({ event }) => event === 'request')).did, carol.did)
    assert.deepEqual(
      (await alice.json('meet', 'requests')).map(({ did, kind }) => [did, kind]),
      [[carol.did, 'asks']]
    )
    assert.equal((await alice.json('meet', 'accept', carol.did, '--name', 'carol'))[0].name, 'carol')
    await carol.line(({ event }) => event === 'met')
    await until(async () => (await alice.json('peers')).every(({ did }) => did !== null), 'Alice knows who is there')
    await alice.json('meet', 'introduce', 'carol', bob.did)
    await bob.line((line) => line.event === 'request' && line.did === carol.did)
    assert.equal((await bob.json('meet', carol.did, '--yes'))[0].state, 'requested')
    await carol.line((line) => line.event === 'request' && line.did === bob.did && line.kind === 'asks')
    assert.equal((await carol.json('meet', 'accept', bob.did))[0].state, 'met')
    await bob.line((line) => line.event === 'met' && line.did === carol.did)
  })
})

async function textsOf(node: NodeProcess): Promise<string[]> {
  return (await node.json('feed')).map(({ text }) => String(text)).sort()
}

function codeOf(stderr: string): string {
  return (JSON.parse(stderr) as { error: { code: string } }).error.code
}
