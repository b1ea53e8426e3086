// A power cut, and not only a killed process: what had not reached the disk is gone. It takes a file system of its own, and so
// root; elsewhere this story is skipped, and says so.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { entriesBetween, FeedStore, formatEntryId, type FeedState } from '../../src/feeds/index.ts'
import { parseDid } from '../../src/trust/index.ts'
import { CutDisk } from '../support/cut-disk.ts'
import { fixedAddress, type Line, type Running, sleep, Stage } from '../support/processes.ts'
import type { WriterArgument } from '../support/programs/writer.ts'

const LISTEN = '/ip4/127.0.0.1/tcp/0'
const CUTS = Number(process.env.CUTS ?? 5)
/** What is in pipes and sockets of a writer that was stopped has come by then. */
const DRAIN_MS = 200

describe('a node whose power is cut', function () {
  this.timeout(120_000)

  it('has all that it acknowledged, and all that others have heard, and goes on without signing a seq twice', async function () {
    await using stage = new Stage()
    using disk = makeOrSkip(this, stage)
    const { ear, start, device } = await acquaint(stage, disk.path)
    let writer = await start(disk.path)
    await ear.line(({ event, feed }) => event === 'heard' && feed === device)
    for (let count = 0; count < CUTS; count += 1) {
      await writer.line(({ event }) => event === 'stored')
      await sleep(Math.random() * 500)
      writer.child.kill('SIGSTOP')
      await sleep(DRAIN_MS)
      const heard = ear.lines.filter(({ event, feed }) => event === 'heard' && feed === device)
      using after = disk.cut(stage.home(`after-${count}`))
      check(after.path, device, storedIn(writer), heard)
      const isLast = count === CUTS - 1
      if (!isLast) writer.child.kill('SIGCONT')
      else {
        await writer.end('SIGKILL')
        writer = await start(after.path)
        const { seq } = await writer.line(({ event }) => event === 'stored')
        await ear.line(
          ({ event, feed, seq: next }) => event === 'heard' && feed === device && Number(next) >= Number(seq)
        )
        await writer.end()
      }
    }
    const bad = [...ear.lines, ...writer.lines].filter(({ event }) => event === 'warning' || event === 'refused')
    assert.deepEqual(bad, [])
  })
})

function makeOrSkip(test: Mocha.Context, stage: Stage): CutDisk {
  const disk = CutDisk.make(stage.home('disk'))
  if (disk instanceof CutDisk) return disk
  process.stderr.write(`      skipped: ${disk}\n`)
  test.skip()
}

/** A writer with its home on the disk, and somebody who follows it: both know each other from a first start. */
async function acquaint(stage: Stage, disk: string) {
  const earHome = { home: stage.home('ear'), listen: await fixedAddress(), gapMs: 1_000 }
  const firstEar = await stage.program('writer', earHome satisfies WriterArgument)
  const { did, addresses } = await firstEar.line(isReady)
  const argument = (path: string): WriterArgument => ({
    home: join(path, 'home'),
    listen: LISTEN,
    peers: addresses as string[],
    follow: [String(did)],
    gapMs: 2
  })
  const first = await stage.program('writer', argument(disk))
  const author = await first.line(isReady)
  await Promise.all([first.end(), firstEar.end()])
  const ear = await stage.program('writer', {
    ...earHome,
    follow: [String(author.did)]
  } satisfies WriterArgument)
  await ear.line(isReady)
  const start = async (path: string): Promise<Running> => {
    const running = await stage.program('writer', argument(path))
    await running.line(isReady)
    return running
  }
  return { ear, start, device: String(author.device) }
}

/** What was acknowledged is there under its id, and what others have heard is no newer than what is there. */
function check(path: string, device: string, stored: readonly Line[], heard: readonly Line[]): void {
  const store = FeedStore.open(join(path, 'home/feeds.sqlite'))
  try {
    const feed = store.feed(parseDid(device)) as FeedState
    const ids = new Map(entriesBetween(store, feed, 1, feed.height).map(({ seq, id }) => [seq, formatEntryId(id)]))
    for (const { seq, id } of stored) assert.equal(ids.get(Number(seq)), id, `entry ${seq} was acknowledged`)
    const newest = Math.max(...heard.map(({ seq }) => Number(seq)))
    assert.ok(newest <= feed.height, `entry ${newest} was heard, and ${feed.height} is the newest`)
  } finally {
    store.close()
  }
}

function storedIn({ lines }: Running): Line[] {
  return lines.filter(({ event }) => event === 'stored')
}

function isReady({ event }: Line): boolean {
  return event === 'ready'
}
