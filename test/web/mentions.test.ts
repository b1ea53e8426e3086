// Whom one may mean while one writes.
import assert from 'node:assert/strict'
import { begunAt, offeredFor, spokenTo, withoutNames } from '../../src/web/mentions.ts'

const people = ['Maria Lopez', 'José#6KWnBuU9', 'Oma', 'Omar', 'Lo', 'Ana.b#a', 'Lou', 'Lothar', 'Lola', 'Loki'].map(
  (name, index) => ({ did: `did:key:${index}`, name })
)
const namesOf = (found: { name: string }[]): string[] => found.map(({ name }) => name)

describe('a name that is being written', () => {
  it('begins with an @ at the beginning of a word, and goes on to the caret', () => {
    assert.deepEqual(begunAt('hi @ma', 6), { from: 3, to: 6, words: 'ma' })
    assert.deepEqual(begunAt('@', 1), { from: 0, to: 1, words: '' })
    assert.deepEqual(begunAt('(@Maria Lo and', 10), { from: 1, to: 10, words: 'Maria Lo' })
    assert.deepEqual(begunAt('🐝@ma', 5), { from: 2, to: 5, words: 'ma' })
  })

  it('is none in an address, after white space, on another line, or when it is long', () => {
    for (const text of ['', 'a', 'x@y', 'é@y', '@ y', '@a\nb', `@${'a'.repeat(65)}`, '@a@'])
      assert.equal(begunAt(text, text.length), undefined, text)
  })

  it('offers whose names begin so, without case and accents, then who has such a word; at most six', () => {
    assert.deepEqual(namesOf(offeredFor('jose', people)), ['José#6KWnBuU9'])
    assert.deepEqual(namesOf(offeredFor('LO', people)), ['Lo', 'Lou', 'Lothar', 'Lola', 'Loki', 'Maria Lopez'])
    assert.deepEqual(namesOf(offeredFor('', people)).length, 6)
    const nameless = { did: 'did:key:x', name: '#RcFbLfLX' }
    assert.deepEqual(namesOf(offeredFor('', [nameless, people[0]])), ['Maria Lopez', '#RcFbLfLX'])
    assert.deepEqual(offeredFor('the pub', people), [])
  })
})

describe('a text that is written', () => {
  it('speaks to those whose whole names are in it, each once', () => {
    assert.deepEqual(namesOf(spokenTo('@omar @Oma, @OMA and @Maria', people)), ['Omar', 'Oma'])
    assert.deepEqual(spokenTo('nobody, x@Oma', people), [])
  })

  it('has its tags beside the names', () => {
    assert.equal(withoutNames('@José#6KWnBuU9 and @Ana.b#a #bees', people), ' and  #bees')
  })
})
