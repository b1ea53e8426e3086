// What a ring signature costs:
//   node bench/groups/ring-signature.ts [--quick] [--out file.md]
// To prove and to verify, with both tags, for rings of 8, 32 and 64, as src/groups does it with libsodium and as the tests'
// second implementation does it over @noble/curves, turn by turn; then what the thread costs in which a node has it done.
import {
  type Anonymous,
  isPossessed,
  makeStatement,
  prove,
  readOperation,
  ready,
  ringKey,
  signedStatementOf,
  toHex,
  verify
} from '../../src/groups/index.ts'
import { Verifier } from '../../src/node/groups/verifier.ts'
import { forge, referenceVerify, toScalar } from '../../test/groups/ring-signature-reference.ts'
import { median } from '../statistics.ts'
import { partOptions, report } from './report.ts'

const { quick, out } = partOptions()

const RINGS = [
  { size: 8, goalMs: 8, runs: quick ? 10 : 40 },
  { size: 32, goalMs: 30, runs: quick ? 5 : 20 },
  { size: 64, goalMs: 60, runs: quick ? 3 : 12 }
]
/** @noble/curves takes many times as long. */
const NOBLE_RUNS = 3
const THREADS = 5
const MIB = 2 ** 20

const [GROUP, MOTION] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)].map(toHex)
const SLOT = 1

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

/** A vouch by the member in the middle of a ring. */
function vouchOf(size: number) {
  const keys = ringOf(size)
  const index = size >> 1
  const { secret } = keys[index]
  const ring = keys.map(({ publicKey }) => toHex(publicKey))
  const place = { group: GROUP, ring, period: 3, last: GROUP }
  const statement = { kind: 'vouch', motion: MOTION, slot: SLOT } as const
  const bytes = makeStatement(statement, place, secret)
  return { secret, index, place, statement, operation: readOperation(bytes, GROUP, isPossessed) as Anonymous }
}

/** Medians of one ring size. A run of the slow one stands among those of the fast one, in the same moments. */
function measure({ size, runs }: (typeof RINGS)[number]) {
  const { secret, index, place, operation } = vouchOf(size)
  const statement = signedStatementOf(operation, place)
  const reference = { ...statement, ...statement.context, ring: [...statement.ring] }
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

/** How long a new thread takes until its first proof is verified, and then; memory of the process. */
async function measureThread({ operation, place, statement, secret }: ReturnType<typeof vouchOf>) {
  const before = process.memoryUsage().rss
  const verifier = new Verifier()
  const timedAsync = async (work: () => Promise<unknown>): Promise<number> => {
    const start = performance.now()
    await work()
    return performance.now() - start
  }
  const ask = async (): Promise<void> => {
    if (!(await verifier.verify(operation, place))) throw new Error('a proof did not hold in the thread')
  }
  try {
    const firstMs = await timedAsync(ask)
    const verifyMs: number[] = []
    const proveMs: number[] = []
    for (let run = 0; run < 10; run++) {
      verifyMs.push(await timedAsync(ask))
      proveMs.push(await timedAsync(() => verifier.prove(statement, place, secret)))
    }
    const mib = (process.memoryUsage().rss - before) / MIB
    return { firstMs, verifyMs: median(verifyMs), proveMs: median(proveMs), mib }
  } finally {
    await verifier.close()
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
const rows = RINGS.map((ring) => {
  const { prove: proving, verify: verifying, nobleProve, nobleVerify } = measure(ring)
  const cells = [both(proving), both(verifying), `≤ ${ring.goalMs} each`, both(nobleProve), both(nobleVerify)]
  return `| ${ring.size} | ${cells.join(' | ')} |`
})
const vouch = vouchOf(32)
const statement = signedStatementOf(vouch.operation, vouch.place)
const here = median(Array.from({ length: 10 }, () => timed(() => verify(statement))[0].ms))
const threads: Awaited<ReturnType<typeof measureThread>>[] = []
for (let run = 0; run < THREADS; run++) threads.push(await measureThread(vouch))
const of = (what: keyof Awaited<ReturnType<typeof measureThread>>): string =>
  ms(median(threads.map((thread) => thread[what])))
report(
  out,
  'Medians by the clock; in brackets of the thread on a processor, which other work on the machine disturbs less.',
  [
    '| ring | prove, ms | verify, ms | to reach, ms | over @noble/curves: prove, ms | verify, ms |',
    '| ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows
  ].join('\n'),
  `Loading libsodium in the main thread: ${ms(loadMs)} ms, ${ms(loadMib)} MiB. A thread for proofs: its first one verified
${of('firstMs')} ms after it was asked for, ${of('mib')} MiB. In it afterwards, ring 32, with the way there and back: ${of('proveMs')} ms to
make a vouch, ${of('verifyMs')} ms to verify one, which takes ${ms(here)} ms in the main thread.`
)
