import assert from 'node:assert/strict'
import { hkdfSync } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { signingKey } from '../../src/feeds/signature.ts'
import { TrustError } from '../../src/trust/errors.ts'
import { formatDid } from '../../src/trust/did.ts'
import { generatePhrase, rootSeedFromPhrase } from '../../src/trust/phrase.ts'

const ABANDON = `${'abandon '.repeat(23)}art`
const isPhraseError = (error: unknown) => error instanceof TrustError && error.code === 'PHRASE'

describe('recovery phrase', () => {
  it('gives the seed and did of the published vectors', () => {
    const vectors = [
      {
        entropy: '00'.repeat(32),
        phrase: ABANDON,
        seed: '4ee945c7940bdb564791b227dc5c9be5a6daaef586290482ddafb1ef7ebb1fb9',
        did: 'did:key:z6Mkp9v5RajmjtW1CybHodPVma2TmASnmKWrSrJjErmHHkBN'
      },
      {
        entropy: '7f'.repeat(32),
        phrase: `${'legal winner thank year wave sausage worth useful '.repeat(2)}legal winner thank year wave sausage worth title`,
        seed: '79f6b678313f645050e20aaca1d593554c470cfb6f1e6dc43da3cdccc395694b',
        did: 'did:key:z6MkhpnMmUoFJ846BiAeFrepSgjDrbhT7ZWtSFhScXprcLwx'
      }
    ]
    for (const { entropy, phrase, seed, did } of vectors) {
      assert.equal(generatePhrase(Buffer.from(entropy, 'hex')), phrase)
      assert.equal(Buffer.from(rootSeedFromPhrase(phrase)).toString('hex'), seed)
      assert.equal(formatDid(signingKey(rootSeedFromPhrase(phrase)).publicKey), did)
    }
  })

  it('is HKDF-SHA256 over the entropy, for any entropy', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (entropy) => {
        const phrase = generatePhrase(entropy)
        assert.equal(phrase.split(' ').length, 24)
        assert.deepEqual(
          rootSeedFromPhrase(phrase),
          new Uint8Array(hkdfSync('sha256', entropy, '', 'comrade/root/1', 32))
        )
      })
    )
  })

  it('makes a new phrase each time', () => {
    assert.notEqual(generatePhrase(), generatePhrase())
  })

  it('forgives case and white space', () => {
    assert.deepEqual(
      rootSeedFromPhrase(`\n ${ABANDON.toUpperCase().replaceAll(' ', '\t  ')}\r\n`),
      rootSeedFromPhrase(ABANDON)
    )
  })

  it('refuses wrong words, numbers of words and checksums, without repeating what was typed', () => {
    const wrong = [
      '',
      ABANDON.slice(8),
      `${ABANDON} art`,
      `${'abandon '.repeat(23)}abandon`,
      `${'abandon '.repeat(22)}secretword art`,
      'x'.repeat(1e6),
      `${'abandon '.repeat(11)}about`,
      `art ${'abandon '.repeat(23)}`,
      `${'abandon '.repeat(23)}__proto__`
    ]
    for (const phrase of wrong) {
      assert.throws(
        () => rootSeedFromPhrase(phrase),
        (error) => isPhraseError(error) && !/abandon|secretword|x{9}/.test(inspect(error))
      )
    }
    assert.throws(() => rootSeedFromPhrase(wrong[4]), /word 23 /)
  })

  it('notices two words that were swapped', () => {
    const words = generatePhrase(Uint8Array.from({ length: 32 }, (_, i) => i * 7)).split(' ')
    ;[words[0], words[1]] = [words[1], words[0]]
    assert.throws(() => rootSeedFromPhrase(words.join(' ')), isPhraseError)
  })
})
