// The recovery phrase: 24 English words (BIP39) that hold 32 bytes of entropy, from which the root key follows.
//
//   entropy = the 256 bits that the 24 words encode, their checksum verified (BIP39; its PBKDF2 seed is not used)
//   seed    = HKDF-SHA256(input key = entropy, salt = empty, info = "comrade/root/1", 32 bytes)     (RFC 5869)
//   root    = the Ed25519 key pair of that seed                                              (RFC 8032, 5.1.5)
import { hkdfSync, randomBytes } from 'node:crypto'
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { TrustError } from './errors.ts'

export const PHRASE_WORDS = 24
const ENTROPY_BYTES = 32
const ROOT_INFO = 'comrade/root/1'
/** Far above 24 words of at most 8 letters: nothing longer is looked at. */
const MAX_PHRASE_LENGTH = 1_024

/**
 * Makes a phrase of 24 words.
 * @param entropy 32 bytes @default fresh random bytes
 */
export function generatePhrase(entropy: Uint8Array = randomBytes(ENTROPY_BYTES)): string {
  if (entropy.length !== ENTROPY_BYTES)
    throw new RangeError(`a phrase holds ${ENTROPY_BYTES} bytes, not ${entropy.length}`)
  return entropyToMnemonic(entropy, wordlist)
}

/**
 * The 32-byte seed of the root key that a phrase stands for. Case and white space do not matter.
 * @throws TrustError PHRASE; the message never repeats the words
 */
export function rootSeedFromPhrase(phrase: string): Uint8Array {
  const entropy = phraseEntropy(phrase)
  const seed = new Uint8Array(hkdfSync('sha256', entropy, new Uint8Array(), ROOT_INFO, 32))
  entropy.fill(0)
  return seed
}

/**
 * The 32 bytes that a phrase holds; {@link generatePhrase} makes it of them again.
 * @throws TrustError PHRASE
 */
export function phraseEntropy(phrase: string): Uint8Array {
  return mnemonicEntropy(splitWords(phrase))
}

function splitWords(phrase: string): string[] {
  if (phrase.length > MAX_PHRASE_LENGTH)
    throw new TrustError('PHRASE', `a recovery phrase has ${PHRASE_WORDS} words; this text is far longer`)
  const words = phrase.normalize('NFKD').toLowerCase().trim().split(/\s+/u).filter(Boolean)
  if (words.length !== PHRASE_WORDS) {
    throw new TrustError('PHRASE', `a recovery phrase has ${PHRASE_WORDS} words, found ${words.length}`)
  }
  const unknown = words.findIndex((word) => !wordlist.includes(word))
  if (unknown !== -1)
    throw new TrustError('PHRASE', `word ${unknown + 1} of the recovery phrase is not in the BIP39 English list`)
  return words
}

function mnemonicEntropy(words: string[]): Uint8Array {
  try {
    return mnemonicToEntropy(words.join(' '), wordlist)
  } catch {
    // The library's error is not passed on as a cause: it could hold the words.
    throw new TrustError(
      'PHRASE',
      'the checksum of the recovery phrase is wrong: a word is mistaken or two are swapped'
    )
  }
}
