// Fifty vouches that arrive in a group of 32, each to be proven: how long until they count, and how long whoever asks the
// node something else has to wait meanwhile:
//   node bench/groups/intake.ts [--quick] [--out file.md]
// They come in one frame from one peer, and each by itself from another, as by gossip; proven in the thread beside the
// node's, and for comparison in the node's own, as where no thread can be started.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { FeedStore } from '../../src/feeds/index.ts'
import { fromHex, type Hex, ready } from '../../src/groups/index.ts'
import { GroupStore } from '../../src/node/groups/group-store.ts'
import { Intake } from '../../src/node/groups/intake.ts'
import { LocalGroup } from '../../src/node/groups/local-group.ts'
import { Vault } from '../../src/node/vault.ts'
import { Verifier } from '../../src/node/groups/verifier.ts'
import { personOf, Village } from '../../test/groups/village.ts'
import { median } from '../statistics.ts'
import { partOptions, report, tableOf } from './report.ts'

const { quick, out } = partOptions()
const RUNS = quick ? 1 : 5
const RING = 32
const VOUCHES = 50
/** The histogram counts the whole time between two ticks of its timer: this much of it is no delay. */
const TICK_MS = 1
const NOWHERE = new URL('file:///nowhere/at-all.js')

await ready()
const { village, before, vouches } = makeVouches()
const thread = await measureAll({})
const own = await measureAll({ program: NOWHERE })
report(
  out,
  `Medians of ${RUNS} runs. A store on the disk; the group is evaluated after everything that is taken.`,
  tableOf(
    ['in the thread', 'in the node’s own'],
    [
      row('event loop delay while 50 vouches arrive in one frame, ring 32, p99', 'frameP99', '≤ 50'),
      row('the same, the longest', 'frameMax'),
      row('the same, until all count', 'frameMs'),
      row('event loop delay while 50 vouches arrive one by one, ring 32, p99', 'singlyP99', '≤ 50'),
      row('the same, the longest', 'singlyMax'),
      row('the same, until all count', 'singlyMs')
    ]
  )
)

function row(what: string, key: keyof Figures, goal?: string) {
  return { what, unit: 'ms', values: [thread[key], own[key]], goal }
}

interface Figures {
  frameP99: number
  frameMax: number
  frameMs: number
  singlyP99: number
  singlyMax: number
  singlyMs: number
}

/** A group of founders, two candidates, and vouches for both by different members. */
function makeVouches(): { village: Village; before: Uint8Array[]; vouches: Uint8Array[] } {
  const founders = Array.from({ length: RING }, (_, i) => `founder ${i}`)
  const village = new Village(founders)
  const candidacies = ['zoe', 'yan'].map((name) => village.propose(founders[0], name))
  const before = [...village.bytes.values()]
  const ids: Hex[] = Array.from({ length: VOUCHES }, (_, i) =>
    village.vouch(candidacies[i % 2], founders[i >> 1], i % 2)
  )
  return { village, before, vouches: ids.map((id) => village.bytes.get(id)!) }
}

async function measureAll(options: { program?: URL }): Promise<Figures> {
  const runs: Figures[] = []
  for (let i = 0; i < RUNS; i++) {
    const frame = await measure(options, (intake) => intake.receive(vouches, 'peer'))
    const singly = await measure(options, (intake) =>
      Promise.all(vouches.map((vouch, i) => intake.receive([vouch], `peer ${i % 4}`)))
    )
    runs.push({
      ...{ frameP99: frame.p99, frameMax: frame.max, frameMs: frame.ms },
      ...{ singlyP99: singly.p99, singlyMax: singly.max, singlyMs: singly.ms }
    })
  }
  const keys = Object.keys(runs[0]) as (keyof Figures)[]
  return Object.fromEntries(keys.map((key) => [key, median(runs.map((run) => run[key]))])) as unknown as Figures
}

async function measure(options: { program?: URL }, arrive: (intake: Intake) => Promise<unknown>) {
  const directory = mkdtempSync(join(tmpdir(), 'comrade-intake-'))
  const feeds = FeedStore.open(join(directory, 'feeds.sqlite'))
  const verifier = new Verifier(options)
  try {
    const store = new GroupStore(feeds, new Vault(new Uint8Array(32)))
    const id = fromHex(village.id)
    const group = new LocalGroup(store, { num: store.add(id), id }, personOf('reader').root)
    group.events.on('changed', () => group.evaluated.view())
    const intake = new Intake(group, verifier)
    await intake.receive(before, 'peer')
    await sleep(100)
    const loop = monitorEventLoopDelay({ resolution: TICK_MS })
    loop.enable()
    const start = performance.now()
    await arrive(intake)
    const ms = performance.now() - start
    await sleep(2 * TICK_MS)
    loop.disable()
    if (group.size !== before.length + vouches.length) throw new Error(`${group.size} operations were taken`)
    intake.close()
    group.close()
    return { ms, p99: delayMs(loop.percentile(99)), max: delayMs(loop.max) }
  } finally {
    await verifier.close()
    feeds.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

function delayMs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - TICK_MS)
}
