// What is derived from one body: the rows by which it is found. Written behind by the indexer, and taken out again by
// their keys when the body goes: a search for them by place would read the whole tables.
import { type Body, decodeBody, renderable } from '../body.ts'
import { cidToEntryId } from '../entry-id.ts'
import { type Entry, FLAG_SEALED, VERSION } from '../entry.ts'
import { LINK } from './links.ts'
import { shownTime } from './reader.ts'
import { feedOfPlace, prefixOf } from './schema.ts'
import type { Stored } from './stored.ts'

/** Tags of one post by which it is found; a body has room for thousands. */
const MAX_TAGS = 64
/** Files of one post that are looked for. */
const MAX_BLOBS = 16
/** People whom one post mentions. */
const MAX_MENTIONS = 32
/** Reactions of one feed to one entry that are counted, however many it holds. */
export const MAX_REACTIONS = 64

export interface Derived {
  type: string
  /** The time it is shown with, Unix ms. */
  timeMs: number
  links: { target: number; kind: number }[]
  /** What it reacts to, and how. */
  reaction?: { target: number; emoji: string }
  tags: readonly string[]
  /** Dids of people who are mentioned. */
  mentions: readonly string[]
  /** Binary CIDs. */
  blobs: readonly Uint8Array[]
  expiresMs?: number
  text?: string
}

/** The decoded body of an entry that this program can render, or undefined. */
export function bodyOf(entry: Entry): Body | undefined {
  if (entry.body === undefined || entry.version !== VERSION || (entry.flags & FLAG_SEALED) !== 0) return undefined
  return decodeBody(entry.body)
}

/** What is to be found out from an entry, or undefined when its body is not here or not to be read. */
export function derivedOf(entry: Entry, arrivedMs: number): Derived | undefined {
  const body = bodyOf(entry)
  if (body === undefined) return undefined
  const derived: Derived = {
    type: body.type,
    timeMs: shownTime({ time: entry.time, arrivedMs }),
    links: [],
    tags: [],
    mentions: [],
    blobs: []
  }
  const known = renderable(body)
  if (known?.type === 'reaction') {
    addLink(derived, known.to, 'reaction')
    for (const { target } of derived.links) derived.reaction = { target, emoji: known.emoji }
  }
  if (known?.type !== 'post') return derived
  if (known.root !== undefined) addLink(derived, known.root, 'root')
  if (known.reply !== undefined) addLink(derived, known.reply, 'reply')
  const tags = (known.tags ?? []).slice(0, MAX_TAGS)
  const mentions = [...new Set(known.mentions)].slice(0, MAX_MENTIONS)
  const blobs = (known.blobs ?? []).slice(0, MAX_BLOBS).map(({ bytes }) => bytes)
  return { ...derived, tags, mentions, blobs, expiresMs: known.expires, text: known.text }
}

function addLink(derived: Derived, cid: Parameters<typeof cidToEntryId>[0], kind: keyof typeof LINK): void {
  const id = cidToEntryId(cid)
  if (id !== undefined) derived.links.push({ target: prefixOf(id), kind: LINK[kind] })
}

/**
 * Takes out what was derived from a stored body. Nothing happens where it was not indexed yet.
 * @param keepsPlace it stays part of its thread: of an own post its author sees that something was there
 */
export function forgetDerived(store: Stored, place: number, entry: Entry, arrivedMs: number, keepsPlace = false): void {
  const derived = derivedOf(entry, arrivedMs)
  if (derived === undefined) return
  const { type, timeMs, links, reaction, tags, mentions, blobs, expiresMs } = derived
  store.run(
    'DELETE FROM timeline WHERE type = (SELECT num FROM types WHERE name = ?) AND time = ? AND place = ?',
    type,
    timeMs,
    place
  )
  for (const { target, kind } of links)
    if (!keepsPlace || kind !== LINK.root)
      store.run('DELETE FROM links WHERE target = ? AND kind = ? AND place = ?', target, kind, place)
  if (reaction !== undefined)
    store.run(
      'DELETE FROM reactions WHERE target = ? AND feed = ? AND emoji = ? AND place = ?',
      ...[reaction.target, feedOfPlace(place), reaction.emoji, place]
    )
  for (const tag of tags) store.run('DELETE FROM tags WHERE tag = ? AND time = ? AND place = ?', tag, timeMs, place)
  for (const did of mentions)
    store.run('DELETE FROM mentions WHERE did = ? AND time = ? AND place = ?', did, timeMs, place)
  for (const cid of blobs) store.run('DELETE FROM blobs WHERE place = ? AND cid = ?', place, cid)
  if (expiresMs !== undefined) store.run('DELETE FROM expiries WHERE at = ? AND place = ?', expiresMs, place)
  store.run('DELETE FROM search WHERE rowid = ?', place)
}
