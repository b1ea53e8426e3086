// Stored entries as people see them.
import {
  bodyOf,
  cidToEntryId,
  FLAG_SEALED,
  formatEntryId,
  renderable,
  shownTime,
  type StoredEntry
} from '../feeds/index.ts'
import { formatDid } from '../trust/index.ts'
import type { FeedItem } from './comrade.ts'
import type { People } from './people.ts'

/** An entry in words: ids as CIDs, people as dids, times in ISO 8601. */
export function toFeedItem(entry: StoredEntry, people: People): FeedItem {
  const identity = people.identityOf(entry.feed) ?? entry.feed
  const author = people.contacts.get(identity)
  const item: FeedItem = {
    id: formatEntryId(entry.id),
    feed: formatDid(entry.feed),
    seq: entry.seq,
    author: author.did,
    name: author.name,
    warnings: people.contacts.names.notesOf(author),
    time: new Date(shownTime(entry)).toISOString(),
    type: 'unknown'
  }
  return { ...item, ...contentOf(entry) }
}

function contentOf(entry: StoredEntry): Partial<FeedItem> {
  if (entry.body === undefined) return { type: 'erased' }
  if ((entry.flags & FLAG_SEALED) !== 0) return { type: 'sealed' }
  const body = bodyOf(entry)
  if (body === undefined) return {}
  const known = renderable(body)
  if (known?.type === 'post')
    return {
      type: body.type,
      body,
      text: known.text,
      tags: known.tags,
      reply: idText(known.reply),
      root: idText(known.root)
    }
  if (known?.type === 'reaction') return { type: body.type, body, text: known.emoji, reply: idText(known.to) }
  return { type: body.type, body }
}

function idText(cid: Parameters<typeof cidToEntryId>[0] | undefined): string | undefined {
  const id = cid && cidToEntryId(cid)
  return id && formatEntryId(id)
}
