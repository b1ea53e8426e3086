// Stored entries as people see them.
import { type BlobStore, parseBlobId } from '../blobs/index.ts'
import {
  type Body,
  bodyOf,
  cidToEntryId,
  FLAG_SEALED,
  formatEntryId,
  renderable,
  shownTime,
  type StoredEntry
} from '../feeds/index.ts'
import { formatDid } from '../trust/index.ts'
import type { PostFile } from './blobs/contract.ts'
import { filesOf, type PostedFile } from './blobs/posted-file.ts'
import type { FeedItem } from './comrade.ts'
import { mentionsOf } from './mentions.ts'
import type { People } from './people.ts'

export interface FeedItemNeeds {
  people: People
  /** Where files of posts lie. */
  blobs: Pick<BlobStore, 'has'>
}

/**
 * An entry in words: ids as CIDs, people as dids, times in ISO 8601.
 * @param opened what a post to a group says: the group's id, and the body
 */
export function toFeedItem(entry: StoredEntry, needs: FeedItemNeeds, opened?: { id: string; body: Body }): FeedItem {
  const { people } = needs
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
  if (opened !== undefined) return { ...item, ...contentOf(opened.body, needs, { isSealed: true }), group: opened.id }
  if (entry.body === undefined) return { ...item, type: 'erased' }
  if ((entry.flags & FLAG_SEALED) !== 0) return { ...item, type: 'sealed' }
  const body = bodyOf(entry)
  return { ...item, ...(body && contentOf(body, needs)) }
}

function contentOf(body: Body, { people, blobs }: FeedItemNeeds, { isSealed = false } = {}): Partial<FeedItem> {
  const known = renderable(body)
  if (known?.type === 'post') {
    const files = filesOf(known, { isSealed }).map((file) => fileItem(file, blobs.has(parseBlobId(file.id))))
    const mentions = mentionsOf(known, people)
    return {
      type: body.type,
      body,
      text: known.text,
      tags: known.tags,
      reply: idText(known.reply),
      root: idText(known.root),
      ...(files.length === 0 ? {} : { files }),
      ...(mentions.length === 0 ? {} : { mentions }),
      ...(known.expires === undefined ? {} : { expires: new Date(known.expires).toISOString() })
    }
  }
  if (known?.type === 'reaction') return { type: body.type, body, text: known.emoji, reply: idText(known.to) }
  return { type: body.type, body }
}

/** Without what opens it. */
function fileItem({ id, name, size, mime, alt }: PostedFile, isHere: boolean): PostFile {
  return { id, name, size, ...(mime === undefined ? {} : { mime }), ...(alt === undefined ? {} : { alt }), isHere }
}

function idText(cid: Parameters<typeof cidToEntryId>[0] | undefined): string | undefined {
  const id = cid && cidToEntryId(cid)
  return id && formatEntryId(id)
}
