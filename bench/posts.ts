// The posts that every contender stores: the same 256 bytes for the same number, made of words, no two alike.
import { createHash } from 'node:crypto'
import { words } from './words.ts'

/** Bytes of one post's text (ASCII, so characters too). */
export const POST_BYTES = 256
/** Sharpness of the words' frequencies: 1 is Zipf's law, as in natural language. */
const ZIPF_EXPONENT = 1
const SENTENCE_WORDS = 11

/** Sums of the words' weights; the k-th most frequent word has weight 1 / (k + 2)^exponent. */
const cumulative = words.reduce<number[]>((sums, _, rank) => {
  sums.push((sums[rank - 1] ?? 0) + 1 / (rank + 3) ** ZIPF_EXPONENT)
  return sums
}, [])
const total = cumulative[cumulative.length - 1]

/** Post number `number` of author number `author`. */
export function post(author: number, number: number): string {
  const random = generator(author * 1_000_003 + number)
  let text = ''
  let start = true
  while (text.length < POST_BYTES) {
    const word = pick(random())
    text += start ? word[0].toUpperCase() + word.slice(1) : word
    start = random() < 1 / SENTENCE_WORDS
    text += start ? '. ' : random() < 0.08 ? ', ' : ' '
  }
  return text.slice(0, POST_BYTES)
}

/** Posts `first` to `first + count - 1` of an author. */
export function posts(author: number, first: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => post(author, first + index))
}

/** The 32-byte seed of author `number`'s key, for those whose keys a contender is given. */
export function seed(number: number): Buffer {
  return createHash('sha256').update(`benchmark author ${number}`).digest()
}

/** The word at `point` (0 to 1) of the cumulated weights. */
function pick(point: number): string {
  let low = 0
  let high = words.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (cumulative[middle] > point * total) high = middle
    else low = middle + 1
  }
  return words[low]
}

/** Numbers from 0 to 1 that depend on the seed only (mulberry32). */
function generator(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
