import assert from 'node:assert/strict'
import { GatheredWrites } from '../../../src/node/messages/gathered-writes.ts'

/** What each transaction wrote; one that throws leaves nothing. */
class Log {
  readonly transactions: string[][] = []
  readonly writes = new GatheredWrites((work) => {
    this.transactions.push([])
    try {
      work()
    } catch (error) {
      this.transactions.pop()
      throw error
    }
  })

  add(...names: string[]): Promise<string>[] {
    return names.map((name) => this.writes.run(() => this.#write(name)))
  }

  #write(name: string): string {
    if (name === 'bad') throw new Error('it cannot be written')
    this.transactions.at(-1)!.push(name)
    return name
  }
}

describe('gathered writes', () => {
  it('are one transaction when they are asked for in the same breath, in order', async () => {
    const log = new Log()
    assert.deepEqual(await Promise.all(log.add('a', 'b', 'c')), ['a', 'b', 'c'])
    await log.add('d')[0]
    assert.deepEqual(log.transactions, [['a', 'b', 'c'], ['d']])
  })

  it('are not undone by one that fails', async () => {
    const log = new Log()
    const results = await Promise.allSettled(log.add('a', 'bad', 'c'))
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled']
    )
    assert.deepEqual(log.transactions, [['a'], ['c']])
  })

  it('let others have their turn, however many follow each other', async () => {
    const log = new Log()
    let isRunning = true
    let ticks = 0
    const tick = (): void => void (isRunning && (ticks++, setImmediate(tick)))
    tick()
    const endMs = performance.now() + 200
    while (performance.now() < endMs) await log.add('a')[0]
    isRunning = false
    assert.ok(ticks > 2, `the event loop turned ${ticks} times`)
  })
})
