// A stored message as people and programs see it.
import {
  type ContentChanges,
  type Content,
  type Conversations,
  isConversationId,
  known,
  type StoredMessage
} from '../../messages/index.ts'
import { formatDid } from '../../trust/index.ts'
import type { People } from '../people.ts'
import type { ConversationChange, Message, MessageRecipient, PersonName } from './contract.ts'

export interface MessageItemContext {
  people: People
  conversations: Conversations
}

export function toMessageItem(message: StoredMessage, { people, conversations }: MessageItemContext): Message {
  const { num, author, peer, content, timeMs, state, expiresMs, isAfterGap } = message
  const isOwn = people.isSelf(author)
  const several = isConversationId(peer) ? hex(peer) : undefined
  return {
    id: hex(message.id),
    ...nameOf(author, people),
    to: several ?? formatDid(isOwn ? peer : people.root),
    time: new Date(timeMs).toISOString(),
    ...shownOf(content, people),
    state,
    ...(several === undefined ? {} : { conversation: several }),
    ...(several !== undefined && isOwn ? { recipients: recipientsOf(num, { people, conversations }) } : {}),
    ...(expiresMs === undefined ? {} : { expires: new Date(expiresMs).toISOString() }),
    ...(isAfterGap ? { isAfterGap: true as const } : {})
  }
}

/** What to call somebody, whom the user need not know. */
export function personName(key: Uint8Array, people: People): PersonName {
  const { from: did, name, warnings } = nameOf(key, people)
  return { did, name, warnings }
}

function nameOf(key: Uint8Array, { contacts }: People): Pick<Message, 'from' | 'name' | 'warnings'> {
  const person = contacts.get(key)
  return { from: person.did, name: person.name, warnings: contacts.names.notesOf(person) }
}

function recipientsOf(num: number, { people, conversations }: MessageItemContext): MessageRecipient[] {
  return conversations.recipients.of(num).map(({ person, state }) => ({ ...personName(person, people), state }))
}

function shownOf(
  content: Content | undefined,
  people: People
): Pick<Message, 'type' | 'text' | 'reply' | 'about' | 'emoji' | 'change'> {
  if (content === undefined) return { type: 'erased' }
  const shown = known(content)
  if (shown?.type === 'text' || shown?.type === 'attachment') {
    const { type, text, reply } = shown
    return { type, ...(text === undefined ? {} : { text }), ...(reply === undefined ? {} : { reply: hex(reply) }) }
  }
  if (shown?.type === 'reaction') return { type: 'reaction', about: hex(shown.about), emoji: shown.emoji }
  if (shown?.type === 'conversation' && shown.changes !== undefined)
    return { type: 'conversation', change: changeOf(shown.changes, people) }
  return { type: content.type }
}

function changeOf({ added, removed, name, timer }: ContentChanges, people: People): ConversationChange {
  return {
    added: added.map((key) => personName(key, people)),
    removed: removed.map((key) => personName(key, people)),
    ...(name === undefined ? {} : { name }),
    ...(timer === undefined ? {} : { timerMs: timer })
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
