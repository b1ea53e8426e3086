// How private messages look to a person. Names and texts are made harmless by the output, line by line.
import type { MessageShape } from '../api/message-shapes.ts'
import { changeLines, recipientLines } from './conversation-lines.ts'
import { fileLines } from './file-lines.ts'
import { bold, dim, type Line } from './output.ts'
import { warningMark } from './paint.ts'
import { formatAgo } from './quantity.ts'

/**
 * A message: a line with who, when, how far it has come and its id, then its text, indented.
 * @param names of conversations of several, by their ids
 */
export function messageLines(message: MessageShape, names: ReadonlyMap<string, string> = new Map()): Line[] {
  const { name, warnings, time, state, id, reply, isAfterGap, conversation, recipients } = message
  const where = conversation === null ? '' : ` in +${names.get(conversation) ?? conversation.slice(0, 8)}`
  return [
    ...(isAfterGap ? [[dim('(something that was written before this has not come)')]] : []),
    [bold(name), warningMark(warnings), dim(`${where}  ${formatAgo(time, Date.now())}  ${state}  ${id}`)],
    ...recipientLines(recipients),
    ...(reply === null ? [] : [[dim(`  in reply to ${reply}`)]]),
    ...textLines(message)
  ]
}

function textLines({ type, text, emoji, about, attachment, change }: MessageShape): Line[] {
  if (change !== null) return changeLines(change)
  if (attachment !== null) return [...said(text), ...fileLines(attachment)]
  if (text !== null) return said(text)
  if (emoji !== null) return [[`  ${emoji}`, dim(`  about ${about}`)]]
  return [[dim(type === 'erased' ? '  (erased)' : `  (${type})`)]]
}

function said(text: string | null): Line[] {
  return text === null ? [] : text.split(/\r?\n/).map((line) => [`  ${line}`])
}
