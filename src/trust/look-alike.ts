// Marks names that may be meant to be taken for others: mixed alphabets, letters of one alphabet that spell another's
// word, hidden characters. A small part of Unicode's UTS #39: warnings for people, not a rule that refuses anything.
import { foldName, harmless } from './names.ts'

export type NameWarning =
  /** Letters of alphabets that look alike (Latin, Cyrillic, Greek …) stand in one name. */
  | 'mixed-scripts'
  /** All letters are of another alphabet and look like Latin ones. */
  | 'looks-latin'
  /** Characters that show nothing or steer the text's direction. */
  | 'hidden-characters'
  /** Styled letters (full-width, mathematical) that stand for plain ones. */
  | 'styled-letters'
  /** It contains what looks like a key tag. */
  | 'looks-tagged'

/** Alphabets with letters that pass for one another. Others (Han, Arabic, Thai …) are never mixed up with them. */
const ALIKE = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Cherokee', 'Coptic', 'Lisu'].map(
  (script) => new RegExp(`\\p{Script=${script}}`, 'u')
)
const LATIN = ALIKE[0]

/** Letters outside the Latin alphabet, in lower case, with the Latin ones that they pass for. */
const LATIN_TWINS = new Map(
  Object.entries({
    а: 'a',
    в: 'b',
    с: 'c',
    ԁ: 'd',
    е: 'e',
    ё: 'e',
    ԍ: 'g',
    һ: 'h',
    н: 'h',
    і: 'i',
    ї: 'i',
    ј: 'j',
    к: 'k',
    ӏ: 'l',
    м: 'm',
    п: 'n',
    о: 'o',
    р: 'p',
    ԛ: 'q',
    г: 'r',
    ѕ: 's',
    т: 't',
    у: 'y',
    ү: 'y',
    ѵ: 'v',
    ԝ: 'w',
    х: 'x',
    ь: 'b',
    з: '3',
    α: 'a',
    β: 'b',
    ε: 'e',
    ϲ: 'c',
    γ: 'y',
    η: 'n',
    ι: 'i',
    κ: 'k',
    ν: 'v',
    ο: 'o',
    ρ: 'p',
    σ: 'o',
    τ: 't',
    υ: 'u',
    χ: 'x',
    ω: 'w',
    ϳ: 'j',
    μ: 'm',
    ζ: 'z',
    օ: 'o',
    ս: 'u',
    ո: 'n',
    հ: 'h',
    զ: 'q',
    ց: 'g',
    յ: 'j',
    ա: 'w',
    ɑ: 'a',
    ı: 'i',
    ɡ: 'g',
    ℓ: 'l'
  })
)

/**
 * What is suspicious about a name, most telling first; empty for an ordinary one.
 * @param name as claimed, before {@link harmless}
 */
export function looksLike(name: string): NameWarning[] {
  const warnings: NameWarning[] = []
  if (ALIKE.filter((script) => script.test(name)).length > 1) warnings.push('mixed-scripts')
  else if (isLatinInDisguise(name)) warnings.push('looks-latin')
  if (harmless(name) !== name) warnings.push('hidden-characters')
  if (/[\p{L}\p{N}]/u.test(name) && name.normalize('NFKC') !== name.normalize('NFC')) warnings.push('styled-letters')
  if (/#\w{8}/u.test(name)) warnings.push('looks-tagged')
  return warnings
}

/**
 * The form in which two names that look alike are equal: folded, without marks and hidden characters, each letter in
 * place of its Latin twin. Only to compare with: never shown.
 */
export function skeleton(name: string): string {
  const plain = foldName(name)
    .normalize('NFD')
    .replace(/[\p{M}\p{Default_Ignorable_Code_Point}\p{Cc}\s]/gu, '')
  const latin = [...plain].map((letter) => LATIN_TWINS.get(letter) ?? letter).join('')
  return latin.replace(/[0]/g, 'o').replace(/[1|i]/g, 'l').replace(/rn/g, 'm').replace(/vv/g, 'w').replace(/5/g, 's')
}

/** Whether a name could be taken for another one that is not the same. */
export function resembles(name: string, other: string): boolean {
  return name !== other && skeleton(name) === skeleton(other)
}

function isLatinInDisguise(name: string): boolean {
  const letters = foldName(name).match(/\p{L}/gu) ?? []
  return (
    letters.length > 1 &&
    !letters.some((letter) => LATIN.test(letter)) &&
    letters.every((letter) => LATIN_TWINS.has(letter))
  )
}
