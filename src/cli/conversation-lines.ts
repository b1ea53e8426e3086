// How conversations of several look to a person. Names are made harmless by the output, line by line.
import type {
  ConversationChangeShape,
  ConversationShape,
  PersonShape,
  RecipientShape
} from '../api/conversation-shapes.ts'
import { bold, coloured, dim, type Line, type Segment } from './output.ts'
import { warningMark } from './paint.ts'
import { formatDuration } from './quantity.ts'

/** What to write on the command line for it. */
export function conversationHandle({ id, name }: Pick<ConversationShape, 'id' | 'name'>): string {
  return `+${name === '' ? id.slice(0, 8) : name}`
}

/** A conversation, in one line. */
export function conversationLine(conversation: ConversationShape): Line {
  const { id, members, isMember } = conversation
  return [
    bold(conversationHandle(conversation)),
    `  ${members.length} ${members.length === 1 ? 'person' : 'people'}`,
    isMember ? '' : '  you have left',
    dim(`  ${id}`)
  ]
}

/** A conversation with who belongs to it. */
export function conversationLines(conversation: ConversationShape): Line[] {
  const { members, timerMs } = conversation
  return [
    conversationLine(conversation),
    ...members.map(({ did, name, warnings, isReached }): Line => [
      ...['  ', bold(name), warningMark(warnings)],
      isReached ? '' : coloured('yellow', '  not reached: you do not follow them'),
      dim(`  ${did}`)
    ]),
    ...(timerMs === null ? [] : [[dim('erased   '), `after ${formatDuration(timerMs)}`]])
  ]
}

/** What has become different in a conversation. */
export function changeLines({ added, removed, name, timerMs }: ConversationChangeShape): Line[] {
  return [
    ...(added.length === 0 ? [] : [listed('added', added)]),
    ...(removed.length === 0 ? [] : [listed('removed', removed)]),
    ...(name === null ? [] : [[dim('  calls it '), name]]),
    ...(timerMs === null ? [] : [[dim('  messages '), timerMs === 0 ? 'stay' : `go after ${formatDuration(timerMs)}`]])
  ]
}

function listed(verb: string, people: readonly PersonShape[]): Line {
  return [dim(`  ${verb} `), people.map(({ name }) => name).join(', ')]
}

/** With whom a message is how far, where that is not the same for all. */
export function recipientLines(recipients: readonly RecipientShape[]): Line[] {
  if (new Set(recipients.map(({ state }) => state)).size < 2) return []
  return [recipients.map(({ name, state }, i): Segment => dim(`${i === 0 ? '  ' : ', '}${name} ${state}`))]
}
