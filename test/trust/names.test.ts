import assert from 'node:assert/strict'
import fc from 'fast-check'
import { TrustError } from '../../src/trust/errors.ts'
import { looksLike, resembles } from '../../src/trust/look-alike.ts'
import { cleanClaim, displayName, foldName, harmless, normalizePetname } from '../../src/trust/names.ts'

const DID = 'did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw'
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units))
)
/** Everything that the adversary is known to try, spelt by number. */
const HOSTILE = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0xfffe, 0xffff],
  [0xe0000, 0xe007f],
  [0xe0100, 0xe01ef],
  [0x10ffff, 0x10ffff]
] as const

describe('harmless', () => {
  it('makes every character visible that acts on a terminal or hides', () => {
    for (const [first, last] of HOSTILE) {
      for (let code = first; code <= last; code++) {
        assert.equal(harmless(`a${String.fromCodePoint(code)}b`), `a\\u{${code.toString(16)}}b`)
      }
    }
  })

  it('defuses escape sequences that set the clipboard, the title, the cursor or the direction', () => {
    const attacks = [
      '\u001b]52;c;ZXZpbA==\u0007',
      '\u001b[2J\u001b[H',
      '\u009b31m',
      '\u001b]0;title\u001b\\',
      'good\rEVIL',
      'abc\b\b\bxyz',
      'a\u0000b',
      '\u202egnp.exe'
    ]
    for (const attack of attacks) assert.match(harmless(attack), /^[ -~]*$/)
    assert.equal(harmless('\u001b]52;c;x\u0007'), '\\u{1b}]52;c;x\\u{7}')
  })

  it('leaves ordinary text of all languages and emoji alone', () => {
    const texts = ['Zoë Müller', 'Алиса', '愛麗絲', 'علي', 'हिन्दी', 'x^2 \\u{41}', '❤️ 👍🏽', '𝒳', '']
    for (const text of texts) assert.equal(harmless(text), text)
  })

  it('keeps line feeds only when asked, and nothing else', () => {
    assert.equal(harmless('a\nb'), 'a\\u{a}b')
    assert.equal(harmless('a\nb\r\n\u2028\t', { newlines: true }), 'a\nb\\u{d}\n\\u{2028}\\u{9}')
  })

  it('changes nothing when done twice, and leaves nothing harmful', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, newlines) => {
        const once = harmless(text, { newlines })
        assert.equal(harmless(once, { newlines }), once)
        assert.ok(once.isWellFormed())
        assert.doesNotMatch(
          once,
          newlines ? /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/ : /[\u0000-\u001f\u007f-\u009f]/
        )
      })
    )
  })
})

describe('display name', () => {
  it('puts the petname before the claimed name, and marks the claimed one with the key tag', () => {
    assert.equal(displayName({ did: DID, petname: 'ana', claimed: 'boss' }), 'ana')
    assert.equal(displayName({ did: DID, claimed: 'ana' }), 'ana#Zq7oMMsw')
    assert.equal(displayName({ did: DID }), '#Zq7oMMsw')
  })

  it('shows the tag alone for a claimed name in which nothing is visible', () => {
    for (const claimed of ['', '   ', '\u200b\u2060', '\u{e0041}', '\u3164'])
      assert.equal(displayName({ did: DID, claimed }), '#Zq7oMMsw')
  })

  it('bounds a claimed name, whatever it is', () => {
    assert.equal(cleanClaim(`  a \n b${'x'.repeat(1e6)}`)?.length, 64)
    assert.equal(cleanClaim('e\u0301'), 'é')
    fc.assert(
      fc.property(anyText, (text) => {
        const clean = cleanClaim(text)
        if (clean === undefined) return
        assert.ok([...clean].length <= 64 && clean.isWellFormed() && clean === clean.trim())
        assert.equal(cleanClaim(clean), clean)
      })
    )
  })
})

describe('petname', () => {
  const isNameError = (error: unknown) => error instanceof TrustError && error.code === 'NAME'

  it('is trimmed and in NFC', () => {
    assert.equal(normalizePetname('  Zoe\u0308 '), 'Zoë')
    assert.equal([...normalizePetname('😀'.repeat(64))].length, 64)
  })

  it('is refused when empty, too long, hidden, or to be taken for something else', () => {
    const wrong = [
      '',
      '  ',
      'x'.repeat(65),
      '😀'.repeat(65),
      'x'.repeat(1e6),
      'a\u202eb',
      'a\u200bb',
      'a\nb',
      '\u0007',
      '@portland',
      '#abcdefgh',
      '-rf',
      'did:key:x',
      'DID:x',
      'a\ud800'
    ]
    for (const name of wrong)
      assert.throws(() => normalizePetname(name), isNameError, JSON.stringify(name.slice(0, 80)))
  })

  it('stays as it is when checked again', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let name: string
        try {
          name = normalizePetname(text)
        } catch (error) {
          return assert.ok(isNameError(error))
        }
        assert.equal(normalizePetname(name), name)
        assert.equal(foldName(foldName(name)), foldName(name))
      })
    )
  })
})

describe('look-alikes', () => {
  it('marks mixed alphabets, letters in disguise, hidden and styled ones, and names that carry a tag', () => {
    assert.deepEqual(looksLike('аlice'), ['mixed-scripts']) // Cyrillic а
    assert.deepEqual(looksLike('Αlice'), ['mixed-scripts']) // Greek Α
    assert.deepEqual(looksLike('асе'), ['looks-latin'])
    assert.deepEqual(looksLike('ali\u200bce'), ['hidden-characters'])
    assert.deepEqual(looksLike('ａｌｉｃｅ'), ['styled-letters'])
    assert.deepEqual(looksLike('𝐚𝐥𝐢𝐜𝐞'), ['styled-letters'])
    assert.deepEqual(looksLike('alice#Zq7oMMsw'), ['looks-tagged'])
  })

  it('leaves ordinary names of all languages unmarked', () => {
    for (const name of ['Alice', 'Zoë', 'Борис', 'Αλέξανδρος', '山田 Taro', 'علي', 'Ana 🌻', 'r2d2', ''])
      assert.deepEqual(looksLike(name), [], name)
  })

  it('sees that one name could be taken for another', () => {
    for (const [a, b] of [
      ['alice', 'аlісе'],
      ['Alice', 'ALlCE'],
      ['bob', 'b0b'],
      ['modern', 'modem'],
      ['zoë', 'zoe'],
      ['al\u200bice', 'alice']
    ])
      assert.ok(resembles(a, b), `${a} ${b}`)
    assert.ok(!resembles('alice', 'alice'))
    assert.ok(!resembles('alice', 'bob'))
  })
})
