// A node that carries much: a thousand contacts, and ten thousand feeds of friends' friends. How long it takes to find out
// anew whose feeds are wanted, what the node holds when idle, and how soon `contacts` answers:
//   node bench/people/policy.ts [--quick] [--out file.md]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { encodeBody, FeedStore, storeSize } from '../../src/feeds/index.ts'
import { signRuns } from '../../src/feeds/run.ts'
import { People } from '../../src/node/people.ts'
import { deviceAddBody, formatDid, parseDid } from '../../src/trust/index.ts'
import { finish, LAUNCHER, readyLine, residentBytes, shortStart, startNode, stopNode } from '../command.ts'
import { type Author, authorOf } from '../contenders/comrade-authors.ts'
import { describeMachine, probeDisk } from '../machine.ts'
import { median } from '../statistics.ts'

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, out: { type: 'string' } }
})
const CONTACTS = options.quick ? 100 : 1_000
/** Each has an identity log and one device's feed. */
const FAR = options.quick ? 500 : 5_000
/** People whom each contact names; each is named by four. */
const NAMED = (FAR / CONTACTS) * 4
const POSTS = 10
const CHANGES = 25
const FOLLOWS = 5
const IDLE_MS = 10_000
const MIB = 2 ** 20
const GENESIS = new Uint8Array(32)

const home = mkdtempSync(join(tmpdir(), 'comrade-people-'))
try {
  await finish(LAUNCHER, ['--version']) // bundles the sources when they have changed
  const self = await firstUse()
  const rows = [...measureUpdates(self), ...(await measureNode())]
  const text = [
    ...describeMachine(home, probeDisk(home)).map((line) => `- ${line}`),
    '',
    '| what | unit | median | highest | median of CPU time | to reach |',
    '| --- | --- | ---: | ---: | ---: | --- |',
    ...rows.map(({ what, unit, values, cpuMs, goal = '' }) => {
      const [middle, highest] = [median(values), Math.max(...values)].map((value) => value.toFixed(1))
      const cpu = cpuMs === undefined ? '' : median(cpuMs).toFixed(1)
      return `| ${what} | ${unit} | ${middle} | ${values.length > 1 ? highest : ''} | ${cpu} | ${goal} |`
    }),
    ''
  ].join('\n')
  process.stdout.write(text)
  if (options.out !== undefined) writeFileSync(options.out, text)
} finally {
  rmSync(home, { recursive: true, force: true })
}

interface Row {
  what: string
  unit: string
  values: number[]
  /** What the process itself used, whatever else the machine did meanwhile. */
  cpuMs?: number[]
  goal?: string
}

async function firstUse(): Promise<{ root: Uint8Array; device: Uint8Array }> {
  const node = startNode(home)
  const { did, device } = await readyLine(node)
  await stopNode(node)
  return { root: parseDid(did), device: parseDid(device) }
}

/** Fills the store, and changes one thing at a time: each time, everything is found out and written as in a running node. */
function measureUpdates({ root, device }: { root: Uint8Array; device: Uint8Array }): Row[] {
  const store = FeedStore.open(join(home, 'feeds.sqlite'))
  const people = new People({ store, root, device, mode: 'all', quota: 10 * 2 ** 30 })
  const contacts = Array.from({ length: CONTACTS }, (_, i) => authorOf(i + 1))
  const far = Array.from({ length: FAR }, (_, i) => authorOf(CONTACTS + i + 1))
  fill(store, people, contacts, far)
  const { feeds, entries } = storeSize(store)
  process.stderr.write(`${feeds} feeds, ${entries} entries; ${store.wantedFeeds().length} feeds wanted\n`)
  const key = (i: number): Uint8Array => authorOf(CONTACTS + FAR + i + 1).root.publicKey
  const changes: Record<string, (i: number) => void> = {
    'nothing has changed': () => {},
    'somebody is followed': (i) => people.contacts.follow(key(i)),
    'a friend’s friend is blocked': (i) => people.contacts.block(far[i].root.publicKey),
    'a friend’s friend has another device': (i) =>
      people.contacts.setDevices(far[FAR - 1 - i].root.publicKey, [
        { device: far[FAR - 1 - i].device.publicKey, name: 'one', addedAt: 1 },
        { device: key(CHANGES + i), name: 'two', addedAt: 2 }
      ]),
    'a friend shares other people': (i) =>
      people.contacts.shared.set(contacts[i].root.publicKey, [...namedBy(i, far).slice(1), key(2 * CHANGES + i)]),
    'a friend is one no longer': (i) => people.contacts.setFollowsUs(contacts[CONTACTS - 1 - i].root.publicKey, false)
  }
  const rows = Object.entries(changes).map(([what, change]): Row => {
    const times = Array.from({ length: CHANGES }, (_, i) => {
      change(i)
      const [start, cpu] = [performance.now(), process.cpuUsage()]
      people.update()
      const used = process.cpuUsage(cpu)
      return { ms: performance.now() - start, cpuMs: (used.user + used.system) / 1_000 }
    })
    return {
      what: `whose feeds are wanted, found out and written: ${what}`,
      unit: 'ms',
      goal: '≤ 50',
      values: times.map(({ ms }) => ms),
      cpuMs: times.map(({ cpuMs }) => cpuMs)
    }
  })
  people.close()
  store.close()
  return rows
}

function fill(store: FeedStore, people: People, contacts: Author[], far: Author[]): void {
  store.write(() => {
    for (const { root } of contacts) {
      people.contacts.follow(root.publicKey)
      people.contacts.setFollowsUs(root.publicKey, true)
    }
    contacts.forEach(({ root }, i) => people.contacts.shared.set(root.publicKey, namedBy(i, far)))
  })
  people.update()
  const everybody = [...contacts, ...far]
  store.write(() => everybody.forEach((author) => store.ingest(logOf(author))))
  people.update()
  const bodies = Array.from({ length: POSTS }, (_, i) =>
    encodeBody({ type: 'post', text: `${i} ${'word '.repeat(50)}` })
  )
  store.write(() => {
    for (const author of everybody)
      store.ingest(signRuns(author.device, { first: 1, prev: GENESIS }, bodies, Date.now()))
  })
}

function logOf({ root, device }: Author): ReturnType<typeof signRuns> {
  return signRuns(root, { first: 1, prev: GENESIS }, [encodeBody(deviceAddBody(root.publicKey, device, 'device'))], 0)
}

function namedBy(contact: number, far: Author[]): Uint8Array[] {
  return Array.from({ length: NAMED }, (_, i) => far[(contact * (FAR / CONTACTS) + i) % far.length].root.publicKey)
}

async function measureNode(): Promise<Row[]> {
  const start = performance.now()
  const node = startNode(home)
  try {
    await readyLine(node)
    const ready = performance.now() - start
    await sleep(IDLE_MS)
    const idle = residentBytes(node.pid!) / MIB
    const list = await shortStart(LAUNCHER, ['contacts', '--json', '--home', home])
    const quota = await shortStart(LAUNCHER, ['quota', '--json', '--home', home])
    const follows: number[] = []
    for (let i = 0; i < FOLLOWS; i++) {
      const did = formatDid(authorOf(CONTACTS + 2 * FAR + i).root.publicKey)
      follows.push(await finish(LAUNCHER, ['follow', did, '--json', '--home', home]))
    }
    const after = residentBytes(node.pid!) / MIB
    await stopNode(node)
    return [
      { what: '`up` to the ready line', unit: 'ms', values: [ready] },
      { what: `resident ${IDLE_MS / 1_000} s later, idle`, unit: 'MiB', values: [idle], goal: '≤ 180' },
      { what: '`contacts`, the whole process', unit: 'ms', values: [list], goal: '≤ 200' },
      { what: '`quota`, the whole process', unit: 'ms', values: [quota] },
      { what: '`follow`, the whole process', unit: 'ms', values: follows },
      { what: 'resident after these', unit: 'MiB', values: [after] }
    ]
  } finally {
    node.kill('SIGKILL')
  }
}
