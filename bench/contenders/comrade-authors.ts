// The benchmark's authors as people of Comrade: a root key whose feed is the identity log, and a device that posts.
import {
  encodeBody,
  type FeedState,
  type FeedStore,
  sha256,
  type SigningKey,
  signingKey
} from '../../src/feeds/index.ts'
import { signRuns } from '../../src/feeds/run.ts'
import { type Contacts, deviceAddBody } from '../../src/trust/index.ts'
import { seed } from '../posts.ts'

const GENESIS = new Uint8Array(32)
const SALT_SIZE = 16
/** Identity logs are the same bytes wherever they are made, so that they are no forks. */
const LOG_TIME_MS = Date.UTC(2025, 0, 1)

export interface Author {
  root: SigningKey
  device: SigningKey
}

export function authorOf(number: number): Author {
  const root = seed(number)
  return { root: signingKey(root), device: signingKey(sha256(root)) }
}

/** Follows the authors and puts their identity logs into the store, as if they had been met long ago. */
export function introduce(store: FeedStore, contacts: Contacts, authors: Author[]): void {
  const missing = authors.filter(({ device }) => store.feed(device.publicKey)?.priority === undefined)
  if (missing.length === 0) return
  const others = store.wantedFeeds().map(({ key, priority, isWhole }) => ({ feed: key, priority: priority!, isWhole }))
  const added = missing.flatMap(({ root, device }) => [
    { feed: root.publicKey, priority: 1, isWhole: true },
    { feed: device.publicKey, priority: 1 }
  ])
  store.write(() => {
    store.setWanted([...others, ...added])
    for (const { root, device } of missing) {
      contacts.follow(root.publicKey)
      const body = deviceAddBody(root.publicKey, device, 'benchmark')
      const salt = sha256(root.publicKey).subarray(0, SALT_SIZE)
      store.ingest(signRuns(root, nextPlace(store.feed(root.publicKey)!), [encodeBody({ ...body, salt })], LOG_TIME_MS))
      contacts.setDevices(root.publicKey, [{ device: device.publicKey, name: 'benchmark', addedAt: 1 }])
    }
  })
}

/** Continues the feed of an author's device. */
export function writePosts(store: FeedStore, { device }: Author, texts: string[]): void {
  const bodies = texts.map((text) => encodeBody({ type: 'post', text }))
  store.ingest(signRuns(device, nextPlace(store.feed(device.publicKey)!), bodies, Date.now()))
}

function nextPlace({ height, head }: FeedState): { first: number; prev: Uint8Array } {
  return { first: height + 1, prev: height === 0 ? GENESIS : head }
}
