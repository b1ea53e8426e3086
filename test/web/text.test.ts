// What the page makes of text from others, and its messages in all languages.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { lowerBound, topsOf } from '../../src/web/parts/row-places.ts'
import { line, paragraphs, pieces, tagsIn } from '../../src/web/text.ts'
import { de } from '../../src/web/words/de.ts'
import { en } from '../../src/web/words/en.ts'

describe('text of others in the page', () => {
  it('shows what hides or reorders as escapes, and keeps line feeds in texts only', () => {
    assert.equal(line('a\u202eb\u200bc\nd'), 'a\\u{202e}b\\u{200b}c\\u{a}d')
    assert.equal(paragraphs('a\n\u2066b'), 'a\n\\u{2066}b')
  })

  it('leaves emoji that are joined to one sign together, and shows joiners anywhere else', () => {
    assert.equal(line('👩🏽‍🌾 and 🏳️‍🌈'), '👩🏽‍🌾 and 🏳️‍🌈')
    assert.equal(line('ad\u200dmin'), 'ad\\u{200d}min')
    assert.equal(line('👍\u200dx'), '👍\\u{200d}x')
  })

  it('leads to web addresses only, as the browser understands them', () => {
    const leads = (text: string): (string | undefined)[] => pieces(text).flatMap(({ href }) => href ?? [])
    assert.deepEqual(leads('see https://example.org/a?b=c. Or (http://example.org)!'), [
      'https://example.org/a?b=c',
      'http://example.org/'
    ])
    assert.deepEqual(leads('https://аpple.com'), ['https://xn--pple-43d.com/'])
    for (const text of [
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'https://bank.example@evil.example',
      '//a.b'
    ])
      assert.deepEqual(leads(text), [], text)
  })

  it('gives back every character of whatever is written, or its escape', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const plain = pieces(text).every(({ href }) => href === undefined)
        if (plain)
          assert.equal(
            pieces(text)
              .map((piece) => piece.text)
              .join(''),
            paragraphs(text)
          )
      })
    )
  })

  it('finds tags, once each, and not in addresses or numbers', () => {
    assert.deepEqual(tagsIn('#bees and #Äpfel, #bees again; a#b, /#c, &#39; #1 #2026a'), ['bees', 'Äpfel', '2026a'])
  })
})

describe('the languages of the page', () => {
  it('have the same places in each message', () => {
    const places = (text: string): string[] =>
      [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted((a, b) => a.localeCompare(b))
    for (const [word, text] of Object.entries(en))
      assert.deepEqual(places(de[word as keyof typeof en]), places(text), word)
  })

  it('say something for each message', () => {
    for (const words of [en, de]) for (const [word, text] of Object.entries(words)) assert.ok(text.trim() !== '', word)
  })
})

describe('rows of a long list', () => {
  it('are found by where they begin, whatever their heights are', () => {
    const rows = fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 200 })
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 100_000 }), (known, wanted) => {
        const items = known.map((_, index) => ({ id: String(index) }))
        const tops = topsOf(items, new Map(known.map((height, index) => [String(index), height])))
        assert.equal(
          tops.at(-1),
          known.reduce((sum, height) => sum + height, 0)
        )
        const first = lowerBound(tops, wanted)
        assert.ok(first === tops.length || tops[first] >= wanted)
        assert.ok(first === 0 || tops[first - 1] < wanted)
      })
    )
  })
})
