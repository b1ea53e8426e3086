// How long it takes from a post to a group until each of the other members can read it: whole nodes in one process, over
// loopback, each connected with all others:
//   node bench/groups/post.ts [--quick] [--out file.md]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Comrade, createNode } from '../../src/index.ts'
import { median } from '../statistics.ts'
import { partOptions, report, type Row, tableOf } from './report.ts'

const { quick, out } = partOptions()
const MEMBERS = quick ? 4 : 10
const POSTS = quick ? 40 : 200
const LIMIT_MS = 60_000
/** Between two posts: what is measured is one post, not many at once. */
const PAUSE_MS = 20
const GROUP = 'portland'

const directory = mkdtempSync(join(tmpdir(), 'comrade-group-post-'))
const nodes: Comrade[] = []
try {
  for (let i = 0; i < MEMBERS; i++) nodes.push(await start(join(directory, String(i))))
  const formedMs = await timed(formGroup)
  const readable = new Map(nodes.map((node) => [node, arrivalsOf(node)]))
  for (const node of nodes) await everybodyReads(node, readable) // each has an epoch that all can open
  const [atEach, atLast]: [number[], number[]] = [[], []]
  for (let i = 0; i < POSTS; i++) {
    const times = await everybodyReads(nodes[i % MEMBERS], readable)
    atEach.push(...times)
    atLast.push(Math.max(...times))
    await sleep(PAUSE_MS)
  }
  report(
    out,
    `A group of ${MEMBERS}, ${POSTS} posts, one after the other; it was formed in ${(formedMs / 1_000).toFixed(1)} s.`,
    tableOf(
      ['p50', 'p99', 'highest'],
      [row('post until another member can read it', atEach, 'p50 ≤ 20'), row('post until the last member can', atLast)]
    )
  )
} finally {
  await Promise.allSettled(nodes.map((node) => node.stop()))
  rmSync(directory, { recursive: true, force: true })
}

function row(what: string, values: readonly number[], goal?: string): Row {
  const sorted = values.toSorted((a, b) => a - b)
  return { what, unit: 'ms', values: [median(values), sorted[Math.floor(sorted.length * 0.99)], sorted.at(-1)!], goal }
}

async function start(home: string): Promise<Comrade> {
  const node = await createNode({ home, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, directory: false })
  await node.start()
  for (const other of nodes) await node.connect(other.addresses[0])
  return node
}

/** The first founds it; the others come in one after the other, vouched for by those who have vouched least. */
async function formGroup(): Promise<void> {
  const [founder, ...others] = nodes
  const link = await (await founder.groups.create({ name: GROUP })).link()
  const vouches = new Map<Comrade, number>([[founder, 0]])
  for (const node of others) {
    const group = await node.groups.open(link)
    await until(async () => (await group.members()).length === vouches.size) // they are the ring of the candidacy
    const { needed } = await group.apply()
    const { did } = node.identity
    const voters = [...vouches].toSorted(([, a], [, b]) => a - b).slice(0, needed)
    for (const [voter, count] of voters) {
      const theirs = await voter.groups.get(GROUP)
      await until(async () => (await theirs.candidates()).some((candidate) => candidate.did === did))
      await theirs.vouch(did)
      vouches.set(voter, count + 1)
    }
    await until(async () => (await group.candidates()).some((each) => each.did === did && each.vouches >= needed))
    await group.join()
    for (const [member] of vouches) {
      const theirs = await member.groups.get(GROUP)
      await until(async () => (await theirs.members()).some((each) => each.did === did))
    }
    vouches.set(node, 0)
  }
}

/** When each post could be read, by id. */
function arrivalsOf(node: Comrade): Map<string, number> {
  const arrivals = new Map<string, number>()
  node.addEventListener('entry', ({ detail }) => {
    if (detail.group !== undefined) arrivals.set(detail.id, performance.now())
  })
  return arrivals
}

/** Posts, and waits until all others can read it. @returns ms that it took each */
async function everybodyReads(
  author: Comrade,
  readable: ReadonlyMap<Comrade, ReadonlyMap<string, number>>
): Promise<number[]> {
  const startMs = performance.now()
  const { id } = await author.feeds.publish({ type: 'post', text: 'the pump is back' }, { group: GROUP })
  const others = [...readable].filter(([node]) => node !== author).map(([, arrivals]) => arrivals)
  await until(async () => others.every((arrivals) => arrivals.has(id)))
  return others.map((arrivals) => arrivals.get(id)! - startMs)
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + LIMIT_MS
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within ${LIMIT_MS} ms`)
    await sleep(2)
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}
