// What the page says, in the user's language. A message is text with {places}; where it counts, it has a form for each of
// the language's plurals.
import { computed, effect } from '@preact/signals'
import { chosenLanguage } from '../state/choices.ts'
import { de } from './de.ts'
import { type Catalogue, en, type Word } from './en.ts'
import { errorsDe } from './errors-de.ts'
import { type Errors, errorsEn } from './errors-en.ts'
import { checkNamesDe, sentencesDe } from './sentences-de.ts'
import { type CheckNames, checkNamesEn, type Phrases, sentencesEn } from './sentences-en.ts'

export type { Word } from './en.ts'
/** A message that counts: its forms end in `_one` and `_other`. */
export type Counted = { [W in Word]: W extends `${infer Base}_one` ? Base : never }[Word]

export interface Language {
  /** What it calls itself. */
  name: string
  words: Catalogue
  /** What the node says, what it calls its checks, and what its errors mean: see sentence.ts. */
  sentences: Phrases
  checks: CheckNames
  errors: Errors
}

export const LANGUAGES: Readonly<Record<string, Language>> = {
  en: { name: 'English', words: en, sentences: sentencesEn, checks: checkNamesEn, errors: errorsEn },
  de: { name: 'Deutsch', words: de, sentences: sentencesDe, checks: checkNamesDe, errors: errorsDe }
}

/** The chosen language, else the first of the browser's that there is, else English. */
export const language = computed(() => {
  const wanted = [chosenLanguage.value, ...navigator.languages.map((tag) => tag.split('-')[0])]
  return wanted.find((code) => Object.hasOwn(LANGUAGES, code)) ?? 'en'
})

/** Made once for each language: one takes some 15 µs, and a list shows hundreds. */
export const numbers = computed(() => new Intl.NumberFormat(language.value))
const plurals = computed(() => new Intl.PluralRules(language.value))

/** The message, with its places filled in. */
export function t(word: Word, values: Record<string, string | number> = {}): string {
  const { words } = LANGUAGES[language.value]
  return words[word].replace(/\{(\w+)\}/g, (_, name: string) => shown(values[name] ?? ''))
}

function shown(value: string | number): string {
  return typeof value === 'string' ? value : numbers.value.format(value)
}

/** The form of the message that fits a number, which is its {count}. */
export function tn(word: Counted, count: number, values: Record<string, string | number> = {}): string {
  return t(`${word}_${formOf(count)}` as Word, { count, ...values })
}

/** Which of its forms a message has with a number. */
export function formOf(count: number): 'one' | 'other' {
  return plurals.value.select(count) === 'one' ? 'one' : 'other'
}

export function applyLanguage(): void {
  effect(() => {
    document.documentElement.lang = language.value
  })
}
