// comrade conversation: begins conversations of several people, and changes what is agreed in one.
import type { ConversationShape } from '../../api/conversation-shapes.ts'
import type { MessageShape } from '../../api/message-shapes.ts'
import { type Action, findAction, listActions } from '../action.ts'
import { conversationHandle, conversationLine, conversationLines } from '../conversation-lines.ts'
import { shellWord } from '../group-lines.ts'
import { messageLines } from '../message-lines.ts'
import { parseDuration } from '../quantity.ts'
import type { Context, Verb } from '../verb.ts'

type Given = readonly string[]

const ACTIONS: Readonly<Record<string, Action<object>>> = {
  create: { takes: '<name> <who...>', summary: 'begin a conversation with people whom you follow', run: create },
  list: { summary: 'list your conversations of several', run: list },
  show: { takes: '<conversation>', summary: 'show who belongs to it, and whom you reach', run: show },
  add: { takes: '<conversation> <who>', summary: 'add somebody, who gets what is written from then on', run: add },
  remove: { takes: '<conversation> <who>', summary: 'somebody gets nothing from then on', run: remove },
  rename: { takes: '<conversation> <name>', summary: 'call it otherwise, for all', run: rename },
  leave: { takes: '<conversation>', summary: 'belong to it no longer', run: leave },
  timer: {
    takes: '<whom> <duration>',
    summary: 'erase what is written from now on after this time, at all ends; off: not any more',
    run: timer
  }
}

export const verb: Verb = {
  arguments: [
    ['<action>', 'what to do: see the actions below'],
    ['[given...]', 'a conversation: +name, + and the beginning of its id, or its id; then what the action takes']
  ],
  actions: listActions(ACTIONS),
  examples: [
    'comrade conversation create weekend alice bob',
    "comrade message +weekend 'who brings bread?'",
    'comrade messages +weekend --follow',
    'comrade conversation add +weekend carol',
    'comrade conversation timer alice 7d'
  ],
  async run(context, [name, ...given], options) {
    await findAction('conversation', ACTIONS, name, given).run(context, given, options)
  }
}

async function create({ client, output, signal }: Context, [name, ...people]: Given): Promise<void> {
  const made = await client.post<ConversationShape>('conversation/create', { name, people }, { signal })
  output.result(made, () => conversationLines(made))
  output.next(`comrade message ${shellWord(conversationHandle(made))} 'hello'`)
}

async function list({ client, output, signal }: Context): Promise<void> {
  const all = await client.get<ConversationShape[]>('conversation/list', {}, { signal })
  for (const each of all) output.result(each, () => [conversationLine(each)])
  if (all.length > 0) return
  output.talk('no conversation of several yet')
  output.next('comrade conversation create <name> <who>...')
}

async function show({ client, output, signal }: Context, [which]: Given): Promise<void> {
  const shown = await client.get<ConversationShape>('conversation/show', { which }, { signal })
  output.result(shown, () => conversationLines(shown))
}

async function change({ client, output, signal }: Context, action: string, body: object): Promise<void> {
  const changed = await client.post<ConversationShape>(`conversation/${action}`, body, { signal })
  output.result(changed, () => conversationLines(changed))
}

async function add(context: Context, [which, who]: Given): Promise<void> {
  await change(context, 'add', { which, who })
}

async function remove(context: Context, [which, who]: Given): Promise<void> {
  await change(context, 'remove', { which, who })
}

async function rename(context: Context, [which, name]: Given): Promise<void> {
  await change(context, 'rename', { which, name })
}

async function leave(context: Context, [which]: Given): Promise<void> {
  await change(context, 'leave', { which })
}

async function timer({ client, output, signal }: Context, [whom, duration]: Given): Promise<void> {
  const timerMs = duration === 'off' ? undefined : parseDuration(duration)
  const message = await client.post<MessageShape>('conversation/timer', { whom, timerMs }, { signal })
  output.result(message, () => messageLines(message))
}
