// What is known of entries beside themselves: how they were answered. Entries come newest first, so that answers are known
// when what they answer is shown.
import { signal, type Signal } from '@preact/signals'
import type { EntryShape } from '../shapes.ts'

/** Reactions to one entry: who gave which. */
export type Reactions = ReadonlyMap<string, ReadonlySet<string>>

const learned = new Map<string, EntryShape>()
const reactions = new Map<string, Signal<Reactions>>()
const replies = new Map<string, Signal<number>>()
const erased = signal<ReadonlySet<string>>(new Set())

export function reactionsTo(id: string): Signal<Reactions> {
  return slot(reactions, id, () => new Map())
}

/** The entry, when it has been seen. */
export function knownEntry(id: string): EntryShape | undefined {
  return learned.get(id)
}

/** How many answers are known. */
export function repliesTo(id: string): Signal<number> {
  return slot(replies, id, () => 0)
}

export function isErased(id: string): boolean {
  return erased.value.has(id)
}

export function noteErased(id: string): void {
  erased.value = new Set([...erased.value, id])
}

/** Takes note of an entry. @returns whether it is new here */
export function learn(entry: EntryShape): boolean {
  if (learned.has(entry.id)) return false
  learned.set(entry.id, entry)
  if (entry.reply === null) return true
  if (entry.type === 'reaction') addReaction(entry.reply, entry.text ?? '', entry.author)
  else repliesTo(entry.reply).value += 1
  return true
}

function addReaction(id: string, emoji: string, author: string): void {
  const all = reactionsTo(id)
  all.value = new Map([...all.value, [emoji, new Set([...(all.value.get(emoji) ?? []), author])]])
}

function slot<T>(slots: Map<string, Signal<T>>, id: string, empty: () => T): Signal<T> {
  const found = slots.get(id)
  if (found !== undefined) return found
  const made = signal(empty())
  slots.set(id, made)
  return made
}
