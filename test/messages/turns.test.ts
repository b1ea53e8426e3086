// Operations in turn: in order for each name, written together, and none the worse for another.
import assert from 'node:assert/strict'
import { Turns, type Work } from '../../src/messages/turns.ts'

/** Numbers by name, and how often they were written. */
class Sums {
  readonly written = new Map<string, number[]>()
  writes = 0
  readonly turns = new Turns<Draft>({
    load: (name) => new Draft(this.written.get(name) ?? [], (numbers) => this.written.set(name, numbers)),
    write: (work) => this.#write(work)
  })

  /** As long as `computing` takes; then `keep` is called in the transaction. */
  add(name: string, number: number, { computing = async () => {}, keep = () => {} }: Steps = {}): Promise<number> {
    return this.turns.run(name, (draft) => ({
      compute: async () => {
        await computing()
        draft.numbers = [...draft.numbers, number]
        return number
      },
      keep: (added: number) => {
        keep()
        return added
      }
    }))
  }

  #write(work: () => void): void {
    const before = new Map(this.written)
    try {
      work()
      this.writes++
    } catch (error) {
      for (const [name, numbers] of before) this.written.set(name, numbers)
      throw error
    }
  }
}

class Draft implements Work {
  numbers: number[]
  readonly #save: (numbers: number[]) => void

  constructor(numbers: number[], save: (numbers: number[]) => void) {
    this.numbers = numbers
    this.#save = save
  }

  commit(): void {
    this.#save(this.numbers)
  }

  finish(): void {}
}

interface Steps {
  computing?: () => Promise<void>
  keep?: () => void
}

const refuse = (): never => {
  throw new Error('refused')
}

describe('turns', () => {
  it('keep the order for each name, and write what waits in one go', async () => {
    const sums = new Sums()
    const numbers = Array.from({ length: 20 }, (_, i) => i)
    assert.deepEqual(await Promise.all(numbers.map((number) => sums.add('a', number))), numbers)
    assert.deepEqual(sums.written.get('a'), numbers)
    assert.ok(sums.writes <= 2, `${sums.writes} writes`)
  })

  it('of one name do not wait for another', async () => {
    const sums = new Sums()
    const { promise, resolve } = Promise.withResolvers<void>()
    const slow = sums.add('slow', 1, { computing: () => promise })
    assert.equal(await sums.add('quick', 2), 2)
    resolve()
    assert.equal(await slow, 1)
  })

  it('undo what cannot be computed or kept, and nothing else', async () => {
    const sums = new Sums()
    await sums.add('a', 0)
    const results = await Promise.allSettled([
      sums.add('a', 1),
      sums.add('a', 2, { keep: refuse }),
      sums.add('a', 3),
      sums.add('a', 4, { computing: async () => refuse() }),
      sums.add('a', 5)
    ])
    assert.deepEqual(
      results.map(({ status }) => status === 'fulfilled'),
      [true, false, true, false, true]
    )
    assert.deepEqual(sums.written.get('a'), [0, 1, 3, 5])
  })

  it('wait for what is under way', async () => {
    const sums = new Sums()
    void sums.add('a', 1)
    void sums.add('b', 2)
    await sums.turns.settled()
    assert.deepEqual([sums.written.get('a'), sums.written.get('b')], [[1], [2]])
  })
})
