// comrade messages: reads private messages, newest first, and goes on with --follow; or erases one.
import type { Client } from '../../api/client.ts'
import type { ConversationShape } from '../../api/conversation-shapes.ts'
import type { MessageShape } from '../../api/message-shapes.ts'
import type { ProfileShape } from '../../api/shapes.ts'
import { NodeError } from '../../node/comrade.ts'
import { fetchFiles, saveFiles } from '../fetching.ts'
import { shellWord } from '../group-lines.ts'
import { messageLines } from '../message-lines.ts'
import { Reading } from '../reading.ts'
import { formatSize, parseCount } from '../quantity.ts'
import type { Context, Verb } from '../verb.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 10_000

interface Options {
  limit?: number
  follow?: boolean
}

export const verb: Verb<Options> = {
  arguments: [
    ['[who]', 'with whom: a petname, a did, a name that only one person claims, or +name; else all; or an action'],
    ['[id]', 'for an action: the message'],
    ['[path]', 'for save: a file that is not there yet, or a directory']
  ],
  actions: [
    ['save <id> [path]', 'write the file that belongs to a message, here or at this path'],
    ['erase <id>', 'erase a message here; one of yours also where it has come to'],
    ['read <id>', 'note that you have read it; what is shown in words is noted by itself']
  ],
  options: [
    {
      flags: '--limit <n>',
      description: `how many at most (default ${DEFAULT_LIMIT})`,
      parse: (text) => parseCount(text, 1, MAX_LIMIT)
    },
    { flags: '--follow', description: 'go on with what comes, and how far yours have come, until interrupted' }
  ],
  examples: [
    'comrade messages',
    'comrade messages alice --follow',
    'comrade messages save 5f1c…',
    'comrade messages erase 5f1c…'
  ],
  async run(context, [who, id, path], options) {
    if (who === 'save') return save(context, id, path)
    if (path !== undefined) throw new NodeError('BAD_INPUT', 'comrade messages takes a path only after save and an id')
    if (who === 'erase') return erase(context, id)
    if (who === 'read') return read(context, id)
    if (id !== undefined) throw new NodeError('BAD_INPUT', 'comrade messages takes one person, not 2 words')
    await list(context, who, options)
  }
}

async function list(
  { client, output, signal }: Context,
  who: string | undefined,
  { limit = DEFAULT_LIMIT, follow }: Options
): Promise<void> {
  const shown = new Set<string>()
  // A program that asks for JSON is not somebody who reads.
  const reading = output.json ? undefined : await readingOf(client, signal)
  const names = output.json ? new Map<string, string>() : await namesOf(client, signal)
  for await (const message of client.lines<MessageShape>('messages', { who, limit, follow }, { signal })) {
    const isKnown = shown.has(message.id) && message.type !== 'erased'
    output.result(message, () => (isKnown ? (reading?.changeLines(message) ?? []) : messageLines(message, names)))
    shown.add(message.id)
    reading?.note(message)
  }
  await reading?.done()
  if (shown.size > 0) return
  output.talk('nothing here yet')
  output.next(`comrade message ${who === undefined ? '<who>' : shellWord(who)} 'hello'`)
}

async function readingOf(client: Client, signal: AbortSignal): Promise<Reading> {
  const { did } = await client.get<ProfileShape>('id', {}, { signal })
  return new Reading(client, did)
}

/** Of conversations of several. */
async function namesOf(client: Client, signal: AbortSignal): Promise<Map<string, string>> {
  const all = await client.get<ConversationShape[]>('conversation/list', {}, { signal })
  return new Map(all.filter(({ name }) => name !== '').map(({ id, name }) => [id, name]))
}

async function read({ client, output, signal }: Context, id: string | undefined): Promise<void> {
  if (id === undefined) throw new NodeError('BAD_INPUT', 'comrade messages read takes the id of a message')
  const [message] = await client.post<MessageShape[]>('messages/read', { ids: [id] }, { signal })
  output.result(message, () => `${message.state}  ${message.id}`)
}

async function save(context: Context, id: string | undefined, path: string | undefined): Promise<void> {
  if (id === undefined) throw new NodeError('BAD_INPUT', 'comrade messages save takes the id of a message')
  await fetchFiles(context, 'messages/attachment', id)
  const saved = await saveFiles<{ id: string; file: string; bytes: number }>(context, 'messages/save', id, path)
  context.output.result(saved, () => `${saved.file}  ${formatSize(saved.bytes)}`)
}

async function erase({ client, output, signal }: Context, id: string | undefined): Promise<void> {
  if (id === undefined) throw new NodeError('BAD_INPUT', 'comrade messages erase takes the id of a message')
  const erased = await client.post<{ id: string; erased: true }>('messages/erase', { id }, { signal })
  output.result(erased, () => 'erased')
  output.talk('Devices that have it and obey erase it when they hear of it. Nobody can promise that no copy is left.')
}
