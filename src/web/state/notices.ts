// What others did that concerns this user: answers and reactions to their posts, and to threads in which they wrote, and
// what mentions them.
import { computed, signal } from '@preact/signals'
import { get, list } from '../api.ts'
import type { EntryShape, GroupShape, ProfileShape } from '../shapes.ts'
import { muted, noticesSeen } from './choices.ts'
import { learn } from './entries.ts'
import { onEvent } from './live.ts'
import { isMe, profile } from './me.ts'

/** How many own entries, of everybody's newest, of each group's, and of those that mention this user, are looked through. */
const OWN = 500
const NEWEST = 1_000
const OF_GROUP = 200
const MENTIONS = 200
/** What is looked at is asked for first. */
const LATER_MS = 500

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

/** To what this user wrote, or in a thread in which they wrote. */
function isAnswer({ type, reply, root }: EntryShape): boolean {
  return reply !== null && (isMine(reply) || (type === 'post' && root !== null && own.value.has(root)))
}

/** Whether it mentions this user. */
export function isForMe({ mentions }: EntryShape): boolean {
  return mentions.some(({ did }) => isMe(did))
}

function threadOf({ id, reply, root }: EntryShape): string {
  return root ?? reply ?? id
}

/** Newest first. Reactions to what others wrote, muted threads, and what this user wrote, are left out. */
export const notices = computed(() => {
  const found = [...entries.value.values()].filter(
    (entry) => !isMe(entry.author) && (isAnswer(entry) || isForMe(entry)) && !muted.value.includes(threadOf(entry))
  )
  return found.toSorted((a, b) => b.time.localeCompare(a.time))
})

export const freshNotices = computed(() => notices.value.filter(({ time }) => time > noticesSeen.value).length)

export function ownPost(id: string | null): EntryShape | undefined {
  return id === null ? undefined : entries.value.get(id)
}

async function load(): Promise<void> {
  // It may be asked for at this moment: nothing of this user's must be missed.
  const { did: who } = profile.value ?? (await get<ProfileShape>('profile'))
  const [mine, newest, forMe] = await Promise.all([
    list<EntryShape>('feed', { who, limit: OWN }),
    list<EntryShape>('feed', { limit: NEWEST }),
    list<EntryShape>('feed', { mentions: who, limit: MENTIONS })
  ])
  const inGroups = await newestInGroups()
  for (const entry of newest) learn(entry)
  entries.value = new Map([...mine, ...newest, ...inGroups, ...forMe].filter(isPart).map((entry) => [entry.id, entry]))
}

/** What was written to groups is not part of the feed; each has to be opened, so they are asked for one after the other. */
async function newestInGroups(): Promise<EntryShape[]> {
  const found: EntryShape[] = []
  for (const { id } of await get<GroupShape[]>('group/list'))
    found.push(...(await list<EntryShape>('feed', { in: id, limit: OF_GROUP }).catch(() => [])))
  return found
}

/** Own posts, what answers something, and what mentions this user. */
function isPart(entry: EntryShape): boolean {
  const { type, author, reply } = entry
  return (type === 'post' || type === 'reaction') && (reply !== null || isMe(author) || isForMe(entry))
}

export function watchNotices(): void {
  onEvent('open', () => setTimeout(() => void load().catch(() => {}), LATER_MS))
  onEvent('entry', (line) => {
    const entry = line as unknown as EntryShape
    if (isPart(entry)) entries.value = new Map([...entries.value, [entry.id, entry]])
  })
}
