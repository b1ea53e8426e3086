// Mentions while one writes: whom an `@` in the text may mean, and whom the text speaks to. Text is bound to people by their
// whole names as they are shown here, and no two people share one.
import { foldName } from '../trust/names.ts'
import { MAX_MENTIONS, type Mentionable, mentionedDids, namedIn } from '../trust/mentions.ts'
import type { WarningShape } from './shapes.ts'

/** How many people are offered at once. */
const OFFERED = 6
/** What stands between an `@` and the place where one writes. */
const BEGUN = /(?<![\p{L}\p{M}\p{N}_])@([^@\s](?:[^@\n]{0,63}))?$/u

export interface Candidate {
  did: string
  name: string
  warnings?: readonly WarningShape[]
}

/** A name that is being written. */
export interface Begun {
  /** Where its `@` stands. */
  from: number
  /** Where one writes. */
  to: number
  words: string
}

/** The name that is being written at this place of a text, if there is one. */
export function begunAt(text: string, to: number): Begun | undefined {
  const from = Math.max(0, text.lastIndexOf('@', to - 1))
  const match = BEGUN.exec(text.slice(Math.max(0, from - 2), to))
  return match === null || to - from > 65 ? undefined : { from, to, words: match[1] ?? '' }
}

/** People whose name has words that begin so: those first whose name does, and last those of whom only the key is known. */
export function offeredFor<T extends Candidate>(words: string, people: readonly T[]): T[] {
  const begin = plain(words)
  const names = people.map((person) => ({ person, name: plain(person.name) }))
  const first = names.filter(({ name }) => name.startsWith(begin) && !name.startsWith('#'))
  const next = names.filter(({ name }) => !name.startsWith(begin) && name.includes(` ${begin}`))
  const nameless = names.filter(({ name }) => name.startsWith('#') && name.startsWith(begin))
  return [...first, ...next, ...nameless].slice(0, OFFERED).map(({ person }) => person)
}

/** Those whom a text speaks to, as many as a post can mention. */
export function spokenTo<T extends Candidate>(text: string, people: readonly T[]): T[] {
  if (!text.includes('@')) return []
  const named = namedIn(text, people.map(mentionable))
  const dids = mentionedDids(named.map(({ person }) => person.did))
  return dids.slice(0, MAX_MENTIONS).map((did) => people.find((person) => person.did === did)!)
}

/** A text without the names in it: what follows a `#` in a name is no tag. */
export function withoutNames(text: string, people: readonly Candidate[]): string {
  let rest = ''
  let end = 0
  for (const { from, to } of namedIn(text, people.map(mentionable))) {
    rest += text.slice(end, from)
    end = to
  }
  return rest + text.slice(end)
}

function mentionable({ did, name }: Candidate): Mentionable {
  return { did, names: [name] }
}

/** Without case and accents: whoever writes "jose" may mean José. */
function plain(name: string): string {
  return foldName(name).normalize('NFD').replace(/\p{M}/gu, '')
}
