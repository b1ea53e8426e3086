// What the page makes of text from others, and its messages in all languages.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { lowerBound, topsOf } from '../../src/web/parts/row-places.ts'
import { line, paragraphs, pieces, tagsIn, withNames } from '../../src/web/text.ts'
import { de } from '../../src/web/words/de.ts'
import { en } from '../../src/web/words/en.ts'
import { ROOT } from '../support/documents.ts'

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

  it('leads nowhere in the own machine or network, in whatever way that is written', () => {
    const leads = (text: string): (string | undefined)[] => pieces(text).flatMap(({ href }) => href ?? [])
    for (const host of [
      ...[
        '127.0.0.1:7777',
        'localhost',
        'LOCALHOST.',
        'app.localhost',
        '2130706433',
        '0x7f.1',
        '0177.0.0.1',
        '0.0.0.0'
      ],
      ...['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '224.0.0.1'],
      ...[
        '[::1]',
        '[::]',
        '[fe80::1]',
        '[fd00::1]',
        '[::ffff:127.0.0.1]',
        '[64:ff9b::7f00:1]',
        '[2002:7f00:1::]',
        '[2001::1]'
      ],
      ...['printer.local', 'nas.lan', 'router', 'fritz.home.arpa', 'metadata.google.internal', '１２７.0.0.1']
    ])
      assert.deepEqual(leads(`http://${host}/x`), [], host)
    for (const host of [
      'example.org',
      '8.8.8.8',
      '172.32.0.1',
      '192.169.1.1',
      '[2a00:1450::1]',
      'local.example',
      'localhost.example'
    ])
      assert.equal(leads(`https://${host}/x`).length, 1, host)
  })

  it('shows the beginning of a long address, and leads to all of it', () => {
    const address = `https://example.org/${'a'.repeat(5_000)}`
    const [piece, ...others] = pieces(address)
    assert.deepEqual(others, [])
    assert.equal(piece.href, address)
    assert.equal(piece.text, `${address.slice(0, 100)}…`)
  })

  it('is told from whom it mentions', () => {
    const did = 'did:key:z6MkiPBsMxVZyTu6YY9rV39jg8ANMu6vJTChgFhF6KWnBuU9'
    const text = 'see @Ana#6KWnBuU9 on https://example.org/#6KWnBuU9'
    const href = 'https://example.org/#6KWnBuU9'
    assert.deepEqual(pieces(text, [did]), [
      { text: 'see ' },
      { text: '@Ana#6KWnBuU9', did },
      { text: ' on ' },
      { text: href, href }
    ])
    assert.equal(withNames({ text, mentions: [{ did, name: 'Oma', warnings: [] }] }), `see @Oma on ${href}`)
    const own = [{ did, name: `Ada#${did.slice(-8)}`, warnings: [] }]
    assert.equal(withNames({ text, mentions: own }, did), `see @Ada on ${href}`)
  })

  it('leads to the tags of the post where they are written, and to nothing else that looks like one', () => {
    const text = '#Bees, not #wasps; a#bees https://example.org/#bees'
    assert.deepEqual(pieces(text, [], ['bees']), [
      { text: '#Bees', tag: 'bees' },
      { text: ', not #wasps; a#bees ' },
      { text: 'https://example.org/#bees', href: 'https://example.org/#bees' }
    ])
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

  it('have their messages in one order, so that they can be read side by side', () => {
    assert.deepEqual(Object.keys(de), Object.keys(en))
  })

  it('have no message that the page does not show', () => {
    const files = globSync('src/web/**/*.{ts,tsx}', { cwd: ROOT }).filter((file) => !/words.(en|de)\.ts$/.test(file))
    const source = files.map((file) => readFileSync(join(ROOT, file), 'utf8')).join()
    const shown = new Set([...source.matchAll(/'(\w+)'/g)].map(([, word]) => word))
    const forgotten = Object.keys(en).filter((word) => !shown.has(word.replace(/_(one|other)$/, '')))
    assert.deepEqual(forgotten, [])
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
