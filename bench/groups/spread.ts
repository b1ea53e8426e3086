// A group of thirty, each a whole node, in a network in memory and one process: how long from a vouch until it counts at
// every one of them, and how long from founding until all thirty are members:
//   node bench/groups/spread.ts [--quick] [--members 30] [--out file.md]
// The level of privacy is `convenience`: nothing is held back, but a vouch still goes through other members first.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Comrade, createNode, type Group, memoryNetwork } from '../../src/index.ts'
import type { NodeGroups } from '../../src/node/groups/groups.ts'
import { median } from '../statistics.ts'
import { partOptions, report, tableOf } from './report.ts'

const { quick, out } = partOptions()
const MEMBERS = quick ? 8 : 30
const VOUCHES = quick ? 3 : 10
/** Connections that each node makes, to whoever came before it. */
const LINKS = 3
const LIMIT_MS = 60_000
const POLL_MS = 5

const directory = mkdtempSync(join(tmpdir(), 'comrade-spread-'))
const nodes: Comrade[] = []
try {
  for (let i = 0; i < MEMBERS + 1; i++) nodes.push(await startNode(i))
  for (const [i, node] of nodes.entries()) {
    for (let link = 1; link <= Math.min(i, LINKS); link++) {
      const other = nodes[link === 1 ? i - 1 : (i * 7 + link * 3) % i]
      await node.connect(addressOf(other))
    }
  }
  const formed = performance.now()
  const groups = await form()
  const formMs = performance.now() - formed
  await sleep(2_000)
  const vouchMs: number[] = []
  for (let i = 0; i < VOUCHES; i++) vouchMs.push(await measure(groups, i))
  report(
    out,
    `${MEMBERS} nodes in one process, each with ${LINKS} connections of its own making; ${VOUCHES} vouches, one after the other.`,
    tableOf(
      ['median', 'highest'],
      [
        row(`vouch to counted at all ${MEMBERS}, ring ${MEMBERS}`, vouchMs, '≤ 3,000'),
        row(`from founding until all ${MEMBERS} are members everywhere`, [formMs])
      ]
    )
  )
} finally {
  await Promise.allSettled(nodes.map((node) => node.stop()))
  rmSync(directory, { recursive: true, force: true })
}

function row(what: string, values: readonly number[], goal?: string) {
  return { what, unit: 'ms', values: [median(values), Math.max(...values)], goal }
}

async function startNode(i: number): Promise<Comrade> {
  const home = join(directory, String(i))
  mkdirSync(home, { mode: 0o700 })
  writeFileSync(join(home, 'config.json'), JSON.stringify({ logLevel: 'silent' }), { mode: 0o600 })
  const node = await createNode({ home, mdns: false, directory: false, libp2p: memoryNetwork() })
  await node.start()
  return node
}

function addressOf(node: Comrade): string {
  return `${node.libp2p.getMultiaddrs()[0]}`
}

/** One founds it, and each who comes in is vouched for by one member, which is enough. */
async function form(): Promise<Group[]> {
  const first = await nodes[0].groups.create({ name: 'village', quorum: 'constant:1' })
  const groups = [first]
  const link = await first.link()
  for (const node of nodes.slice(1)) groups.push(await node.groups.open(link))
  for (let i = 1; i < MEMBERS; i++) {
    const vouchedFor = new Set<string>()
    await until(async () => (await goOn(groups, i, vouchedFor)) && nodes.every((_, at) => sizeAt(at) === i + 1))
  }
  return groups
}

/**
 * The next step of somebody who comes in. Where the first checkpoint falls between two of them, some are taken again.
 * @returns whether they are a member
 */
async function goOn(groups: Group[], i: number, vouchedFor: Set<string>): Promise<boolean> {
  const { did } = nodes[i].identity
  const { you } = await groups[i].show()
  if (you === 'member') return true
  if (you === 'outside') {
    await groups[i].apply()
    return false
  }
  const candidateAt = async (at: number) => (await groups[at].candidates()).find((each) => each.did === did)
  if (((await candidateAt(i))?.vouches ?? 0) > 0) {
    await groups[i].join()
    return false
  }
  const voucher = (i - 1) >> 1
  const candidate = await candidateAt(voucher)
  if (candidate === undefined || vouchedFor.has(candidate.motion)) return false
  vouchedFor.add(candidate.motion)
  await vouchBy(groups.slice(0, i), voucher, did)
  return false
}

/** By this member, or by another one when their vouches are used up. */
async function vouchBy(groups: Group[], voucher: number, did: string): Promise<void> {
  try {
    await groups[voucher].vouch(did)
  } catch (error) {
    if (voucher + 1 >= groups.length) throw error
    await vouchBy(groups, voucher + 1, did)
  }
}

/** Somebody proposes somebody; a member vouches. @returns ms until the vouch counts everywhere */
async function measure(groups: Group[], i: number): Promise<number> {
  // The last members have vouched for nobody yet.
  const by = MEMBERS - 1 - i
  const { did } = nodes[MEMBERS].identity
  if (i === 0) await groups[MEMBERS].apply()
  const motion = await newest(groups, did)
  const before = tallyAt(0, motion)
  const start = performance.now()
  await groups[by].vouch(did)
  await until(async () => nodes.slice(0, MEMBERS).every((_, at) => tallyAt(at, motion) > before))
  return performance.now() - start
}

/** The candidacy, once all have it. */
async function newest(groups: Group[], did: string): Promise<string> {
  await until(async () => {
    const all = await Promise.all(groups.map((group) => group.candidates()))
    return all.every((candidates) => candidates.some((candidate) => candidate.did === did))
  })
  const { evaluator } = localAt(0)
  const { log } = evaluator!
  for (let at = log.size - 1; at > 0; at--) {
    const operation = log.at(at)
    if (operation.type === 'candidacy' && !evaluator!.view().seats.has(operation.identity)) return operation.id
  }
  throw new Error('there is no candidacy')
}

function localAt(i: number) {
  return (nodes[i].groups as NodeGroups).all()[0]
}

function sizeAt(i: number): number {
  return localAt(i).evaluator?.view().seats.size ?? 0
}

function tallyAt(i: number, motion: string): number {
  return localAt(i).evaluator?.tally(motion)?.count ?? 0
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it took more than ${LIMIT_MS} ms`)
    await sleep(POLL_MS)
  }
}
