// Where in a text people are meant: as it is written, as it is sent, and as it is read.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { mentionCases } from '../vectors/cases/mentions.ts'
import {
  formatDid,
  MAX_MENTIONS,
  mentionedDids,
  mentionParts,
  namedIn,
  tagOf,
  withPlaces
} from '../../src/trust/index.ts'
import { signingKey } from '../../src/feeds/index.ts'

function did(seed: number): string {
  return formatDid(signingKey(new Uint8Array(32).fill(seed)).publicKey)
}

const [maria, omar, ana] = [did(1), did(2), did(3)]
const place = (label: string, of: string): string => `@${label}${tagOf(of)}`

describe('places of people in a text', () => {
  for (const { name, text, mentions, parts } of mentionCases)
    it(`are as the vectors have them: ${name}`, () => {
      const found = mentionParts(text, mentionedDids(mentions))
      assert.deepEqual(
        found.map((part) => (part.did === undefined ? part.text : [part.text, mentions.indexOf(part.did)])),
        parts
      )
    })

  it('are an @, a name and the end of a key that the post lists', () => {
    const text = `ask ${place('Maria Lopez', maria)}, or ${place('', omar)}.`
    assert.deepEqual(mentionParts(text, [omar, maria]), [
      { text: 'ask ' },
      { text: place('Maria Lopez', maria), did: maria, label: 'Maria Lopez' },
      { text: ', or ' },
      { text: place('', omar), did: omar, label: '' },
      { text: '.' }
    ])
  })

  it('are text like any other when the post does not list that key, or something more follows', () => {
    for (const text of [
      place('Ana', ana),
      '@Maria',
      `@${maria}`,
      `${place('Maria', maria)}x`,
      `@Maria\n${tagOf(maria)}`,
      `@${'a'.repeat(65)}${tagOf(maria)}`,
      `@Maria#${'1'.repeat(8)}`
    ])
      assert.deepEqual(mentionParts(text, [maria]), [{ text }], text)
  })

  it('go on where an address or another @ ends', () => {
    const parts = mentionParts(`@home @@${place('M', maria).slice(1)}さん`, [maria])
    assert.deepEqual(parts, [
      { text: '@home @' },
      { text: place('M', maria), did: maria, label: 'M' },
      { text: 'さん' }
    ])
  })

  it('are found for the first 32 people of a list only, each once', () => {
    const many = Array.from({ length: 40 }, (_, i) => did(i + 1))
    assert.deepEqual(mentionedDids([maria, maria, ...many]), many.slice(0, MAX_MENTIONS))
  })

  it('take no time that grows faster than a hostile text', () => {
    for (const piece of ['@', '@a', '#', place('Maria', ana), `@${'b'.repeat(64)}`])
      assert.ok(mentionParts(piece.repeat(65_536 / piece.length), [maria, omar]).length > 0)
  })

  it('give back every character, whatever the text and the list', () => {
    const dids = fc.subarray([maria, omar, ana])
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(place('Maria', maria), place('', omar), '@', '#')
    )
    fc.assert(
      fc.property(fc.array(piece), dids, (pieces, listed) => {
        const parts = mentionParts(pieces.join(''), listed)
        assert.equal(parts.map(({ text }) => text).join(''), pieces.join(''))
        for (const part of parts) assert.ok(part.did === undefined || listed.includes(part.did))
      })
    )
  })
})

describe('a text that names people', () => {
  const people = [
    { did: maria, names: ['Oma', 'Maria' + tagOf(maria)], claimed: 'Maria' },
    { did: omar, names: ['Omar', 'Oma Klein'], claimed: 'Omar' },
    { did: ana, names: [tagOf(ana)] }
  ]

  it('is sent with the names that these people gave themselves, without the own ones', () => {
    const text = `@Oma and @oma klein, not @Omas or x@Oma; (@OMAR)! @${tagOf(ana)}`
    const [m, o, a] = [place('Maria', maria), place('Omar', omar), place('', ana)]
    assert.equal(withPlaces(text, people), `${m} and ${o}, not @Omas or x@Oma; (${o})! ${a}`)
  })

  it('stays what it is once it has that form', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('@Oma', '@Omar ', ' ', '@', 'x', '.', place('Maria', maria))), (pieces) => {
        const once = withPlaces(pieces.join(''), people)
        assert.equal(withPlaces(once, people), once)
      })
    )
  })

  it('takes out of a name what would end its place, and what cannot be seen', () => {
    const written = withPlaces('@x', [{ did: maria, names: ['x'], claimed: 'Ma@r#i\u202ea\n' }])
    assert.equal(written, place('Maria', maria))
    assert.equal(mentionParts(written, [maria])[0].did, maria)
  })

  it('means a person wherever their whole name stands', () => {
    assert.deepEqual(
      namedIn('@Oma @Omar', people).map(({ from, to, person }) => [from, to, person.did]),
      [
        [0, 4, maria],
        [5, 10, omar]
      ]
    )
  })
})
