// What others did that concerns this user: answers and reactions to their posts, and to threads in which they wrote.
import { computed, signal } from '@preact/signals'
import { list } from '../api.ts'
import type { EntryShape } from '../shapes.ts'
import { muted, noticesSeen } from './choices.ts'
import { learn } from './entries.ts'
import { onEvent } from './live.ts'
import { isMe, profile } from './me.ts'

/** How many own entries, and how many of everybody's newest, are looked through. */
const OWN = 500
const NEWEST = 1_000

const entries = signal<ReadonlyMap<string, EntryShape>>(new Map())

/** Threads and posts of this user's: whoever answers there is heard. */
const own = computed(() => {
  const mine = [...entries.value.values()].filter(({ author, type }) => type === 'post' && isMe(author))
  return new Set(mine.flatMap(({ id, root }) => (root === null ? [id] : [id, root])))
})

function isMine(id: string): boolean {
  const entry = entries.value.get(id)
  return entry !== undefined && isMe(entry.author)
}

/** Newest first. Reactions to what others wrote, muted threads, and what this user wrote, are left out. */
export const notices = computed(() => {
  const found = [...entries.value.values()].filter(
    ({ type, author, reply, root }) =>
      !isMe(author) &&
      reply !== null &&
      (isMine(reply) || (type === 'post' && root !== null && own.value.has(root))) &&
      !muted.value.includes(root ?? reply)
  )
  return found.toSorted((a, b) => b.time.localeCompare(a.time))
})

export const freshNotices = computed(() => notices.value.filter(({ time }) => time > noticesSeen.value).length)

export function ownPost(id: string | null): EntryShape | undefined {
  return id === null ? undefined : entries.value.get(id)
}

async function load(): Promise<void> {
  const who = profile.value?.did
  const [mine, newest] = await Promise.all([
    who === undefined ? [] : list<EntryShape>('feed', { who, limit: OWN }),
    list<EntryShape>('feed', { limit: NEWEST })
  ])
  for (const entry of newest) learn(entry)
  entries.value = new Map([...mine, ...newest].filter(isPart).map((entry) => [entry.id, entry]))
}

/** Own posts, and what answers something. */
function isPart({ type, author, reply }: EntryShape): boolean {
  return (type === 'post' || type === 'reaction') && (reply !== null || isMe(author))
}

export function watchNotices(): void {
  onEvent('open', () => void load().catch(() => {}))
  onEvent('entry', (line) => {
    const entry = line as unknown as EntryShape
    if (isPart(entry)) entries.value = new Map([...entries.value, [entry.id, entry]])
  })
}
