// Private messages as JSON: always all fields, null where there is nothing.
import type { Message } from '../node/comrade.ts'
import {
  changeShape,
  type ConversationChangeShape,
  recipientShape,
  type RecipientShape
} from './conversation-shapes.ts'
import { type FileShape, fileShape, type WarningShape, warningShape } from './shapes.ts'

export interface MessageShape {
  id: string
  from: string
  to: string
  name: string
  warnings: WarningShape[]
  time: string
  type: string
  text: string | null
  reply: string | null
  about: string | null
  emoji: string | null
  attachment: FileShape | null
  conversation: string | null
  change: ConversationChangeShape | null
  state: Message['state']
  recipients: RecipientShape[]
  expires: string | null
  isAfterGap: boolean
}

export function messageShape(message: Message): MessageShape {
  const {
    id,
    from,
    to,
    name,
    warnings,
    time,
    type,
    text,
    reply,
    about,
    emoji,
    attachment,
    conversation,
    change,
    state,
    recipients,
    expires,
    isAfterGap
  } = message
  return {
    ...{ id, from, to, name, warnings: warnings.map(warningShape), time, type },
    text: text ?? null,
    reply: reply ?? null,
    about: about ?? null,
    emoji: emoji ?? null,
    attachment: attachment === undefined ? null : fileShape(attachment),
    conversation: conversation ?? null,
    change: change === undefined ? null : changeShape(change),
    state,
    recipients: recipients?.map(recipientShape) ?? [],
    expires: expires ?? null,
    isAfterGap: isAfterGap ?? false
  }
}
