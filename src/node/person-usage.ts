// How much is stored of whom: entries as the store counts them for each feed, files by the posts and messages that have
// them. Added up a page at a time, so that with very many of both nothing else has to wait.
import { setImmediate } from 'node:timers/promises'
import { blobCid, type BlobStore } from '../blobs/index.ts'
import { feedOfPlace, type FeedStore, feedUsage, placeOfBlob } from '../feeds/index.ts'
import { formatDid, PRIORITY } from '../trust/index.ts'
import type { PersonUsage, Space } from './comrade.ts'
import type { People } from './people.ts'

/** People who are named; the others are told together. */
const MAX_PEOPLE = 100
/** Feeds or files that are looked at before the event loop gets its turn. */
const PAGE = 128
/** The same answer is given again for so many times as long as it took. */
const REST_FACTOR = 10

export interface PersonUsagesOptions {
  store: FeedStore
  people: People
  blobs: Pick<BlobStore, 'sizes'>
  /** Who sent the files of private messages: root keys by the blob's id in hexadecimal digits. */
  senders: () => ReadonlyMap<string, Uint8Array>
  /** Who wrote the post to a group that a file belongs to: root key. */
  authorOf: (id: Uint8Array) => Uint8Array | undefined
}

type Usages = Pick<Space, 'people' | 'others' | 'files'>
type Sum = Pick<PersonUsage, 'entries' | 'bytes' | 'files'> & { person: Uint8Array; priority: number }

const KEPT: Readonly<Record<number, PersonUsage['kept']>> = {
  [PRIORITY.own]: 'own',
  [PRIORITY.followed]: 'followed',
  [PRIORITY.mate]: 'group',
  [PRIORITY.far]: 'far'
}
/** Of what is not wanted any more, and of those of whom there is nothing but files. */
const UNWANTED = Infinity

export class PersonUsages {
  readonly #options: PersonUsagesOptions
  #adding: Promise<Usages> | undefined
  #freshUntil = 0

  constructor(options: PersonUsagesOptions) {
    this.#options = options
  }

  /** Whoever takes most comes first. @throws FeedError STORE_CLOSED when the node is stopped meanwhile */
  get(): Promise<Usages> {
    if (this.#adding !== undefined && performance.now() < this.#freshUntil) return this.#adding
    const start = performance.now()
    this.#freshUntil = Infinity
    const end = (): void => {
      this.#freshUntil = performance.now() + REST_FACTOR * (performance.now() - start)
    }
    const adding = this.#add()
    adding.then(end, () => (this.#freshUntil = 0))
    return (this.#adding = adding)
  }

  /** Much is another now: the next answer is added up anew. */
  forget(): void {
    this.#adding = undefined
  }

  async #add(): Promise<Usages> {
    const sums = new Map<string, Sum>()
    await this.#addEntries(sums)
    const files = await this.#addFiles(sums)
    const all = [...sums.values()].toSorted((a, b) => totalOf(b) - totalOf(a))
    const others = { people: Math.max(0, all.length - MAX_PEOPLE), bytes: 0, files: 0 }
    for (const { bytes, files } of all.slice(MAX_PEOPLE)) {
      others.bytes += bytes
      others.files += files
    }
    return { people: all.slice(0, MAX_PEOPLE).map((sum) => this.#named(sum)), others, files }
  }

  async #addEntries(sums: Map<string, Sum>): Promise<void> {
    const { store, people } = this.#options
    for (let after = 0; ;) {
      const page = feedUsage(store, { after, limit: PAGE })
      for (const { key, priority = UNWANTED, entries, bytes } of page) {
        const sum = sumOf(sums, people.identityOf(key) ?? key)
        sum.priority = Math.min(sum.priority, priority)
        sum.entries += entries
        sum.bytes += bytes
      }
      if (page.length < PAGE) return
      after = page.at(-1)!.num
      await setImmediate()
    }
  }

  /** @returns what all files take, also those that nothing names any more */
  async #addFiles(sums: Map<string, Sum>): Promise<number> {
    const { blobs, senders, authorOf } = this.#options
    const bySender = senders()
    let [looked, bytes] = [0, 0]
    for (const { id, size } of [...blobs.sizes()]) {
      if (++looked % PAGE === 0) await setImmediate()
      bytes += size
      const person = this.#authorOf(id) ?? bySender.get(Buffer.from(id).toString('hex')) ?? authorOf(id)
      if (person !== undefined) sumOf(sums, person).files += size
    }
    return bytes
  }

  /** Whose post was the first to have this file. */
  #authorOf(id: Uint8Array): Uint8Array | undefined {
    const { store, people } = this.#options
    const place = placeOfBlob(store, blobCid(id).bytes)
    const feed = place === undefined ? undefined : store.feedByNumber(feedOfPlace(place))
    return feed && (people.identityOf(feed.key) ?? feed.key)
  }

  #named({ person, priority, entries, bytes, files }: Sum): PersonUsage {
    const { people } = this.#options
    const kept = people.isSelf(person) ? 'own' : (KEPT[priority] ?? (entries > 0 ? 'unwanted' : 'messages'))
    return { did: formatDid(person), name: people.contacts.get(person).name, kept, entries, bytes, files }
  }
}

function sumOf(sums: Map<string, Sum>, person: Uint8Array): Sum {
  const name = Buffer.from(person).toString('hex')
  const sum = sums.get(name) ?? { person, priority: UNWANTED, entries: 0, bytes: 0, files: 0 }
  sums.set(name, sum)
  return sum
}

function totalOf({ bytes, files }: Sum): number {
  return bytes + files
}
