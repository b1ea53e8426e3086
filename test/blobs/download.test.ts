import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Download } from '../../src/blobs/index.ts'

const all = (): boolean => true

describe('a download from several sources', () => {
  it('asks each chunk of one source, and of a second one when nothing else is left', () => {
    const download = new Download<string>([0, 1, 2])
    assert.deepEqual([download.next('a', all), download.next('b', all), download.next('a', all)], [0, 1, 2])
    assert.deepEqual([download.next('b', all), download.next('b', all)], [0, 2])
    assert.deepEqual([download.next('c', all), download.next('c', all)], [1, undefined])
    assert.deepEqual([download.settle(0), download.settle(0)], [true, false])
  })

  it('asks a source only for what it has', () => {
    const download = new Download<string>([0, 1, 2])
    const hasLast = (index: number): boolean => index === 2
    assert.deepEqual([download.next('a', hasLast), download.next('a', hasLast)], [2, undefined])
  })

  it('ends with all chunks whichever sources fail, as long as one goes on that has them', () => {
    const step = fc.tuple(fc.nat(3), fc.constantFrom('ask', 'bring', 'fail'))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 200 }), (count, steps) => {
        const download = new Download<number>(Array(count).keys())
        const waiting = [0, 1, 2, 3].map((): number[] => [])
        for (const [source, what] of steps) {
          const index = what === 'ask' ? download.next(source, all) : waiting[source].shift()
          if (what === 'ask' && index !== undefined) waiting[source].push(index)
          if (what === 'bring' && index !== undefined) download.settle(index)
          if (what !== 'fail') continue
          download.release(source)
          waiting[source] = []
        }
        for (const source of [0, 1, 2, 3]) download.release(source)
        const asked = Array.from({ length: count }, () => download.next(9, all))
        for (const index of asked) if (index !== undefined) download.settle(index)
        assert.equal(download.isComplete, true)
      }),
      { numRuns: 200 }
    )
  })
})
