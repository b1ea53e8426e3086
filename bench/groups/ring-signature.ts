// What a ring signature costs: node bench/groups/ring-signature.ts
// To prove and to verify, with both tags, for rings of 8, 32 and 64, as src/groups does it with libsodium and as the tests'
// second implementation does it over @noble/curves, turn by turn; then what a worker thread costs, which loads its own.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { prove, ready, ringKey, slotTagOf, tagOf, verify, type SignedStatement } from '../../src/groups/index.ts'
import { forge, referenceVerify, toScalar } from '../../test/groups/ring-signature-reference.ts'
import { median } from '../statistics.ts'
import type { Answer } from './verifying-worker.ts'

const RINGS = [
  { size: 8, goalMs: 8, runs: 40 },
  { size: 32, goalMs: 30, runs: 20 },
  { size: 64, goalMs: 60, runs: 12 }
]
/** @noble/curves takes many times as long. */
const NOBLE_RUNS = 3
const WORKERS = 5
const MIB = 2 ** 20

const PLACE = { group: Buffer.alloc(32, 1), motion: Buffer.alloc(32, 2), period: 3, slot: 1 }
const MESSAGE = Buffer.from('vouch')

function ringOf(size: number) {
  return Array.from({ length: size }, (_, at) => ringKey(Buffer.alloc(32, at))).sort((a, b) =>
    Buffer.compare(a.publicKey, b.publicKey)
  )
}

/** Milliseconds by the clock and of this thread on a processor, and what the work gives. */
function timed<Result>(work: () => Result): [time: Time, result: Result] {
  const [start, used] = [performance.now(), process.threadCpuUsage()]
  const result = work()
  const { user, system } = process.threadCpuUsage(used)
  return [{ ms: performance.now() - start, cpuMs: (user + system) / 1_000 }, result]
}

interface Time {
  ms: number
  cpuMs: number
}

function signed(size: number): { secret: Uint8Array; index: number; statement: SignedStatement } {
  const keys = ringOf(size)
  const index = size >> 1
  const { secret } = keys[index]
  const statement = {
    ...{ ring: keys.map(({ publicKey }) => publicKey), context: PLACE, message: MESSAGE },
    tag: tagOf(secret, PLACE.group, PLACE.motion),
    slotTag: slotTagOf(secret, PLACE)
  }
  return { secret, index, statement: { ...statement, proof: prove({ ...statement, secret }) } }
}

/** Medians of one ring size. A run of the slow one stands among those of the fast one, in the same moments. */
function measure({ size, runs }: (typeof RINGS)[number]) {
  const { secret, index, statement } = signed(size)
  const reference = { ...statement, ...PLACE, ring: [...statement.ring] }
  const times: Record<'prove' | 'verify' | 'nobleProve' | 'nobleVerify', Time[]> = {
    ...{ prove: [], verify: [], nobleProve: [], nobleVerify: [] }
  }
  for (let run = 0; run < runs; run++) {
    const [proving, proof] = timed(() => prove({ ...statement, secret }))
    const [verifying, isValid] = timed(() => verify({ ...statement, proof }))
    times.prove.push(proving)
    times.verify.push(verifying)
    if (!isValid) throw new Error('a proof did not hold')
    if (run % Math.ceil(runs / NOBLE_RUNS) !== 0) continue
    times.nobleProve.push(timed(() => forge({ ...reference, index, secret: toScalar(secret) }))[0])
    const [verifyingThere, isValidThere] = timed(() => referenceVerify(reference, proof))
    times.nobleVerify.push(verifyingThere)
    if (!isValidThere) throw new Error('a proof did not hold over @noble/curves')
  }
  return times
}

/** How long a new worker takes until it has libsodium and until its first proof is verified; memory of the process. */
async function measureWorker(statement: SignedStatement) {
  const before = process.memoryUsage().rss
  const start = performance.now()
  const worker = new Worker(new URL('verifying-worker.ts', import.meta.url))
  try {
    const ask = async (): Promise<Answer> => {
      const answered = once(worker, 'message') // rejects when the worker fails
      worker.postMessage(statement)
      return ((await answered) as [Answer])[0]
    }
    const first = await ask()
    const firstMs = performance.now() - start
    const again: number[] = []
    for (let run = 0; run < 10; run++) {
      const asked = performance.now()
      await ask()
      again.push(performance.now() - asked)
    }
    return { loadMs: first.loadMs, firstMs, againMs: median(again), mib: (process.memoryUsage().rss - before) / MIB }
  } finally {
    await worker.terminate()
  }
}

const [loadStart, rss] = [performance.now(), process.memoryUsage().rss]
await ready()
const loadMs = performance.now() - loadStart
const loadMib = (process.memoryUsage().rss - rss) / MIB
measure({ size: 8, goalMs: 8, runs: 10 }) // compiles what is measured

const ms = (value: number): string => value.toFixed(1)
const both = (times: Time[]): string =>
  `${ms(median(times.map((t) => t.ms)))} (${ms(median(times.map((t) => t.cpuMs)))})`
console.log(
  'Medians by the clock; in brackets of the thread on a processor, which other work on the machine disturbs less.'
)
console.log('| ring | prove, ms | verify, ms | to reach, ms | over @noble/curves: prove, ms | verify, ms |')
console.log('| ---: | ---: | ---: | ---: | ---: | ---: |')
for (const ring of RINGS) {
  const { prove: proving, verify: verifying, nobleProve, nobleVerify } = measure(ring)
  const cells = [both(proving), both(verifying), ring.goalMs, both(nobleProve), both(nobleVerify)]
  console.log(`| ${ring.size} | ${cells.join(' | ')} |`)
}

const { statement } = signed(32)
const here = median(Array.from({ length: 10 }, () => timed(() => verify(statement))[0].ms))
const workers: Awaited<ReturnType<typeof measureWorker>>[] = []
for (let run = 0; run < WORKERS; run++) workers.push(await measureWorker(statement))
const of = (what: keyof Awaited<ReturnType<typeof measureWorker>>): string =>
  ms(median(workers.map((worker) => worker[what])))
console.log(`
Loading libsodium in the main thread: ${ms(loadMs)} ms, ${ms(loadMib)} MiB.
A worker: libsodium there after its start ${of('loadMs')} ms, first proof verified ${of('firstMs')} ms after it was asked for, ${of('mib')} MiB.
Verifying in it afterwards, ring 32: ${of('againMs')} ms with the way there and back, ${ms(here)} ms in the main thread.`)
