// What sessions of private messages cost, on disk and with every state synced:
//   node bench/messages/sessions.ts [--quick] [--out file.md]
// Two devices in one process: loading libsignal, the first message, later ones one by one and many at once, and how much
// longer a message is than what is in it.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { loadLibsignal, pad, type Sealed } from '../../src/messages/index.ts'
import { TestDevice } from '../../test/messages/devices.ts'
import { partOptions, report, type Row, tableOf } from '../groups/report.ts'
import { median } from '../statistics.ts'

const { quick, out } = partOptions()
const FIRST = quick ? 5 : 30
const SINGLE = quick ? 100 : 500
const MANY = quick ? 1_000 : 10_000
/** Asked for at once. */
const TOGETHER = 100
const MIB = 2 ** 20
/** As every short message is padded. */
const SHORT = pad(new Uint8Array(1))

async function timed<T>(work: () => Promise<T>): Promise<[ms: number, result: T]> {
  const start = performance.now()
  const result = await work()
  return [performance.now() - start, result]
}

const open = (device: TestDevice, from: TestDevice, sealed: Sealed): Promise<void> =>
  device.sessions.decrypt(from.address, sealed, (plaintext) => device.store.setMeta('newest', plaintext))

/** New sessions between the same two. */
async function measureFirst(alice: TestDevice, bob: TestDevice) {
  const times: Record<'bundle' | 'encrypt' | 'open', number[]> = { bundle: [], encrypt: [], open: [] }
  let bytes = 0
  for (let run = 0; run < FIRST; run++) {
    await alice.sessions.forget(bob.address)
    await bob.sessions.forget(alice.address)
    const [bundleMs, bundle] = await timed(async () => bob.sessions.bundle())
    const [encryptMs, sealed] = await timed(() => alice.sessions.encrypt(bob.address, SHORT, { bundle }))
    const [openMs] = await timed(() => open(bob, alice, sealed))
    times.bundle.push(bundleMs)
    times.encrypt.push(encryptMs)
    times.open.push(openMs)
    bytes = Math.max(bytes, sealed.bytes.length - SHORT.length)
  }
  return { times, bytes }
}

/** In turn, as two people write. */
async function measureSingle(devices: readonly [TestDevice, TestDevice]) {
  const times: Record<'encrypt' | 'open', number[]> = { encrypt: [], open: [] }
  let bytes = 0
  for (let run = 0; run < SINGLE; run++) {
    const [from, to] = run % 2 === 0 ? devices : devices.toReversed()
    const [encryptMs, sealed] = await timed(() => from.sessions.encrypt(to.address, SHORT))
    times.encrypt.push(encryptMs)
    times.open.push((await timed(() => open(to, from, sealed)))[0])
    if (run > 1) bytes = Math.max(bytes, sealed.bytes.length - SHORT.length)
  }
  return { times, bytes }
}

async function measureMany(alice: TestDevice, bob: TestDevice) {
  const all: Sealed[] = []
  const [encryptMs] = await timed(async () => {
    while (all.length < MANY)
      all.push(
        ...(await Promise.all(Array.from({ length: TOGETHER }, () => alice.sessions.encrypt(bob.address, SHORT))))
      )
  })
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const [openMs] = await timed(async () => {
    for (let i = 0; i < MANY; i += TOGETHER)
      await Promise.all(all.slice(i, i + TOGETHER).map((sealed) => open(bob, alice, sealed)))
  })
  delay.disable()
  return { encryptMs, openMs, delayMs: delay.percentile(99) / 1e6 }
}

const rss = process.memoryUsage().rss
const [loadMs] = await timed(loadLibsignal)
const loadMib = (process.memoryUsage().rss - rss) / MIB
await using alice = await TestDevice.create('alice')
await using bob = await TestDevice.create('bob')
const first = await measureFirst(alice, bob)
const single = await measureSingle([alice, bob])
const many = await measureMany(alice, bob)
const rows: Row[] = [
  { what: 'loading libsignal', unit: 'ms', values: [loadMs] },
  { what: 'loading libsignal', unit: 'MiB', values: [loadMib], goal: '≤ 40' },
  { what: 'a bundle', unit: 'ms', values: [median(first.times.bundle)] },
  { what: 'first message: encrypt', unit: 'ms', values: [median(first.times.encrypt)] },
  { what: 'first message: open', unit: 'ms', values: [median(first.times.open)] },
  { what: 'first message: longer by', unit: 'bytes', values: [first.bytes] },
  { what: 'later message: encrypt', unit: 'ms', values: [median(single.times.encrypt)] },
  { what: 'later message: open', unit: 'ms', values: [median(single.times.open)] },
  { what: 'later message: longer by', unit: 'bytes', values: [single.bytes] },
  {
    what: `${TOGETHER} at once: encrypt`,
    unit: 'messages/s',
    values: [(MANY / many.encryptMs) * 1_000],
    goal: '≥ 500'
  },
  { what: `${MANY} opened, ${TOGETHER} at once`, unit: 's', values: [many.openMs / 1_000], goal: '≤ 25 of 10,000' },
  { what: 'event loop delay meanwhile, p99', unit: 'ms', values: [many.delayMs], goal: '≤ 50' }
]
report(out, tableOf(['median'], rows))
