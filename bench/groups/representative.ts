// How long it takes from the loss of a group's representative until all other members name the same next one: processes of
// their own, over loopback. Killed: the system closes its connections. Frozen: nobody is told, as when the power fails.
//   node bench/groups/representative.ts [--quick] [--members 5] [--rounds 10] [--out file.md]
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { describeMachine, probeDisk } from '../machine.ts'
import { median } from '../statistics.ts'
import type { MemberAnswer, MemberCall } from './member.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    members: { type: 'string' },
    rounds: { type: 'string' },
    out: { type: 'string' }
  }
})
const MEMBERS = Number(options.members ?? (options.quick ? 3 : 5))
const ROUNDS = Number(options.rounds ?? (options.quick ? 2 : 10))
/** Who is frozen is noticed when their last word does not hold any more, after two minutes. */
const LIMIT_MS = 180_000
const POLL_MS = 20

/** A node in a process of its own. */
class Member {
  readonly #home: string
  #child!: ChildProcess
  #answered: PromiseWithResolvers<unknown> | undefined
  did = ''

  constructor(home: string) {
    this.#home = home
  }

  async start(): Promise<this> {
    this.#child = fork(join(import.meta.dirname, 'member.ts'), [this.#home])
    const [{ did }] = (await once(this.#child, 'message')) as [{ did: string }]
    this.#child.on('message', ({ result, error }: MemberAnswer) => {
      if (error === undefined) this.#answered?.resolve(result)
      else this.#answered?.reject(new Error(error))
    })
    this.#child.once('close', () => this.#answered?.reject(new Error('the process has ended')))
    this.did = did
    return this
  }

  /** @throws when the group refuses it, or the process ends */
  async ask<T>(...call: MemberCall): Promise<T> {
    this.#answered = Promise.withResolvers()
    this.#child.send(call)
    return (await this.#answered.promise) as T
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'close')
  }
}

const directory = mkdtempSync(join(tmpdir(), 'comrade-representative-'))
const members = Array.from({ length: MEMBERS }, (_, i) => new Member(join(directory, String(i))))
try {
  for (const member of members) await member.start()
  await formGroup()
  const killed: number[] = []
  const frozen: number[] = []
  for (let round = 0; round < ROUNDS; round++) killed.push(await succession('SIGKILL'))
  for (let round = 0; round < Math.floor(ROUNDS / 5); round++) frozen.push(await succession('SIGSTOP'))
  const text = [
    ...describeMachine(directory, probeDisk(directory)).map((line) => `- ${line}`),
    '',
    `| until ${MEMBERS - 1} members name the same next one | times | unit | median | highest | to reach |`,
    '| --- | ---: | --- | ---: | ---: | --- |',
    row('representative killed', killed, '≤ 5,000'),
    ...(frozen.length === 0 ? [] : [row('representative frozen', frozen, '')]),
    ''
  ].join('\n')
  process.stdout.write(text)
  if (options.out !== undefined) writeFileSync(options.out, text)
} finally {
  await Promise.allSettled(members.map((member) => member.end()))
  rmSync(directory, { recursive: true, force: true })
}

function row(what: string, values: number[], goal: string): string {
  const [middle, highest] = [median(values), Math.max(...values)].map((each) => Math.round(each).toLocaleString('en'))
  return `| ${what} | ${values.length} | ms | ${middle} | ${highest} | ${goal} |`
}

/** The first founds it; the others come in one after the other, vouched for by those who came last. */
async function formGroup(): Promise<void> {
  const [founder, ...others] = members
  const link = await founder.ask<string>('create')
  const inside = [founder]
  for (const member of others) {
    await member.ask('open', link)
    await until(async () => (await member.ask('size')) === inside.length)
    const needed = await member.ask<number>('apply')
    for (const voter of inside.slice(-needed)) {
      await until(async () => (await voter.ask<number>('vouches', member.did)) >= 0)
      await voter.ask('vouch', member.did)
    }
    await until(async () => (await member.ask<number>('vouches', member.did)) >= needed)
    await member.ask('join')
    inside.push(member)
    for (const each of inside) await until(async () => (await each.ask('size')) === inside.length)
  }
}

/** Loses the representative, and brings it back. @returns ms until the others agreed */
async function succession(signal: 'SIGKILL' | 'SIGSTOP'): Promise<number> {
  const first = await agreed(members, (did) => did !== undefined)
  await sleep(2_000) // connections and addresses have come to rest
  const lost = members.find(({ did }) => did === first)!
  const startMs = performance.now()
  lost.signal(signal)
  await agreed(
    members.filter((member) => member !== lost),
    (did) => did !== undefined && did !== first
  )
  const tookMs = performance.now() - startMs
  await lost.end()
  await lost.start()
  const [other] = members.filter((member) => member !== lost)
  await until(async () => (await other.ask<number>('peers')) >= MEMBERS - 1)
  return tookMs
}

async function agreed(those: Member[], fits: (did: string | undefined) => boolean): Promise<string> {
  let dids: (string | undefined)[] = []
  await until(async () => {
    dids = await Promise.all(those.map((member) => member.ask<string | undefined>('representative')))
    return fits(dids[0]) && new Set(dids).size === 1
  })
  return dids[0]!
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + LIMIT_MS
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within ${LIMIT_MS} ms`)
    await sleep(POLL_MS)
  }
}
