// Eight whole nodes form a group, and some of them vouch and vote: what is on their disks and in their logs afterwards is
// looked through for anything that differs by who it was.
import assert from 'node:assert/strict'
import fs, { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { decodeCbor, formatEntryId, parseEntryId } from '../../../src/feeds/index.ts'
import {
  type Anonymous,
  fromHex,
  type Hex,
  isPossessed,
  readOperation,
  tagOf,
  toHex
} from '../../../src/groups/index.ts'
import { type Comrade, type Group, memoryNetwork } from '../../../src/index.ts'
import type { NodeGroups } from '../../../src/node/groups/groups.ts'
import type { LocalGroup } from '../../../src/node/groups/local-group.ts'
import { formatDid } from '../../../src/trust/index.ts'
import { keyOf } from '../../support/feeds.ts'
import { Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'

const NAMES = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay', 'gus', 'hal']
const ONLY_FIELDS = ['kind', 'motion', 'proof', 'slot', 'slotTag', 'tag', 'v']

interface Member {
  name: string
  node: Comrade
  group: Group
  local: LocalGroup
}

type Row = { table: string; row: Record<string, unknown> }

describe('what is left of a vouch', function () {
  this.timeout(240_000)

  it('is one row in the log, the same at all eight nodes whoever vouched, and nothing else anywhere', async () => {
    using log = captureLog() // to the very end: nodes that stop have something to say, too
    await using homes = new Homes()
    const members = await form(homes, 'trace')
    assert.ok(
      log.lines.some((line) => line.includes('"connected"')),
      'what they log is heard'
    )
    const [ada, eve, fay] = ['ada', 'eve', 'fay'].map((name) => members.find((member) => member.name === name)!)
    const guests = ['yan', 'zoe'].map((name) => formatDid(keyOf(name).publicKey))
    for (const guest of guests) await ada.group.propose(guest)
    const { motion } = await ada.group.rule('constant:2')
    await rest(members)

    const cases: [Member, () => Promise<unknown>][] = [
      [eve, () => eve.group.vouch(guests[0])],
      [fay, () => fay.group.vouch(guests[1])],
      [eve, () => eve.group.ballot(motion)],
      [fay, () => fay.group.ballot(motion)],
      [eve, () => eve.group.retract(guests[0])],
      [fay, () => fay.group.retract(guests[1])]
    ]
    const left: string[][] = []
    for (const [voter, speak] of cases) {
      const before = new Map(members.map((member) => [member.name, rowsOf(member)]))
      log.lines.length = 0
      const known = new Set(namelessOf(voter).map(({ id }) => id))
      await speak()
      await until(() => members.every((member) => namelessOf(member).length > known.size), 'everybody has it')
      const { id } = namelessOf(voter).find((operation) => !known.has(operation.id))!
      const said = readOperation(voter.local.bytesOf(id)!, voter.local.hex, isPossessed) as Anonymous // with its proof
      await rest(members)
      left.push(members.map((member) => differenceOf(member, before.get(member.name)!, said)))
      for (const { name } of members) assert.deepEqual(filesWith(homes.of(name), said), [], `files of ${name}`)
      for (const line of log.lines)
        for (const mark of [...textsOf(said), 'stem', 'vouch', 'ballot', 'retract'])
          assert.ok(!line.includes(mark), `${mark} in the log: ${line}`)
    }
    assert.deepEqual(new Set(left.flat()), new Set(['+ the operation']), 'at the voucher as at everybody else')
  })

  it('is in the log of somebody else first, but for as many of 200 as protocol.md derives', async () => {
    await using homes = new Homes()
    const members = await form(homes)
    const holders = new Map<Hex, string>()
    for (const { name, local } of members)
      local.events.on('placed', (operations, origin) => {
        if (origin === undefined) for (const { id } of operations) holders.set(id, name)
      })
    let [own, ballots] = [0, 0]
    for (let round = 0; round < 25; round++) {
      const mover = members[round % members.length]
      const { motion } = await mover.group.rule('constant:1')
      await until(() => members.every(({ local }) => local.has(hexOf(motion))), 'everybody has the motion')
      const voters = members.filter((member) => member !== mover)
      // A checkpoint may come between a motion and the votes on it, and make it void.
      const votes = await Promise.allSettled(voters.map(({ group }) => group.ballot(motion)))
      const cast = 1 + votes.filter(({ status }) => status === 'fulfilled').length
      await until(() => members.every((member) => ballotsOn(member, motion).length === cast), 'all votes are in')
      ballots += cast
      for (const { id, tag } of ballotsOn(mover, motion)) {
        const voter = members.find((member) => tagsOf(member, motion).includes(tag))!
        if (holders.get(id) === voter.name) own++
      }
    }
    // Of 200, 17.2 are expected (chance: 25); more than 40 come about in fewer than one of a hundred thousand runs.
    assert.ok(ballots >= 180, `${ballots} ballots`)
    assert.ok(own <= 40, `${own} of ${ballots}`)
  })
})

function hexOf(id: string): Hex {
  return toHex(parseEntryId(id))
}

function ballotsOn(member: Member, motion: string): Anonymous[] {
  return namelessOf(member).filter((operation) => operation.motion === hexOf(motion))
}

/** The tags that a member's keys give on a motion: only who has the keys can compute them. */
function tagsOf({ local }: Member, motion: string): Hex[] {
  const secrets = [...local.membership!.ringSecrets.values()]
  return secrets.map((secret) => toHex(tagOf(secret, local.id, fromHex(hexOf(motion)))))
}

/** Eight friends with a group, all connected with each other. */
async function form(homes: Homes, logLevel = 'silent'): Promise<Member[]> {
  const nodes = await Promise.all(
    NAMES.map((name) =>
      homes.start(name, { listen: undefined, libp2p: memoryNetwork() }, { directory: false, logLevel })
    )
  )
  for (const [i, node] of nodes.entries()) {
    for (const other of nodes) if (other !== node) await node.contacts.follow(other.identity.did)
    for (const other of nodes.slice(i + 1)) await node.connect(other.addresses[0])
  }
  const first = await nodes[0].groups.create({ name: 'portland', quorum: 'constant:1' })
  const members = await Promise.all(
    nodes.map(async (node, i) => {
      const group = i === 0 ? first : await node.groups.open(await first.link())
      const local = (node.groups as NodeGroups).local(group.id)
      return { name: NAMES[i], node, group, local }
    })
  )
  await rest(members)
  const isIn = ({ local }: Member): boolean =>
    members.every((member) => member.local.evaluated.view().seats.has(local.identity))
  while (!members.every(isIn)) {
    for (const newcomer of members.filter((member) => !isIn(member)))
      await admit(
        newcomer,
        members.filter((member) => member !== newcomer && isIn(member))
      )
    // Who joined while the first checkpoint was made is out again when it becomes final.
    await until(() => members.every(hasFinal), 'no checkpoint waits to be final', 60_000)
    await rest(members)
  }
  return members
}

/** There is a final checkpoint, or none at all. */
function hasFinal({ local: { evaluated } }: Member): boolean {
  return evaluated.checkpoints().length === 0 || evaluated.view().finality.stable.length > 0
}

/**
 * Lets somebody in by one of these. On a busy machine a checkpoint may come between asking and joining: then they ask
 * once more.
 */
async function admit({ node, group, local }: Member, members: readonly Member[]): Promise<void> {
  const { did } = node.identity
  const isIn = (): boolean =>
    [...members.map((member) => member.local), local].every((each) => each.evaluated.view().seats.has(local.identity))
  for (let attempt = 0; attempt < 10 && !isIn(); attempt++) {
    const sponsor = members[(Math.floor((members.length - 1) / 2) + attempt) % members.length] // each can vouch twice
    await group.apply()
    const asks = async (): Promise<boolean> => (await sponsor.group.candidates()).some((each) => each.did === did)
    await until(asks, 'the sponsor has heard of it')
    await sponsor.group.vouch(did).catch(() => {}) // no vouches are left: the next one
    const isVouched = async (): Promise<boolean> =>
      (await group.candidates()).some((each) => each.did === did && each.vouches >= each.needed)
    await until(isVouched, 'the vouch has come', 3_000).catch(() => {})
    await group.join().catch(() => {})
    await until(isIn, 'they are a member', 3_000).catch(() => {})
  }
  assert.ok(isIn(), `${node.home} is let in`)
}

/** Waits until all have the same, and nothing is on its way or being written. */
async function rest(members: readonly Member[]): Promise<void> {
  let before = ''
  await until(async () => {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const sizes = new Set(members.map(({ local }) => local.size))
    const rows = JSON.stringify(members.map((member) => [...rowsOf(member).keys()]))
    const isResting = sizes.size === 1 && rows === before && members.every((member) => pendingOf(member).length === 0)
    before = rows
    return isResting
  }, 'all is quiet')
}

function namelessOf({ local }: Member): Anonymous[] {
  const { log } = local.evaluated
  const operations = Array.from({ length: log.size }, (_, at) => log.at(at))
  return operations.filter((operation): operation is Anonymous => !('author' in operation))
}

/** Own operations that are not in the log, as the node's publisher knows them. */
function pendingOf({ local, node }: Member): Anonymous[] {
  const rows = read(node, (database) => database.prepare('SELECT bytes FROM group_outbox').all())
  return rows.map(({ bytes }) => readOperation(bytes as Uint8Array, local.hex, isPossessed) as Anonymous)
}

/** All rows of all tables, by themselves as a text. */
function rowsOf({ node }: Member): Map<string, Row> {
  return read(node, (database) => {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[]
    const rows = tables.flatMap(({ name: table }) =>
      database
        .prepare(`SELECT * FROM "${table}"`)
        .all()
        .map((row) => ({ table, row }))
    )
    return new Map(rows.map((row) => [JSON.stringify(row, bytesAsHex), row]))
  })
}

function bytesAsHex(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? toHex(value) : value
}

function read<Result>(node: Comrade, work: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(join(node.home, 'feeds.sqlite'), { readOnly: true, timeout: 5_000 })
  try {
    return work(database)
  } finally {
    database.close()
  }
}

/**
 * What changed in the tables, without what devices sign by themselves meanwhile, and with the operation itself by its
 * kind: a text that is the same for the same changes.
 */
function differenceOf(member: Member, before: ReadonlyMap<string, Row>, said: Anonymous): string {
  const after = rowsOf(member)
  const added = [...after].filter(([text]) => !before.has(text)).map(([text, row]) => `+ ${shown(text, row, said)}`)
  const gone = [...before.keys()].filter((text) => !after.has(text)).map((text) => `- ${text}`)
  return [...added, ...gone].filter((line) => !line.endsWith('signed')).join('\n')
}

function shown(text: string, { table, row }: Row, said: Anonymous): string {
  if (table !== 'group_operations') return text
  const operation = decodeCbor(row.bytes as Uint8Array) as object
  if ('author' in operation) return 'signed'
  assert.deepEqual(Object.keys(operation).toSorted(), ONLY_FIELDS)
  assert.deepEqual(Object.keys(row), ['place', 'id', 'bytes'])
  return toHex(row.id as Uint8Array) === said.id ? 'the operation' : text
}

/** Files of a home besides the database, whose rows were compared, that have a part of the operation in any form. */
function filesWith(home: string, said: Anonymous): string[] {
  const marks = [fromHex(said.id), fromHex(said.tag), said.proof.slice(0, 64), ...textsOf(said)].map((mark) =>
    Buffer.from(mark)
  )
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files
    .filter(({ name }) => !name.startsWith('feeds.sqlite'))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => {
      const bytes = readFileSync(file)
      return marks.some((mark) => bytes.includes(mark))
    })
}

function textsOf({ id, tag, slotTag }: Anonymous): string[] {
  return [id, tag, slotTag].flatMap((hex) => [
    hex,
    Buffer.from(hex, 'hex').toString('base64'),
    formatEntryId(fromHex(hex))
  ])
}

/** Everything that the nodes of this process log. */
function captureLog(): Disposable & { lines: string[] } {
  const lines: string[] = []
  const { writeSync } = fs
  fs.writeSync = ((fd: number, ...rest: [string]) => {
    if (fd !== 2) return writeSync(fd, ...rest)
    lines.push(rest[0])
    return Buffer.byteLength(rest[0])
  }) as typeof writeSync
  return {
    lines,
    [Symbol.dispose]: () => {
      fs.writeSync = writeSync
    }
  }
}
