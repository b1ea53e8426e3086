import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { migrate } from '../../src/feeds/index.ts'
import { MESSAGE_MIGRATIONS, Outbox, TRANSFER_SIZE } from '../../src/messages/index.ts'

const device = new Uint8Array(randomBytes(32))
const sealed = { type: 2, bytes: new Uint8Array(2_154) }

/** Messages that wait for one device, and what the database was asked since. */
class Crowd implements Disposable {
  readonly asked: string[] = []
  readonly outbox: Outbox
  readonly #database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: false })

  constructor(count: number) {
    migrate(this.#database, 'messages', MESSAGE_MIGRATIONS)
    const watched = Object.create(this.#database) as DatabaseSync
    watched.prepare = (sql) => {
      this.asked.push(sql)
      return this.#database.prepare(sql)
    }
    this.outbox = new Outbox(watched)
    for (let num = 1; num <= count; num++) this.outbox.add(num, device, randomBytes(TRANSFER_SIZE))
  }

  /** Statements that look through all rows of a table. */
  scans(): string[] {
    return this.asked.filter((sql) => {
      const values = Array.from(sql.matchAll(/\?/g), () => null)
      const steps = this.#database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values)
      return steps.some(({ detail }) => String(detail).startsWith('SCAN'))
    })
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}

describe('an outbox in which many messages wait', () => {
  it('looks through all of them for none', () => {
    using crowd = new Crowd(100)
    const { outbox } = crowd
    const next = outbox.of(device, { after: 50, limit: 10 })
    for (const each of next) outbox.keep(device, each, sealed, 2)
    outbox.unseal(device, () => randomBytes(TRANSFER_SIZE))
    outbox.remove(51, device)
    outbox.removeMessage(52)
    assert.equal(outbox.countUpTo(device, 60), 58)
    assert.equal(outbox.numsOf(device).size, 98)
    assert.deepEqual(crowd.scans(), [])
    outbox.devices()
    assert.equal(crowd.scans().length, 1, 'this would be noticed')
  })

  it('keeps nothing for another device, or under a name that it has not any more', () => {
    using crowd = new Crowd(1)
    const { outbox } = crowd
    const [first] = outbox.of(device)
    outbox.keep(randomBytes(32), first, sealed, 2)
    outbox.keep(device, { ...first, transfer: randomBytes(TRANSFER_SIZE) }, sealed, 2)
    assert.equal(outbox.of(device)[0].sealed, undefined)
    outbox.keep(device, first, sealed, 2)
    assert.equal(outbox.of(device)[0].sealed?.type, 2)
  })
})
