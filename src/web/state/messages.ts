// Private messages: the newest of all conversations, and what comes and changes.
import { computed, signal } from '@preact/signals'
import { get, list, post } from '../api.ts'
import type { ConversationShape, MessageShape } from '../shapes.ts'
import { onEvent } from './live.ts'
import { isMe, profile } from './me.ts'
import type { AttachedFile } from './uploads.ts'

/** How many are fetched at once. */
const NEWEST = 500

const all = signal<ReadonlyMap<string, MessageShape>>(new Map())
/** Conversations of several people, by their id. */
export const several = signal<ReadonlyMap<string, ConversationShape>>(new Map())
export const areLoaded = signal(false)

/** What was written with one person, or in a conversation of several; oldest first. */
export interface Conversation {
  /** The person's did, or the conversation's id. */
  whom: string
  messages: MessageShape[]
  last: MessageShape
  unread: number
}

/** All in which something was written, the one with the newest message first. */
export const conversations = computed<Conversation[]>(() => {
  const found = [...Map.groupBy(all.value.values(), whomOf)].flatMap(([whom, messages]) => {
    const sorted = messages.toSorted((a, b) => a.time.localeCompare(b.time))
    const last = sorted.findLast(({ type }) => type !== 'reaction') ?? sorted.at(-1)
    return last === undefined ? [] : [{ whom, messages: sorted, last, unread: sorted.filter(isUnread).length }]
  })
  return found.toSorted((a, b) => b.last.time.localeCompare(a.last.time))
})

export const unread = computed(() => conversations.value.reduce((sum, each) => sum + each.unread, 0))

function whomOf({ conversation, from, to }: MessageShape): string {
  return conversation ?? (from === profile.value?.did ? to : from)
}

function isUnread({ from, state, type }: MessageShape): boolean {
  return !isMe(from) && (type === 'text' || type === 'attachment') && state !== 'read'
}

async function loadMessages(): Promise<void> {
  note(...(await list<MessageShape>('messages', { limit: NEWEST })))
  await loadSeveral()
  areLoaded.value = true
}

async function loadSeveral(): Promise<void> {
  const known = await get<ConversationShape[]>('conversation/list')
  several.value = new Map(known.map((each) => [each.id, each]))
}

function note(...messages: readonly MessageShape[]): void {
  all.value = new Map([...all.value, ...messages.map((message) => [message.id, message] as const)])
}

/** What is to be sent: words, a file, or both. */
export interface Draft {
  text?: string
  file?: AttachedFile
  expiresInMs?: number
}

/** @param whom a did, or the id of a conversation of several */
export async function send(whom: string, draft: Draft): Promise<void> {
  note(await post<MessageShape>('message', { who: whom, ...draft }))
}

export async function markRead({ messages }: Conversation): Promise<void> {
  const ids = messages.filter(isUnread).map(({ id }) => id)
  if (ids.length > 0) note(...(await post<MessageShape[]>('messages/read', { ids })))
}

export async function eraseMessage(id: string): Promise<void> {
  await post('messages/erase', { id })
  const known = all.value.get(id)
  if (known !== undefined) note({ ...known, type: 'erased', text: null, attachment: null })
}

/** Begins a conversation of several. @returns its id */
export async function beginConversation(name: string, people: readonly string[]): Promise<string> {
  const { id } = await post<ConversationShape>('conversation/create', { name, people })
  await loadSeveral()
  return id
}

/** Changes who belongs to a conversation of several: add, remove, leave. */
export async function changeConversation(verb: string, which: string, more: object = {}): Promise<void> {
  await post(`conversation/${verb}`, { which, ...more })
  await loadSeveral()
}

export function watchMessages(): void {
  onEvent('open', () => void loadMessages().catch(() => {}))
  onEvent('message', (line) => {
    const message = line as unknown as MessageShape
    note(message)
    if (message.type === 'conversation' || (message.conversation !== null && !several.value.has(message.conversation)))
      void loadSeveral().catch(() => {})
  })
}
