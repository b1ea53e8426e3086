// How an entry was answered: replies and reactions of all who are stored here and not blocked, counted.
import {
  type FeedStore,
  type IsCounted,
  isAnswered,
  reactionsByFeed,
  repliesByFeed,
  type StoredEntry,
  whyGone
} from '../feeds/index.ts'
import type { FeedItem, ReactionCount } from './comrade.ts'
import type { GroupContent } from './groups/content.ts'
import type { OpenedPost } from './groups/opened-post.ts'
import type { People } from './people.ts'

/** Different emoji that are told of one entry; the rarest are left out. */
const MAX_EMOJI = 32

/** By the feeds that gave them. */
type Replies = readonly { feed: Uint8Array; count: number }[]
type Reactions = readonly { feed: Uint8Array; emoji: string }[]

export interface AnswersOptions {
  store: FeedStore
  people: People
  groups: () => GroupContent
}

export class Answers {
  readonly #options: AnswersOptions
  readonly #isCounted: IsCounted = (entry) => {
    const { people } = this.#options
    return people.isCurrent(entry) && !people.isBlocked(entry.feed)
  }

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  /** The item with its counts, when it is a post, or what is left of one; and why no more of it is left. @param post what it says, when it is one to a group */
  counted(item: FeedItem, entry: StoredEntry, post?: OpenedPost): FeedItem {
    if (item.type !== 'post' && item.type !== 'erased') return item
    const { store } = this.#options
    const gone = item.type === 'erased' ? { gone: whyGone(store, entry.place) } : {}
    const [replies, reactions] = post === undefined ? this.#answersTo(entry) : this.#answersInGroup(entry, post)
    return { ...item, ...gone, replies: this.#sum(replies), reactions: this.#byEmoji(reactions) }
  }

  #answersTo({ id }: StoredEntry): [Replies, Reactions] {
    const { store } = this.#options
    if (!isAnswered(store, id)) return [[], []]
    return [repliesByFeed(store, id, this.#isCounted), reactionsByFeed(store, id, this.#isCounted)]
  }

  #answersInGroup({ id }: StoredEntry, { group }: OpenedPost): [Replies, Reactions] {
    const groups = this.#options.groups()
    return [groups.repliesByFeed(group, id, this.#isCounted), groups.reactionsByFeed(group, id, this.#isCounted)]
  }

  #sum(replies: Replies): number {
    return replies.reduce((sum, { count }) => sum + count, 0)
  }

  /** People, and not their devices, are counted. */
  #byEmoji(given: Reactions): ReactionCount[] {
    const { people } = this.#options
    const authors = new Map<string, Set<string>>()
    for (const { feed, emoji } of given) {
      const those = authors.get(emoji) ?? new Set()
      authors.set(emoji, those.add(hex(people.identityOf(feed) ?? feed)))
    }
    const self = hex(people.root)
    return [...authors]
      .map(([emoji, those]) => ({ emoji, count: those.size, isOwn: those.has(self) }))
      .sort((a, b) => b.count - a.count)
      .slice(0, MAX_EMOJI)
  }
}

function hex(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('hex')
}
