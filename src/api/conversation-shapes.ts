// Conversations of several as JSON: always all fields, null where there is nothing.
import type { Conversation, ConversationChange, MessageRecipient, PersonName } from '../node/comrade.ts'
import { type WarningShape, warningShape } from './shapes.ts'

export interface PersonShape {
  did: string
  name: string
  warnings: WarningShape[]
}

export interface RecipientShape extends PersonShape {
  state: MessageRecipient['state']
}

export interface ConversationShape {
  id: string
  name: string
  members: (PersonShape & { isReached: boolean })[]
  isMember: boolean
  timerMs: number | null
}

export interface ConversationChangeShape {
  added: PersonShape[]
  removed: PersonShape[]
  name: string | null
  timerMs: number | null
}

export function conversationShape({ id, name, members, isMember, timerMs }: Conversation): ConversationShape {
  const people = members.map(({ isReached, ...person }) => ({ ...personShape(person), isReached }))
  return { id, name, members: people, isMember, timerMs: timerMs ?? null }
}

export function changeShape({ added, removed, name, timerMs }: ConversationChange): ConversationChangeShape {
  return {
    added: added.map(personShape),
    removed: removed.map(personShape),
    name: name ?? null,
    timerMs: timerMs ?? null
  }
}

export function recipientShape({ state, ...person }: MessageRecipient): RecipientShape {
  return { ...personShape(person), state }
}

function personShape({ did, name, warnings }: PersonName): PersonShape {
  return { did, name, warnings: warnings.map(warningShape) }
}
