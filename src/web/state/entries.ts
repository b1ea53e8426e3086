// What is known of entries beside themselves: how they were answered. The node counts; when an answer arrives, it is asked
// again about what was answered.
import { signal, type Signal } from '@preact/signals'
import { get } from '../api.ts'
import type { EntryShape } from '../shapes.ts'

/** How an entry was answered. */
export type Counts = Pick<EntryShape, 'replies' | 'reactions'>

const NONE: Counts = { replies: 0, reactions: [] }
/** Between two rounds of questions, in ms: of a flood of answers to one post few are asked about. */
const PAUSE_MS = 200

const learned = new Map<string, EntryShape>()
const counts = new Map<string, Signal<Counts>>()
const erased = signal<ReadonlySet<string>>(new Set())
/** Entries whose counts are out of date. */
const stale = new Set<string>()
let isAsking = false

export function countsOf(id: string): Signal<Counts> {
  const found = counts.get(id)
  if (found !== undefined) return found
  const made = signal(NONE)
  counts.set(id, made)
  return made
}

/** The entry, when it has been seen. */
export function knownEntry(id: string): EntryShape | undefined {
  return learned.get(id)
}

export function isErased(id: string): boolean {
  return erased.value.has(id)
}

export function noteErased(id: string): void {
  erased.value = new Set([...erased.value, id])
}

/** Takes note of an entry as the node gave it when it was asked. */
export function learn(entry: EntryShape): void {
  learned.set(entry.id, entry)
  countsOf(entry.id).value = { replies: entry.replies, reactions: entry.reactions }
}

/** Takes note of an entry that arrived: what it answers has one answer more. */
export function learnArrival(entry: EntryShape): void {
  learn(entry)
  if (entry.reply !== null) countAnew(entry.reply)
}

/** Asks the node how an entry was answered, when it was seen here. */
export function countAnew(id: string): void {
  if (!learned.has(id)) return
  stale.add(id)
  if (!isAsking) void askAll()
}

async function askAll(): Promise<void> {
  isAsking = true
  while (stale.size > 0) {
    for (const id of [...stale]) {
      stale.delete(id)
      await get<EntryShape>('show', { id }).then(learn, () => {}) // it may be gone
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  isAsking = false
}
