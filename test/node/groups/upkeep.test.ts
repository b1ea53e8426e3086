// Devices of a group that do by themselves what is due, in a time that the test lets pass: real logs, keys and stores,
// and what each signs reaches the others after a while.
import assert from 'node:assert/strict'
import { Vault } from '../../../src/node/vault.ts'
import { EventEmitter } from 'node:events'
import { describe, it } from 'mocha'
import type { FeedStore } from '../../../src/feeds/index.ts'
import { sha256 } from '../../../src/feeds/index.ts'
import {
  BALLOT_SLOT,
  dutiesOf,
  fromHex,
  isPossessed,
  makeStatement,
  type Operation,
  readOperation,
  ready,
  toHex
} from '../../../src/groups/index.ts'
import { GroupStore } from '../../../src/node/groups/group-store.ts'
import type { GroupsEvents, NodeGroups } from '../../../src/node/groups/groups.ts'
import type { Comrade } from '../../../src/index.ts'
import { type CheckedOperation, LocalGroup } from '../../../src/node/groups/local-group.ts'
import { Upkeep } from '../../../src/node/groups/upkeep.ts'
import type { Clock } from '../../../src/node/redial.ts'
import { type Random, randomFrom } from '../../groups/random-log.ts'
import { FIRST_DAY, personOf, ringKeyOf, Village } from '../../groups/village.ts'
import { temporaryStore } from '../../support/feeds.ts'
import { until } from '../../support/network.ts'
import { befriend, Homes } from '../../support/node.ts'

const VAULT = new Vault(new Uint8Array(32))

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** What one signs reaches each of the others within this time. */
const [LEAST_MS, MOST_MS] = [20, 500]

/** Time that passes when it is told to, from one timer to the next. */
class TestClock implements Clock {
  #nowMs = FIRST_DAY * DAY_MS + HOUR_MS
  readonly #timers = new Set<{ dueMs: number; run: () => void }>()

  now(): number {
    return this.#nowMs
  }

  setTimeout(run: () => void, delayMs: number): unknown {
    const timer = { dueMs: this.#nowMs + delayMs, run }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as { dueMs: number; run: () => void })
  }

  async pass(ms: number): Promise<void> {
    const end = this.#nowMs + ms
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next)
      this.#nowMs = next.dueMs
      next.run()
      await new Promise((resolve) => setImmediate(resolve)) // what follows from it is told once a turn
    }
    this.#nowMs = end
  }

  #next(end: number): { dueMs: number; run: () => void } | undefined {
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= end)
    return due.toSorted((a, b) => a.dueMs - b.dueMs)[0]
  }
}

interface Device {
  name: string
  group: LocalGroup
  upkeep: Upkeep
  /** What arrived before what it stands on. */
  early: CheckedOperation[]
  isAway: boolean
}

/** Founders of one group, each with a device of their own. */
class Devices implements AsyncDisposable {
  readonly clock = new TestClock()
  readonly village: Village
  readonly devices: Device[] = []
  readonly errors: unknown[] = []
  readonly #stores: ({ store: FeedStore } & Disposable)[] = []
  readonly #random: Random
  /** What devices did by themselves. */
  done: Operation['type'][] = []

  constructor(names: readonly string[], seed = 1) {
    this.#random = randomFrom(seed)
    this.village = new Village(names)
    for (const name of names) this.#add(name)
    for (const { upkeep } of this.devices) upkeep.start()
  }

  get(name: string): Device {
    return this.devices.find((device) => device.name === name)!
  }

  /** Everybody sees the same, and nothing is due any more. */
  assertRest(day: number): void {
    const prints = new Set(this.devices.map(({ group }) => toHex(group.fingerprint)))
    assert.equal(prints.size, 1)
    for (const { group } of this.devices)
      assert.deepEqual(dutiesOf(group.evaluated, group.membership!.memberKey, day), [])
    assert.deepEqual(this.errors, [])
  }

  /** Types of what was done since the last call, with how often. */
  takeDone(): Partial<Record<Operation['type'], number>> {
    const done = Object.fromEntries(
      Map.groupBy(this.done, (type) => type)
        .entries()
        .map(([type, all]) => [type, all.length])
    )
    this.done = []
    return done
  }

  /** Says something namelessly, as the person would. */
  ballot(motion: string, name: string): void {
    const { group } = this.get(name)
    const place = group.evaluated.place(motion)!
    const bytes = makeStatement({ kind: 'ballot', motion, slot: BALLOT_SLOT }, place, ringKeyOf(name).secret)
    group.take([{ operation: readOperation(bytes, group.hex, isPossessed), bytes }], undefined)
  }

  /** Lets somebody hear again; they get all that they missed. */
  return(name: string): void {
    const device = this.get(name)
    device.isAway = false
    for (const other of this.devices) {
      this.#send(other, allOf(other.group), [device])
      this.#send(device, allOf(device.group), [other])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { upkeep, group } of this.devices) {
      upkeep.stop()
      group.close()
    }
    for (const store of this.#stores) store[Symbol.dispose]()
  }

  #add(name: string): void {
    const temporary = temporaryStore()
    this.#stores.push(temporary)
    const store = new GroupStore(temporary.store, VAULT)
    const id = fromHex(this.village.id)
    const num = store.add(id)
    const seed = sha256(Buffer.from(`test key of member key 1 of ${name}`))
    const { ring, kem, member } = this.village.evaluator.log.create.founders.find(
      ({ identity }) => identity === personOf(name).identity
    )!
    store.addKeys(num, [
      { kind: 'member', public: fromHex(member), secret: seed },
      { kind: 'ring', public: fromHex(ring), secret: ringKeyOf(name).secret },
      { kind: 'kem', public: fromHex(kem), secret: seed }
    ])
    const group = new LocalGroup(store, { num, id }, personOf(name).root)
    const bytes = this.village.bytes.get(this.village.id)!
    group.take([{ operation: readOperation(bytes, undefined, isPossessed), bytes }], 'elsewhere')
    const upkeep = new Upkeep({
      groups: { all: () => [group], events: new EventEmitter<GroupsEvents>() },
      isPaused: () => false,
      onError: (error) => this.errors.push(error),
      clock: this.clock,
      random: this.#random
    })
    const device = { name, group, upkeep, early: [], isAway: false }
    this.devices.push(device)
    group.events.on('placed', (operations, origin) => {
      if (origin !== undefined) return
      this.done.push(...operations.map(({ type }) => type))
      this.#send(
        device,
        operations,
        this.devices.filter((other) => other !== device)
      )
    })
  }

  #send(from: Device, operations: readonly Operation[], to: readonly Device[]): void {
    for (const other of to) {
      if (from.isAway || other.isAway) continue
      const delayMs = LEAST_MS + this.#random() * (MOST_MS - LEAST_MS)
      const news = operations.map((operation) => ({ operation, bytes: from.group.bytesOf(operation.id)! }))
      this.clock.setTimeout(() => {
        if (other.isAway) return
        other.early.push(...news)
        other.group.take(other.early, from.name)
        other.early = other.early.filter(({ operation }) => !other.group.has(operation.id))
      }, delayMs)
    }
  }
}

function allOf({ evaluated: { log } }: LocalGroup): Operation[] {
  return Array.from({ length: log.size }, (_, at) => log.at(at))
}

function localOf(node: Comrade): LocalGroup {
  return (node.groups as NodeGroups).local('portland')
}

function seatsAt(node: Comrade): number {
  return localOf(node).evaluator?.view().seats.size ?? 0
}

function people(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `person ${i}`)
}

describe("a group's upkeep", function () {
  this.timeout(120_000)
  before(ready)

  for (const count of [4, 12, 30]) {
    it(`comes to rest after about as many operations as there are members: ${count}`, async () => {
      await using village = new Devices(people(count), count)
      const { clock } = village
      const [first] = village.devices
      first.group.sign('candidacy', { identity: personOf('zoe').root })
      const motion = first.group.sign('motion', { kind: 'expel', identity: personOf(`person ${count - 1}`).root })
      await clock.pass(2_000)
      for (const name of people((count >> 1) + 1)) village.ballot(motion.id, name)
      village.takeDone()
      await clock.pass(HOUR_MS)
      village.assertRest(FIRST_DAY)
      const day = village.takeDone()
      assert.equal(first.group.evaluated.view().seats.size, count - 1)
      assert.equal(first.group.evaluated.view().finality.stable.length > 0, count - 1 >= 4)
      assert.ok(day.certificate! <= 4, JSON.stringify(day))
      assert.ok((day.checkpoint ?? 0) <= 4 && (day.ack ?? 0) <= 2 * count, JSON.stringify(day))
      await clock.pass(DAY_MS)
      const { checkpoint = 0, ack = 0, ...others } = village.takeDone()
      assert.deepEqual(others, {})
      assert.ok(checkpoint <= 4 && ack <= 2 * count)
      await clock.pass(5 * DAY_MS)
      assert.deepEqual(village.takeDone(), {}, 'nothing happens where nothing happened')
      village.assertRest(FIRST_DAY + 6)
    })
  }

  it('comes to rest, whoever was away and whatever they did meanwhile', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = randomFrom(seed)
      const names = people(4 + Math.floor(random() * 6))
      await using village = new Devices(names, seed)
      const days = 6
      for (let day = 0; day < days; day++) {
        for (const name of names) {
          const device = village.get(name)
          if (device.isAway && random() < 0.5) village.return(name)
          else device.isAway ||= random() < 0.2
          if (random() < 0.3) device.group.sign('candidacy', { identity: personOf(`${name} ${day}`).root })
          if (random() < 0.03) device.group.sign('leave', {})
          await village.clock.pass(random() * HOUR_MS)
        }
        await village.clock.pass(DAY_MS - names.length * HOUR_MS)
      }
      for (const name of names) village.return(name)
      await village.clock.pass(8 * DAY_MS)
      const total = village.done.length
      village.assertRest(FIRST_DAY + days + 8)
      // Two checkpoints a day with an ack each of everybody, and what was said once more.
      assert.ok(total <= 4 * (days + 4) * names.length, `seed ${seed}: ${total} operations of ${names.length}`)
    }
  })

  it('changes the keys once a period, and forgets the old ones', async () => {
    await using village = new Devices(people(5))
    const { clock } = village
    village.devices[0].group.sign('candidacy', { identity: personOf('zoe').root })
    const before = village.devices.map(({ group }) => group.seat!.ring)
    await clock.pass(29 * DAY_MS)
    assert.equal(village.takeDone().rekey, undefined)
    await clock.pass(2 * DAY_MS)
    assert.equal(village.takeDone().rekey, 5)
    for (const [i, { group }] of village.devices.entries()) {
      assert.notEqual(group.seat!.ring, before[i])
      assert.ok(group.membership!.ringSecrets.has(group.seat!.ring))
    }
    // Zoe's candidacy can still be vouched for in this period.
    await clock.pass(DAY_MS)
    for (const [i, { group }] of village.devices.entries()) assert.ok(group.membership!.ringSecrets.has(before[i]))
    await clock.pass(30 * DAY_MS)
    for (const [i, { group }] of village.devices.entries()) {
      assert.ok(!group.membership!.ringSecrets.has(before[i]))
      assert.ok(group.membership!.kemSecrets.has(group.seat!.kem))
    }
    assert.deepEqual(village.errors, [])
  })

  it('takes new keys, once, where a device was restored from a copy that is older than its keys', async () => {
    await using village = new Devices(people(5))
    const { group } = village.get('person 2')
    for (const key of [...group.membership!.ringSecrets.keys(), ...group.membership!.kemSecrets.keys()])
      group.removeKey(key)
    assert.equal(group.hasKeys, false)
    await village.clock.pass(2 * HOUR_MS)
    assert.equal(group.hasKeys, true)
    assert.equal(village.takeDone().rekey, 1)
    for (const key of group.membership!.kemSecrets.keys()) group.removeKey(key)
    await village.clock.pass(DAY_MS)
    assert.equal(village.takeDone().rekey, undefined) // not twice in a period
  })

  it('says again what somebody did who was away, and no more than once', async () => {
    await using village = new Devices(people(5))
    const { clock } = village
    const away = village.get('person 4')
    away.isAway = true
    village.devices[0].group.sign('candidacy', { identity: personOf('zoe').root })
    away.group.sign('candidacy', { identity: personOf('yan').root })
    away.group.sign('leave', {})
    await clock.pass(HOUR_MS)
    const [group] = village.devices.map((device) => device.group)
    assert.equal(group.evaluated.view().finality.stable.length, 1, 'four of five acked')
    village.takeDone()
    village.return('person 4')
    await clock.pass(HOUR_MS)
    assert.equal(group.evaluated.view().seats.size, 4)
    const done = village.takeDone()
    assert.equal(done.leave, 1)
    assert.ok((done.candidacy ?? 0) <= 1)
    await clock.pass(3 * DAY_MS)
    village.assertRest(FIRST_DAY + 3)
  })

  it('carries a motion on a real node, and again after a restart', async () => {
    await using homes = new Homes()
    const first = await homes.start('alice')
    const group = await first.groups.create({ name: 'portland' })
    await group.rule('constant:2')
    await until(async () => (await group.show()).rule === 'constant:2')
    await group.rule('log2')
    await first.stop() // before anything was done about it
    const second = await homes.start('alice')
    const kept = await second.groups.get('portland')
    await until(async () => (await kept.show()).rule === 'log2')
    assert.deepEqual(
      (await kept.motions()).map(({ rule, isCarried }) => [rule, isCarried]),
      [
        ['constant:2', true],
        ['log2', true]
      ]
    )
  })

  it('makes a group of real nodes final, and expels who has ballots of more than half', async () => {
    await using homes = new Homes()
    const names = ['alice', 'bob', 'carol', 'dan']
    const nodes = await Promise.all(names.map((name) => homes.start(name)))
    const [alice] = nodes
    const ours = await alice.groups.create({ name: 'portland', quorum: 'constant:1' })
    for (const node of nodes.slice(1)) {
      const theirs = await node.groups.open(await ours.link())
      await until(() => seatsAt(alice) === seatsAt(node)) // the ring is that of what a candidate has seen
      await theirs.apply()
      const voucher = await (node === nodes[3] ? nodes[1] : alice).groups.get('portland')
      await until(async () => (await voucher.candidates()).length === 1)
      await voucher.vouch(node.identity.did)
      await until(async () => (await theirs.candidates()).some(({ vouches }) => vouches === 1))
      await theirs.join()
      await until(() => seatsAt(alice) === seatsAt(node))
      await befriend(alice, node)
    }
    const stableAt = (node: Comrade): number => localOf(node).evaluated.view().finality.stable.length
    await until(() => nodes.every((node) => stableAt(node) === 1), 40_000)
    const motion = await ours.expel(nodes[3].identity.did)
    for (const node of nodes.slice(1, 3)) {
      const theirs = await node.groups.get('portland')
      await until(async () => (await theirs.motions()).length === 1)
      await theirs.ballot(motion.motion)
    }
    await until(() => nodes.every((node) => seatsAt(node) === 3), 40_000)
  })

  it('goes on being final after a third has gone and was expelled', async () => {
    await using village = new Devices(people(6))
    const { clock } = village
    village.devices[0].group.sign('candidacy', { identity: personOf('zoe').root })
    await clock.pass(HOUR_MS)
    for (const name of ['person 4', 'person 5']) village.get(name).isAway = true
    await clock.pass(DAY_MS)
    const { group } = village.devices[0]
    const stable = group.evaluated.view().finality.stable.length
    group.sign('candidacy', { identity: personOf('yan').root })
    await clock.pass(10 * DAY_MS)
    assert.equal(group.evaluated.view().finality.stable.length, stable, 'four of six are too few')
    for (const gone of ['person 4', 'person 5']) {
      const motion = group.sign('motion', { kind: 'expel', identity: personOf(gone).root })
      await clock.pass(1_000)
      for (const name of people(4)) village.ballot(motion.id, name)
    }
    await clock.pass(20 * DAY_MS)
    assert.equal(group.evaluated.view().seats.size, 4)
    assert.ok(group.evaluated.view().finality.stable.length > stable)
  })
})
