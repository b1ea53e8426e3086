// A disk that is full: reading goes on, writing fails and says why, nothing that was acknowledged is lost, and with room
// it goes on. It takes a file system of its own, and so root; elsewhere these stories are skipped, and say so.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../api/server.ts'
import { type NodeProcess, sleep, Stage, until } from '../support/processes.ts'
import { SmallDisk } from '../support/small-disk.ts'

const DISK_SIZE = 16 * 1_048_576
/** Fits a node's files, but only some dozens of large posts. */
const ROOM = 524_288
/** More than fit. */
const POSTS = 40
const LONG = 'x'.repeat(16_000)

/** Hands over a file, as a page does. @returns the status, and the code of an error */
async function handOver({ home }: NodeProcess, size: number): Promise<[number, string | undefined]> {
  const headers = { 'content-type': 'application/octet-stream', 'content-length': size }
  const to = { socketPath: join(home, 'api.sock'), method: 'POST', path: '/api/files?name=a', headers }
  const { status, text } = await ask(to, Buffer.alloc(size))
  return [status, (JSON.parse(text) as { error?: { code: string } }).error?.code]
}

describe('a node whose disk is full', function () {
  this.timeout(90_000)

  it('says so, reads on, keeps what it acknowledged, leaves cleanly, and goes on when there is room', async function () {
    await using stage = new Stage()
    using disk = mountOrSkip(this, stage)
    const node = await stage.up(`${disk.path}/home`)
    disk.fill(ROOM)
    const acknowledged = await postUntilFull(node)
    assert.ok(acknowledged.length > 0)
    // The newest one is shown when there is room to index it.
    const shown = await idsOf(node)
    assert.ok(shown.length >= acknowledged.length - 1)
    assert.deepEqual(shown, acknowledged.slice(0, shown.length).toReversed())
    assert.equal((await node.json('status'))[0].entries, acknowledged.length + 1)
    const { code, stderr } = await node.run('follow', node.did.replace(/.$/, 'k'))
    assert.notEqual(code, 0, stderr)

    disk.makeRoom()
    const [{ id, seq }] = await node.json('post', 'there is room')
    assert.equal(seq, acknowledged.length + 1)
    acknowledged.push(id)
    disk.fill(ROOM)
    acknowledged.push(...(await postUntilFull(node)))
    assert.equal(await node.end(), 0, node.stderr)
    disk.makeRoom()
    const again = await stage.up(node.home)
    assert.deepEqual(await idsOf(again), acknowledged.toReversed())
    assert.equal((await again.json('post', 'and again'))[0].seq, acknowledged.length + 1)

    const blobs = join(again.home, 'blobs')
    disk.fill(ROOM)
    assert.deepEqual(await handOver(again, 2 * ROOM), [507, 'DISK_FULL'])
    assert.deepEqual(readdirSync(blobs), [], 'nothing is left of a file that did not fit')
    disk.makeRoom()
    assert.deepEqual(await handOver(again, 2 * ROOM), [200, undefined])
  })

  it('says so when it cannot start, and starts as ever when there is room', async function () {
    await using stage = new Stage()
    using disk = mountOrSkip(this, stage)
    const node = await stage.up(`${disk.path}/home`)
    await node.json('post', 'before')
    await node.end()
    // No room for the lock; none for the log of the store.
    for (const room of [0, 16_384]) {
      disk.fill(room)
      const { code, stderr } = await stage.run(node.home, 'up', '--no-mdns', '--listen', '/ip4/127.0.0.1/tcp/0')
      assert.equal(code, 1)
      assert.match(stderr, /"code":"DISK_FULL"/)
      disk.makeRoom()
    }
    const again = await stage.up(node.home)
    assert.equal((await again.json('status'))[0].paused, undefined)
    assert.equal((await again.json('post', 'after'))[0].seq, 2)
  })

  it('takes in what others wrote as soon as there is room', async function () {
    await using stage = new Stage()
    using disk = mountOrSkip(this, stage)
    const author = await stage.up('author')
    for (let i = 0; i < POSTS; i++) await author.json('post', `${i} ${LONG}`)
    const reader = await stage.up(`${disk.path}/home`)
    disk.fill(ROOM)
    await reader.json('follow', author.did)
    await author.end()
    const back = await stage.up('author', '--peer', reader.address)
    await reader.line(({ event }) => event === 'peer:connect')
    await sleep(2_000) // it tries, and fails, and tries again
    assert.ok(Number((await reader.json('status'))[0].entries) < POSTS)
    disk.makeRoom()
    await until(async () => (await reader.json('feed', back.did, '--limit', '100')).length === POSTS, 'all is here')
  })
})

describe('a node that is to keep more of its disk free than there is', function () {
  this.timeout(90_000)

  it('says so and takes nothing of others, goes on itself, and takes all once it keeps less free', async () => {
    await using stage = new Stage()
    const author = await stage.up('author')
    const set = await stage.run(stage.home('reader'), 'config', 'set', 'reserve', '1000TiB')
    assert.equal(set.code, 0, set.stderr)
    const reader = await stage.up('reader', '--peer', author.address)
    const { sentence } = await reader.line(({ event, code }) => event === 'warning' && code === 'DISK_SHORT')
    assert.equal((sentence as { code: string }).code, 'warning.diskShort')
    await reader.json('follow', author.did)
    await author.json('follow', reader.did)
    await author.json('post', 'to you')
    await reader.json('post', 'of mine')
    await author.entry('of mine')
    assert.deepEqual(await reader.json('feed', author.did), [])
    const { code, stdout } = await reader.run('doctor')
    assert.equal(code, 1)
    assert.match(stdout, /"check":"disk","ok":false,.*nothing of others is taken.*comrade config set reserve/)
    await reader.end()
    await stage.run(reader.home, 'config', 'set', 'reserve', '0')
    const again = await stage.up('reader', '--peer', author.address)
    await until(async () => (await again.json('feed', author.did)).length === 1, 'it has come')
  })
})

function mountOrSkip(test: Mocha.Context, stage: Stage): SmallDisk {
  const path = `${stage.path}/disk`
  mkdirSync(path)
  const disk = SmallDisk.mount(path, DISK_SIZE)
  if (disk instanceof SmallDisk) return disk
  process.stderr.write(`      skipped: ${disk}\n`)
  test.skip()
}

/** @returns the ids that were acknowledged before the disk was full */
async function postUntilFull(node: NodeProcess): Promise<unknown[]> {
  const ids: unknown[] = []
  for (let i = 0; i < 200; i++) {
    const { code, stdout, stderr } = await node.run('post', `${i} ${LONG}`)
    if (code === 0) {
      ids.push((JSON.parse(stdout) as { id: string }).id)
      continue
    }
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } }
    assert.equal(code, 1)
    assert.equal(error.code, 'DISK_FULL')
    assert.match(error.message, /full/)
    return ids
  }
  throw new Error('the disk was never full')
}

async function idsOf(node: NodeProcess): Promise<unknown[]> {
  return (await node.json('feed', '--limit', '1000')).map(({ id }) => id)
}
