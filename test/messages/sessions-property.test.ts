// Whatever order messages come in, however often, whatever is lost, and whenever a device crashes, gives a session up or
// gets an older copy of its database back: nothing is opened twice or wrongly, and all who have something to say get
// through in the end.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MessageError, type Sealed } from '../../src/messages/index.ts'
import { TestDevice } from './devices.ts'

const NAMES = ['alice', 'phone', 'laptop'] as const
/** Together more than 10,000 actions. */
const RUNS = 42
const ACTIONS = 250
const TABLES = ['message_devices', 'message_prekeys', 'message_kyber_uses', 'message_registration'] as const
const HOUR_MS = 3_600_000
/** Attempts after which two devices hear each other again, with no more than an hour between two of them. */
const ATTEMPTS = 8

const pair = fc.uniqueArray(fc.nat(NAMES.length - 1), { minLength: 2, maxLength: 2 })
const device = fc.nat(NAMES.length - 1)
const fault = fc.constantFrom('before' as const, 'within' as const, 'after' as const)
const few = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: 1, maxLength: 6 })
const action = fc.oneof(
  { weight: 40, arbitrary: fc.record({ do: fc.constant('send' as const), pair }) },
  { weight: 40, arbitrary: fc.record({ do: fc.constant('deliver' as const), which: fc.nat() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('burst' as const), pairs: few(pair), which: few(fc.nat()) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('repeat' as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('drop' as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('crash' as const), device, fault, pair }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const), pair }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('snapshot' as const), device }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), device }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.nat(100) }) }
)

type Action = typeof action extends fc.Arbitrary<infer Step> ? Step : never

interface Letter {
  from: TestDevice
  to: TestDevice
  text: string
  sealed: Sealed
}

type Rows = Record<string, Record<string, unknown>[]>

class Village implements AsyncDisposable {
  readonly devices: TestDevice[]
  readonly #underWay: Letter[] = []
  readonly #past: Letter[] = []
  readonly #opened = new Set<Sealed>()
  readonly #snapshots = new Map<TestDevice, Rows>()
  #count = 0

  constructor(devices: TestDevice[]) {
    this.devices = devices
  }

  async run(step: Action): Promise<void> {
    switch (step.do) {
      case 'send':
        return void this.#underWay.push(await this.#write(...this.#pair(step.pair)))
      case 'deliver':
        return this.#deliver(this.#take(step.which))
      case 'burst':
        return this.#burst(step.pairs, step.which)
      case 'repeat':
        return this.#past.length === 0 ? undefined : this.#deliver(this.#past[step.which % this.#past.length])
      case 'drop':
        return void this.#take(step.which)
      case 'crash':
        return this.#crash(this.devices[step.device], step.fault, step.pair)
      case 'reset': {
        const [from, to] = this.#pair(step.pair)
        return from.sessions.reset(to.address)
      }
      case 'snapshot':
        return void this.#snapshots.set(this.devices[step.device], rowsOf(this.devices[step.device]))
      case 'restore':
        return this.#restore(this.devices[step.device])
      default:
        for (const other of this.devices) other.nowMs += step.hours * HOUR_MS
    }
  }

  /** All at once: what is sent, what comes, and some of it twice. */
  async #burst(pairs: number[][], which: number[]): Promise<void> {
    const letters = which.flatMap((index) => this.#take(index) ?? [])
    const writing = pairs.map((each) => this.#write(...this.#pair(each)))
    await Promise.all([...letters, ...letters.slice(0, 2)].map((letter) => this.#deliver(letter)))
    this.#underWay.push(...(await Promise.all(writing)))
  }

  /** Each device gets through to each other, by asking for bundles where it is told to. */
  async settle(): Promise<void> {
    for (const [from, to] of this.devices.flatMap((from) => this.devices.map((to) => [from, to]))) {
      if (from === to) continue
      let isThrough = false
      for (let i = 0; i < ATTEMPTS && !isThrough; i++) {
        isThrough = await this.#opens(await this.#write(from, to))
        if (!isThrough) await this.#opens(await this.#write(to, from)) // says so, as recovery does
        for (const other of this.devices) other.nowMs += HOUR_MS
      }
      assert.ok(isThrough)
    }
  }

  async #write(from: TestDevice, to: TestDevice): Promise<Letter> {
    const text = `message ${++this.#count}`
    return { from, to, text, sealed: await from.write(to, text) }
  }

  #take(which: number): Letter | undefined {
    const [letter] = this.#underWay.splice(which % Math.max(1, this.#underWay.length), 1)
    if (letter !== undefined) this.#past.push(letter)
    return letter
  }

  async #deliver(letter: Letter | undefined): Promise<void> {
    if (letter !== undefined) await this.#opens(letter)
  }

  /** @returns whether it was opened; that it is opened once, and says what was written, is checked here */
  async #opens({ from, to, text, sealed }: Letter): Promise<boolean> {
    try {
      assert.equal(await to.read(from, sealed), text)
    } catch (error) {
      assert.ok(error instanceof MessageError && ['DUPLICATE', 'UNREADABLE'].includes(error.code), String(error))
      assert.ok(error.code === 'UNREADABLE' || this.#opened.has(sealed), 'two messages had the same key')
      return false
    }
    assert.ok(!this.#opened.has(sealed), 'a message was opened twice')
    this.#opened.add(sealed)
    return true
  }

  /** While it writes something, or opens it. */
  async #crash(device: TestDevice, fault: TestDevice['fault'], pair: number[]): Promise<void> {
    const [other] = this.devices.filter((candidate) => candidate !== device)
    device.fault = fault
    if (pair[0] < pair[1]) await device.write(other, 'never sent').catch(() => {})
    else {
      device.fault = undefined
      const letter = await this.#write(other, device)
      device.fault = fault
      await device.read(other, letter.sealed).catch(() => {})
      if (fault === 'after') this.#opened.add(letter.sealed)
      this.#underWay.push(letter)
    }
    await device.begin()
  }

  async #restore(device: TestDevice): Promise<void> {
    const snapshot = this.#snapshots.get(device)
    if (snapshot === undefined) return
    putBack(device, snapshot)
    device.store.renewEpoch()
    await device.begin()
  }

  #pair([from, to]: number[]): [TestDevice, TestDevice] {
    return [this.devices[from], this.devices[to]]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.devices) await each[Symbol.asyncDispose]()
  }
}

describe('sessions under random loss, order, crashes and restores', function () {
  this.timeout(120_000)

  it('open nothing twice or wrongly, and everybody gets through in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: ACTIONS, maxLength: ACTIONS }), async (actions) => {
        const devices = await Promise.all(NAMES.map((name) => TestDevice.create(name, { isInMemory: true })))
        await using village = new Village(devices)
        for (const step of actions) await village.run(step)
        await village.settle()
      }),
      { numRuns: RUNS, endOnFailure: true }
    )
  })
})

function rowsOf({ store }: TestDevice): Rows {
  return Object.fromEntries(TABLES.map((table) => [table, store.database.prepare(`SELECT * FROM ${table}`).all()]))
}

function putBack({ store }: TestDevice, rows: Rows): void {
  for (const table of TABLES) {
    store.database.exec(`DELETE FROM ${table}`)
    for (const row of rows[table]) {
      const values = Object.values(row) as string[]
      store.database.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?')})`).run(...values)
    }
  }
}
