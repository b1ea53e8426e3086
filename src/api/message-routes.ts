// The routes of `message` and `messages`.
import type { Hono } from 'hono'
import { type Comrade, type MessageListOptions, NodeError } from '../node/comrade.ts'
import { ndjson } from './lines.ts'
import { messageShape } from './message-shapes.ts'
import { parseRequest, requests } from './requests.ts'
import { post, query } from './route.ts'

/** @param closing ends all streams when the API is closed */
export function messageRoutes(app: Hono, { messages, contacts }: Comrade, closing: AbortSignal): void {
  post(app, 'message', requests.message, async ({ who, ...draft }) => messageShape(await messages.send(who, draft)))
  post(app, 'messages/react', requests.reactToMessage, async ({ id, emoji }) =>
    messageShape(await messages.react(id, emoji))
  )
  post(app, 'messages/read', requests.readMessages, async ({ ids }) => (await messages.read(...ids)).map(messageShape))
  post(app, 'messages/erase', requests.oneMessage, ({ id }) => messages.erase(id))
  app.get('/api/messages', async (c) => {
    const { who, limit, follow } = parseRequest(requests.messages, query(c))
    // Found before the stream begins, so that an unknown name is a plain error.
    const person = who === undefined ? undefined : (await contacts.find(who)).did
    return ndjson((gone) => list(messages, { with: person, limit, live: follow ?? false }, gone, closing))
  })
}

async function* list(
  messages: Comrade['messages'],
  options: MessageListOptions,
  gone: AbortSignal,
  closing: AbortSignal
): AsyncGenerator {
  const signal = AbortSignal.any([gone, closing])
  try {
    for await (const message of messages.list({ ...options, signal })) yield messageShape(message)
  } catch (error) {
    if (!signal.aborted) throw error
  }
  if (closing.aborted && options.live) throw new NodeError('NOT_RUNNING', 'the node has left')
}
