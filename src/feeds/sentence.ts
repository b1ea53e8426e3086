// What the node says to its user, made so that programs and other languages can say it too: a code that stays, the values,
// and the English text that follows from both. The texts of a layer stand in its sentences.ts.

/** A text, a number, several texts, or a sentence inside the sentence. */
export type SentenceValue = string | number | readonly string[] | Sentence

export interface Sentence {
  /** Stable; which ones there are is said by the tables. */
  code: string
  /**
   * By the names of the text's places. A name that ends in `Bytes` or `Ms` has that unit, one in `Time` is ISO 8601.
   * Texts come from others in part: safe to print only after escaping.
   */
  values: Readonly<Record<string, SentenceValue>>
  /** In English. */
  text: string
}

/** Texts with {places}, by their codes. */
export type SentenceTable = Readonly<Record<string, string>>
type Places<T extends string> = T extends `${string}{${infer Place}}${infer Rest}` ? Place | Places<Rest> : never
/** A value for each place of a text. */
export type SentenceValues<T extends string> = Readonly<Record<Places<T>, SentenceValue>>
type Arguments<T extends string> = [Places<T>] extends [never] ? [] : [values: SentenceValues<T>]
/** Makes the sentences of a table. */
export type Speaker<T extends SentenceTable> = <C extends keyof T & string>(
  code: C,
  ...given: Arguments<T[C]>
) => Sentence

const MEBIBYTE = 1_048_576

/** @returns makes the sentences of a table: its code, and a value for each place of the text */
export function speaker<const T extends SentenceTable>(table: T): Speaker<T> {
  return (code, ...given) => {
    const values: Sentence['values'] = given[0] ?? {}
    return {
      code,
      values,
      text: table[code].replace(/\{(\w+)\}/g, (_, place: string) => written(place, values[place]))
    }
  }
}

/** Several sentences as one text. */
export function textOf(sentences: readonly Sentence[]): string {
  return sentences.map(({ text }) => text).join('; ')
}

function written(place: string, value: SentenceValue): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return withUnit(place, value)
  return 'code' in value ? value.text : listed(value)
}

function withUnit(place: string, value: number): string {
  if (place.endsWith('Ms')) return `${Math.ceil(value / 1_000)} s`
  if (!place.endsWith('Bytes')) return String(value)
  return value < MEBIBYTE ? `${value} bytes` : `${Math.floor(value / MEBIBYTE)} MiB`
}

/** "a, b and c". Intl.ListFormat says the same, and loads 4 MB of other languages. */
function listed(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`
}
