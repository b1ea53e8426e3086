// Feeds to and from a file that is carried by hand, and which ones go into it.
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import {
  type ArchiveCount,
  exportFeeds,
  FeedError,
  type FeedState,
  type FeedStore,
  importFeeds
} from '../feeds/index.ts'
import { NodeError } from './comrade.ts'
import type { People } from './people.ts'

/** What is kept of these people, or of everybody. @throws TrustError WHO_UNKNOWN, WHO_AMBIGUOUS, DID */
export function feedsToArchive(store: FeedStore, people: People, who?: readonly string[]): FeedState[] {
  const keys = who?.map((name) => people.contacts.find(name).key)
  const nums = keys && new Set(keys.flatMap((key) => [...people.feedsOf(key)]))
  const feeds = store.wantedFeeds().filter((feed) => feed.height > 0 && (nums === undefined || nums.has(feed.num)))
  const isLog = ({ key }: FeedState): boolean => {
    const identity = people.identityOf(key)
    return identity !== undefined && Buffer.compare(identity, key) === 0
  }
  // Identity logs first: they say whose the other feeds are.
  return feeds.sort((a, b) => Number(isLog(b)) - Number(isLog(a)))
}

/** Writes feeds into a new file that only its owner can read. @throws NodeError BAD_INPUT when there is one already */
export async function writeArchive(store: FeedStore, feeds: readonly FeedState[], file: string): Promise<ArchiveCount> {
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new NodeError(
      'BAD_INPUT',
      error.code === 'EEXIST'
        ? `${file} exists already: it is not overwritten`
        : `${file} cannot be written: ${error.message}`,
      { cause: error }
    )
  })
  const written = { entries: 0, bytes: 0 }
  try {
    for (const { chunk, entries } of exportFeeds(store, feeds)) {
      await handle.writeFile(chunk)
      written.entries += entries
      written.bytes += chunk.length
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  return written
}

/**
 * Takes in a file. @param onFeedEnd see importFeeds
 * @throws NodeError BAD_INPUT when it cannot be read; FeedError for what is wrong in it
 */
export async function readArchive(store: FeedStore, file: string, onFeedEnd: () => void): Promise<ArchiveCount> {
  try {
    return await importFeeds(store, createReadStream(file), onFeedEnd)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof FeedError || code === undefined) throw error
    throw new NodeError('BAD_INPUT', `${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
