// How long it takes to evaluate a group's log, its proofs having been verified before:
//   node bench/groups/evaluate.ts [--quick] [--out file.md]
// Each profile is a log of 10,000 operations that grows as a group might: by days of acks, by joins, or on heads that
// nobody had seen all of. From scratch it is the evaluating thread's time on the processor, so that other programs do not
// count; one more operation, of the last 200 of each log, takes too little of it to be counted so, and is by the clock.
import type { Anonymous, Create, Hex, Operation } from '../../src/groups/index.ts'
import { BALLOT_SLOT, DEFAULT_RULE, Evaluator, GroupLog, majority, quorum } from '../../src/groups/index.ts'
import { partOptions, report, tableOf } from './report.ts'

interface Profile {
  name: string
  /** New members a day. */
  joins: number
  /** Whether all members ack each day's checkpoint. */
  hasAcks: boolean
  /** How many of the last operations somebody may not have seen. */
  unseen: number
}

const PROFILES: Profile[] = [
  { name: 'a checkpoint and its acks every day', joins: 1, hasAcks: true, unseen: 0 },
  { name: 'the same, in which nobody has seen all', joins: 1, hasAcks: true, unseen: 6 },
  { name: 'joins and little else', joins: 20, hasAcks: false, unseen: 0 }
]
const { quick, out } = partOptions()
const COUNT = quick ? 2_000 : 10_000
const RUNS = 5
const LAST = 200
/** Proofs that were found to hold. */
const isProven = (): boolean => true

const rows = PROFILES.flatMap((profile) => {
  const operations = makeLog(profile, COUNT)
  const scratch = runs(() => elapsed(() => void evaluate(operations).view()))
  const more = runs(() => lastOf(operations)).flat()
  const { seats, finality } = evaluate(operations).view()
  const what = `${profile.name} (${seats.size} members, ${finality.stable.length} stable checkpoints)`
  return [
    { what: `${what}: from scratch`, unit: 'ms', values: [median(scratch), '', Math.max(...scratch)], goal: '≤ 1,000' },
    {
      ...{ what: 'the same after one more operation', unit: 'ms', goal: '≤ 5' },
      values: [median(more), percentile(more, 0.99), Math.max(...more)]
    }
  ]
})
report(
  out,
  `Logs of ${COUNT} operations, proofs verified before, ${RUNS} runs. From scratch: on the processor; one more: by the clock.`,
  tableOf(['median', 'p99', 'highest'], rows)
)

function evaluate(operations: readonly Operation[]): Evaluator {
  const log = new GroupLog(operations[0] as Create)
  for (const operation of operations) log.add(operation)
  return new Evaluator(log, isProven)
}

/** Of each of the last operations, the time until the whole is evaluated again. */
function lastOf(operations: readonly Operation[]): number[] {
  const evaluator = evaluate(operations.slice(0, -LAST))
  evaluator.view()
  return operations.slice(-LAST).map((operation) => {
    const start = performance.now()
    evaluator.log.add(operation)
    evaluator.view()
    return performance.now() - start
  })
}

function makeLog({ joins, hasAcks, unseen }: Profile, count: number): Operation[] {
  const idOf = (n: number): Hex =>
    (Math.imul(n, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0') + n.toString(16).padStart(56, '0')
  const members = ['one', 'two', 'three', 'four', 'five']
  const founders = members.map((name) => ({ identity: name, member: name, ring: `ring ${name}`, kem: '' }))
  const create: Create = {
    ...{
      type: 'create',
      id: idOf(0),
      parents: [],
      author: 'one',
      name: 'bench',
      day: 0,
      rule: { ...DEFAULT_RULE, slots: 64 }
    },
    ...{ reading: 'members', history: false, founders }
  }
  const all: Operation[] = [create]
  let lastSigned: Hex[] = [create.id]
  const base = (author: Hex, named: Hex[] = []) => {
    const lag = unseen === 0 ? 0 : all.length % (unseen + 1)
    const prev = lastSigned.slice(Math.max(0, lastSigned.length - 1 - lag), lastSigned.length - lag || undefined)
    return {
      id: idOf(all.length),
      author,
      parents: [...new Set([...(prev.length > 0 ? [prev[0], prev.at(-1)!] : lastSigned), ...named])]
    }
  }
  const add = <New extends Operation>(operation: New): New => {
    all.push(operation)
    if ('author' in operation) lastSigned = [...lastSigned.slice(-unseen - 1), operation.id]
    return operation
  }
  const say = (type: Anonymous['type'], motion: Hex, who: Hex, slot: number): Hex =>
    add({
      ...{ type, id: idOf(all.length), parents: [motion], motion, tag: `tag ${who} ${motion}`, slot },
      ...{ slotTag: `slot ${who} ${all.length}`, proof: new Uint8Array() }
    }).id
  const admit = (name: Hex): void => {
    const candidacy = add({ type: 'candidacy', ...base(members[0]), identity: name, isOwn: false })
    const voters = members.slice(0, quorum(DEFAULT_RULE, members.length) + 1)
    const vouches = voters.slice(0, members.length).map((who) => say('vouch', candidacy.id, who, 0))
    const keys = { ring: `ring ${name}`, kem: '' }
    add({
      type: 'join',
      ...base(name, [candidacy.id, ...vouches]),
      candidacy: candidacy.id,
      identity: name,
      vouches,
      ...keys
    })
    members.push(name)
  }
  const expel = (identity: Hex): void => {
    const motion = add({ type: 'motion', ...base(members[0]), proposal: { kind: 'expel', identity } })
    const voters = members.slice(0, majority(members.length))
    const ballots = voters.map((who) => say('ballot', motion.id, who, BALLOT_SLOT))
    add({ type: 'certificate', ...base(members[0], [motion.id, ...ballots]), motion: motion.id, ballots })
    members.splice(members.indexOf(identity), 1)
  }

  for (let day = 1; all.length < count; day++) {
    for (let i = 0; i < joins; i++) admit(`member ${day} ${i}`)
    if (day % 10 === 0) expel(members[members.length >> 1])
    const rekeyed = members[day % members.length]
    add({ type: 'rekey', ...base(rekeyed), ring: `ring ${rekeyed} ${day}`, kem: '' })
    const checkpoint = add({ type: 'checkpoint', ...base(members[0]), day, retracts: [] })
    const ackers = hasAcks ? members : []
    for (const who of ackers) add({ type: 'ack', ...base(who, [checkpoint.id]), checkpoint: checkpoint.id })
  }
  return all.slice(0, count)
}

function runs<Result>(run: () => Result): Result[] {
  return Array.from({ length: RUNS }, run)
}

function elapsed(work: () => void): number {
  const start = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(start)
  return (user + system) / 1_000
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))]
}
