// Power cuts, as far as a killed process shows them: writers are killed a hundred times at any moment while they append
// and sync. What was acknowledged stays, no seq is signed twice, and whoever listens never finds a fork.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { entriesBetween, FeedStore, formatEntryId, type FeedState } from '../../src/feeds/index.ts'
import { parseDid } from '../../src/trust/index.ts'
import { fixedAddress, type Line, type Running, sleep, Stage } from '../support/processes.ts'
import type { WriterArgument } from '../support/programs/writer.ts'

const WRITERS = 2
const KILLS_EACH = 50
/** Homes whose very first start is cut short. */
const NEWCOMERS = 16
const LISTEN = '/ip4/127.0.0.1/tcp/0'

/** Set it to the number that a failure prints, to have the same moments again. */
const SEED = Number(process.env.KILL_SEED ?? randomInt(2 ** 31))

describe('nodes that are killed a hundred times', function () {
  this.timeout(150_000)

  it(`lose nothing that was acknowledged and never sign a seq twice (KILL_SEED=${SEED})`, async () => {
    await using stage = new Stage()
    const listen = await fixedAddress()
    const listener = await stage.program('writer', {
      home: stage.home('listener'),
      listen,
      gapMs: 50
    } satisfies WriterArgument)
    const { did, addresses } = await listener.line(isReady)
    const writers = await Promise.all(
      Array.from({ length: WRITERS }, (_, i) =>
        makeWriter(stage, `writer${i}`, did as string, (addresses as string[])[0])
      )
    )
    // The listener follows them from here on; its home is used by one process at a time.
    await listener.end()
    const again: WriterArgument = {
      home: stage.home('listener'),
      listen,
      gapMs: 50,
      follow: writers.map(({ did }) => did)
    }
    const ear = await stage.program('writer', again)
    await ear.line(isReady)

    await Promise.all(writers.map((writer, i) => killOften(stage, writer, random(SEED + i))))
    const last = await Promise.all(writers.map((writer) => restart(stage, writer)))
    await Promise.all(writers.map((writer, i) => hears(ear, writer, last[i])))
    assert.deepEqual(
      [...ear.lines, ...last.flatMap(({ lines }) => lines)].filter(
        ({ event }) => event === 'warning' || event === 'refused'
      ),
      []
    )
    await Promise.all([ear, ...last].map((running) => running.end()))
    for (const [i, writer] of writers.entries()) {
      checkStored(writer, stage.home('listener')) // of the last life, some may still have been on their way
      writer.stored.push(...storedIn(last[i]))
      checkStored(writer, writer.home)
      checkAcknowledged(writer)
    }
  })
})

describe('nodes that are killed at their first start', function () {
  this.timeout(60_000)

  it(`come up at the next one, as one person with one device, and sign (KILL_SEED=${SEED})`, async () => {
    await using stage = new Stage()
    const next = random(SEED)
    const moments = Array.from({ length: NEWCOMERS }, () => next() * 600)
    await Promise.all(
      [0, 1].map(async (half) => {
        for (let i = half; i < NEWCOMERS; i += 2) await startTwice(stage, `newcomer${i}`, moments[i])
      })
    )
  })
})

async function startTwice(stage: Stage, name: string, killedAfterMs: number): Promise<void> {
  const argument: WriterArgument = { home: stage.home(name), listen: LISTEN }
  const first = await stage.program('writer', argument)
  await sleep(killedAfterMs)
  await first.end('SIGKILL')
  const second = await stage.program('writer', argument)
  const { did, device, paused } = await second.line(isReady)
  assert.equal(paused, undefined)
  const { seq } = await second.line(({ event }) => event === 'stored')
  await second.end()
  const before = first.lines.find(isReady)
  if (before !== undefined) assert.deepEqual([did, device], [before.did, before.device])
  assert.ok(Number(seq) > storedIn(first).length)
  checkStored(
    {
      ...argument,
      argument,
      did: String(did),
      device: String(device),
      stored: [...storedIn(first), ...storedIn(second)]
    },
    argument.home
  )
}

interface Writer {
  home: string
  argument: WriterArgument
  did: string
  device: string
  /** All acknowledgements, of all its lives. */
  stored: Line[]
}

async function makeWriter(stage: Stage, name: string, follow: string, peer: string): Promise<Writer> {
  const argument: WriterArgument = { home: stage.home(name), listen: LISTEN, peers: [peer], follow: [follow] }
  const first = await stage.program('writer', argument)
  const { did, device } = await first.line(isReady)
  await first.end()
  return { home: argument.home, argument, did: String(did), device: String(device), stored: storedIn(first) }
}

async function killOften(stage: Stage, writer: Writer, next: () => number): Promise<void> {
  for (let kills = 0; kills < KILLS_EACH; kills++) {
    const running = await stage.program('writer', writer.argument)
    if (next() < 0.8) await running.line(({ event }) => event === 'stored')
    await sleep(next() * 200)
    await running.end('SIGKILL')
    writer.stored.push(...storedIn(running))
    assert.deepEqual(
      running.lines.filter(({ event }) => event === 'warning' || event === 'refused'),
      []
    )
  }
}

async function restart(stage: Stage, writer: Writer): Promise<Running> {
  const running = await stage.program('writer', writer.argument)
  await running.line(isReady)
  return running
}

/** Waits until something of a writer's present life has reached the listener, and with it all that came before. */
async function hears(ear: Running, { device }: Writer, running: Running): Promise<void> {
  const { seq } = await running.line(({ event }) => event === 'stored')
  await ear.line(({ event, feed, seq: heard }) => event === 'heard' && feed === device && Number(heard) >= Number(seq))
}

/** No seq was given out twice, and each life went on where the one before had stood. */
function checkAcknowledged({ stored }: Writer): void {
  const seqs = stored.map(({ seq }) => Number(seq))
  assert.ok(seqs.length >= KILLS_EACH / 2, `only ${seqs.length} entries were acknowledged`)
  for (let i = 1; i < seqs.length; i++)
    assert.ok(seqs[i] > seqs[i - 1], `seq ${seqs[i]} was given out after ${seqs[i - 1]}`)
}

/** Every acknowledged entry is in the store of this home, under the same id, and the feed is whole. */
function checkStored({ device, stored }: Writer, home: string): void {
  const store = FeedStore.open(join(home, 'feeds.sqlite'))
  try {
    const feed = store.feed(parseDid(device)) as FeedState
    assert.equal(feed.frozen, undefined)
    assert.equal(feed.low, 1)
    const ids = new Map(entriesBetween(store, feed, 1, feed.height).map(({ seq, id }) => [seq, formatEntryId(id)]))
    assert.equal(ids.size, feed.height)
    for (const { seq, id } of stored) assert.equal(ids.get(Number(seq)), id, `entry ${seq} in ${home}`)
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

/** mulberry32: small, and the same everywhere. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
