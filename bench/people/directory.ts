// The directory with thirty nodes in four processes on loopback: how soon somebody is found by did, how often, and what
// is left of that when a quarter of the nodes is gone or hangs:
//   node bench/people/directory.ts [--quick] [--runs 3] [--out file.md]
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { describeMachine, probeDisk } from '../machine.ts'
import { median, percentile } from '../statistics.ts'
import type { Commands, Member, Outcome } from './directory-nodes.ts'

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, runs: { type: 'string' }, out: { type: 'string' } }
})
/** Nodes in each process; the first is killed: a quarter. */
const SHARES = options.quick ? [3, 3, 3, 3] : [8, 8, 7, 7]
const RESOLVES = options.quick ? 40 : 200
const RUNS = Number(options.runs ?? (options.quick ? 1 : 3))
/** Peers that each node is told at first. */
const KNOWN_AT_FIRST = 3
const PUBLISH_LIMIT_MS = 60_000
/** After all have published, tables go on filling and records go to those who are nearer. */
const SETTLE_MS = options.quick ? 5_000 : 40_000
const COMMAND_LIMIT_MS = 120_000

const root = mkdtempSync(join(tmpdir(), 'comrade-directory-'))
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true, maxRetries: 5 })
})

/** A process with nodes, and how to ask it. */
class Host {
  readonly child: ChildProcess
  members: Member[] = []
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>()
  #nextId = 1

  constructor(directory: string) {
    this.child = fork(join(import.meta.dirname, 'directory-nodes.ts'), [directory], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc']
    })
    running.add(this.child)
    this.child.on('exit', () => {
      running.delete(this.child)
      for (const each of this.#pending.values()) each.reject(new Error('the process has ended'))
    })
    this.child.on('message', ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
      if (error === undefined) this.#pending.get(id)?.resolve(result)
      else this.#pending.get(id)?.reject(new Error(error))
      this.#pending.delete(id)
    })
  }

  async call<N extends keyof Commands>(
    name: N,
    ...args: Parameters<Commands[N]>
  ): Promise<Awaited<ReturnType<Commands[N]>>> {
    const id = this.#nextId++
    const pending = Promise.withResolvers<unknown>()
    this.#pending.set(id, pending)
    const timer = setTimeout(() => pending.reject(new Error(`'${name}' takes too long`)), COMMAND_LIMIT_MS)
    this.child.send({ id, name, args })
    try {
      return (await pending.promise) as Awaited<ReturnType<Commands[N]>>
    } finally {
      clearTimeout(timer)
    }
  }

  async end(): Promise<void> {
    if (!running.has(this.child)) return
    const exit = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exit
  }
}

const ROWS: [key: string, what: string, unit: string, goal: string][] = [
  ['holders', 'nodes that keep a record, median', '', ''],
  ['found', 'resolve: found by the DHT', '%', '≥ 99'],
  ['p50', 'p50', 'ms', '≤ 300'],
  ['p99', 'p99', 'ms', '≤ 2,000'],
  ['walkFound', 'answered by another node than the asker', '%', ''],
  ['walkP50', 'first such answer, p50', 'ms', ''],
  ['walkP99', 'the same, p99', 'ms', ''],
  ['deadFound', 'resolve just after a quarter was killed: found', '%', '≥ 95'],
  ['deadP50', 'p50', 'ms', ''],
  ['deadP99', 'p99', 'ms', ''],
  ['hungFound', 'resolve just after a further quarter hangs: found', '%', ''],
  ['hungP50', 'p50', 'ms', ''],
  ['hungP99', 'p99', 'ms', '']
]

const results: Record<string, number>[] = []
for (let run = 1; run <= RUNS; run++) {
  results.push(await measure(join(root, String(run))))
  const shown = Object.entries(results[run - 1]).map(([key, value]) => `${key} ${value.toPrecision(4)}`)
  process.stderr.write(`directory ${run}/${RUNS}: ${shown.join(', ')} (load ${loadavg()[0].toFixed(1)})\n`)
}
const count = SHARES.reduce((sum, share) => sum + share, 0)
const text = [
  ...describeMachine(root, probeDisk(root)).map((line) => `- ${line}`),
  `- ${count} nodes in ${SHARES.length} processes; ${RESOLVES} resolves each; medians of ${RUNS} run${RUNS === 1 ? '' : 's'}, and all runs`,
  '',
  '| what | unit | median | runs | to reach |',
  '| --- | --- | ---: | --- | --- |',
  ...ROWS.map(([key, what, unit, goal]) => {
    const values = results.map((result) => result[key])
    return `| ${what} | ${unit} | ${format(median(values))} | ${values.map(format).join(', ')} | ${goal} |`
  }),
  ''
].join('\n')
process.stdout.write(text)
if (options.out !== undefined) writeFileSync(options.out, text)
process.exit(0)

async function measure(directory: string): Promise<Record<string, number>> {
  const hosts = SHARES.map((_, index) => new Host(join(directory, String(index))))
  try {
    await Promise.all(hosts.map(async (host, index) => (host.members = await host.call('start', SHARES[index]))))
    const members = hosts.flatMap((host) => host.members)
    await introduce(hosts, members)
    await published(hosts)
    await sleep(SETTLE_MS)
    const holders = await published(hosts)
    const all = await resolves(hosts, members)
    const walks = await resolves(hosts, members, 'walk')
    await hosts[0].end()
    const left = hosts.slice(1)
    const dead = await resolves(left, members)
    left[0].child.kill('SIGSTOP')
    const hung = await resolves(left.slice(1), members)
    return {
      holders: median(holders),
      ...summary('', all),
      ...summary('walk', walks),
      ...summary('dead', dead),
      ...summary('hung', hung)
    }
  } finally {
    await Promise.all(hosts.map((host) => host.end()))
  }
}

/** Each node is told a few of those that began before it, as a newcomer would be. */
async function introduce(hosts: Host[], members: Member[]): Promise<void> {
  let known = 0
  for (const host of hosts) {
    for (let index = 0; index < host.members.length; index++) {
      const chosen = new Set<number>()
      while (chosen.size < Math.min(KNOWN_AT_FIRST, known)) chosen.add(Math.floor(Math.random() * known))
      const tries = [...chosen].map((other) => host.call('connect', index, members[other].address))
      // One of them may be full: a node takes 24 strangers of one host, and here all are of one.
      const outcomes = await Promise.allSettled(tries)
      if (known > 0 && outcomes.every(({ status }) => status === 'rejected'))
        throw new Error('nobody lets a newcomer in')
      known++
    }
  }
}

/** Waits until everybody has published, if that comes to pass. @returns how many keep each record */
async function published(hosts: Host[]): Promise<number[]> {
  const end = performance.now() + PUBLISH_LIMIT_MS
  for (;;) {
    const holders = (await Promise.all(hosts.map((host) => host.call('holders')))).flat()
    if (holders.every((holder) => holder > 0)) return holders
    if (performance.now() > end) return holders // who could not publish is not found: that shows in the figures
    await sleep(1_000)
  }
}

/** One after the other: anybody looks for anybody. */
async function resolves(hosts: Host[], members: Member[], how: 'resolve' | 'walk' = 'resolve'): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  while (outcomes.length < RESOLVES) {
    const host = hosts[outcomes.length % hosts.length]
    const index = Math.floor(Math.random() * host.members.length)
    const { did } = members[Math.floor(Math.random() * members.length)]
    if (did !== host.members[index].did) outcomes.push(await host.call(how, index, did))
  }
  return outcomes
}

function summary(name: string, outcomes: Outcome[]): Record<string, number> {
  const ms = outcomes.map((each) => each.ms)
  const key = (part: string): string => (name === '' ? part.toLowerCase() : name + part)
  const found = outcomes.filter(({ isFound }) => isFound).length
  return {
    [key('Found')]: (100 * found) / outcomes.length,
    [key('P50')]: percentile(ms, 0.5),
    [key('P99')]: percentile(ms, 0.99)
  }
}

function format(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value >= 100 ? 0 : 1 })
}
