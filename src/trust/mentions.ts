// People who are spoken to in a text. A post lists their dids; in its text stands for each one `@`, what they call
// themselves, and the end of their key: `@Maria#k3x9Qabc`. Readers put their own name for that key in its place.
// Nothing is imported but names: the page and the command line load this file.
import { foldName, MAX_NAME_LENGTH, tagOf } from './names.ts'

/** People whom one post can mention. What else it lists is not regarded, so that a post cannot call a whole town. */
export const MAX_MENTIONS = 32

/** `@`, up to 64 characters without `@`, `#` and line breaks, and a key tag that ends there. */
const PLACE = /@([^@#\p{Cc}\p{Zl}\p{Zp}]{0,64})(#[1-9A-HJ-NP-Za-km-z]{8})(?![0-9A-Za-z_])/gu
const LETTER = /[\p{L}\p{M}\p{N}_]/u

/** A part of a text; with `did` it means that person, and `label` is what the author wrote for them. */
export interface TextPart {
  text: string
  did?: string
  label?: string
}

/** Whom a post's list means: the first 32 different ones. */
export function mentionedDids(list: readonly string[] = []): string[] {
  return list.length === 0 ? [] : [...new Set(list)].slice(0, MAX_MENTIONS)
}

/**
 * A text in parts. A key tag that stands for none of these dids is text like any other.
 * @param dids as {@link mentionedDids} gives them; of two with the same tag the first is meant
 */
export function mentionParts(text: string, dids: readonly string[]): TextPart[] {
  if (dids.length === 0) return [{ text }]
  const byTag = new Map(dids.toReversed().map((did) => [tagOf(did), did]))
  const parts: TextPart[] = []
  let end = 0
  for (const { 0: whole, 1: label, 2: tag, index } of text.matchAll(PLACE)) {
    const did = byTag.get(tag)
    if (did === undefined) continue
    if (index > end) parts.push({ text: text.slice(end, index) })
    parts.push({ text: whole, did, label })
    end = index + whole.length
  }
  if (end < text.length || parts.length === 0) parts.push({ text: text.slice(end) })
  return parts
}

/** Somebody whom the author of a text may mean. */
export interface Mentionable {
  did: string
  /** What can stand behind `@` for them while the text is written. */
  names: readonly string[]
  /** What they call themselves: it stands in the text, and the author's own name for them does not. */
  claimed?: string
}

/** A stretch of a text that stands for a person. */
export interface Naming<T> {
  from: number
  to: number
  person: T
}

/** Where a text that is being written names one of these people: `@` and a whole name, the longest one that fits. */
export function namedIn<T extends Mentionable>(text: string, people: readonly T[]): Naming<T>[] {
  const names = namesOf(people)
  let start = 0
  return mentionParts(text, didsOf(people)).flatMap((part) => {
    const from = start
    start += part.text.length
    if (part.did === undefined) return namedBetween(text, from, start, names)
    return [{ from, to: start, person: people.find(({ did }) => did === part.did)! }]
  })
}

/** Puts in the place of each name what other readers understand. What has that form already stays. */
export function withPlaces(text: string, people: readonly Mentionable[]): string {
  const dids = didsOf(people)
  let written = ''
  let end = 0
  for (const { from, to, person } of namedIn(text, people)) {
    const named = text.slice(from, to)
    const isPlace = mentionParts(named, dids)[0].did !== undefined
    written += text.slice(end, from) + (isPlace ? named : placeOf(person))
    end = to
  }
  return written + text.slice(end)
}

interface Names<T> {
  people: Map<string, T>
  /** Their lengths, longest first. */
  lengths: number[]
}

/** By folded name; of two who share one the first is meant. */
function namesOf<T extends Mentionable>(people: readonly T[]): Names<T> {
  const pairs = people.flatMap((person) => person.names.filter((name) => name !== '').map((name) => ({ name, person })))
  const lengths = new Set(pairs.flatMap(({ name }) => [name.length, foldName(name).length]))
  return {
    people: new Map(pairs.toReversed().map(({ name, person }) => [foldName(name), person])),
    lengths: [...lengths].toSorted((a, b) => b - a)
  }
}

function namedBetween<T>(text: string, start: number, stop: number, { people, lengths }: Names<T>): Naming<T>[] {
  const found: Naming<T>[] = []
  for (let from = text.indexOf('@', start); from !== -1 && from < stop; from = text.indexOf('@', from + 1)) {
    if (LETTER.test(characterBefore(text, from))) continue
    const ends = lengths.map((length) => from + 1 + length).filter((end) => end <= stop && isWordEnd(text, end))
    const to = ends.find((end) => people.has(foldName(text.slice(from + 1, end))))
    if (to === undefined) continue
    found.push({ from, to, person: people.get(foldName(text.slice(from + 1, to)))! })
    from = to - 1
  }
  return found
}

function didsOf(people: readonly Mentionable[]): string[] {
  return people.map(({ did }) => did)
}

function placeOf({ did, claimed = '' }: Mentionable): string {
  const label = [...claimed.replace(/[@#\p{C}\p{Zl}\p{Zp}]/gu, '')].slice(0, MAX_NAME_LENGTH).join('').trim()
  return `@${label}${tagOf(did)}`
}

function characterBefore(text: string, index: number): string {
  return Array.from(text.slice(Math.max(0, index - 2), index)).at(-1) ?? ''
}

function isWordEnd(text: string, end: number): boolean {
  const next = text.codePointAt(end)
  return next === undefined || !LETTER.test(String.fromCodePoint(next))
}
