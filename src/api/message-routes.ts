// The routes of `message` and `messages`.
import type { Hono } from 'hono'
import { type Comrade, type MessageListOptions, NodeError } from '../node/comrade.ts'
import { fileResponse, isDrawn } from './file-response.ts'
import { fileAt, uploadedFile } from './file-routes.ts'
import { ndjson } from './lines.ts'
import { progressLines } from './progress.ts'
import { messageShape } from './message-shapes.ts'
import { requests } from './requests.ts'
import { file, post, stream } from './route.ts'

export interface MessageRoutesOptions {
  /** Ends all streams when the API is closed. */
  closing: AbortSignal
  /** @throws NodeError NOT_OWN when the caller may not name files of this machine */
  onSocket: () => void
}

export function messageRoutes(app: Hono, { messages }: Comrade, { closing, onSocket }: MessageRoutesOptions): void {
  post(app, 'message', requests.message, async ({ who, attach, alt, plain, file, text, ...draft }) => {
    if (attach !== undefined) onSocket()
    if (attach !== undefined && file !== undefined)
      throw new NodeError('BAD_INPUT', 'one file goes with a message: attach, or file')
    const attachment = attach === undefined ? file && uploadedFile(file) : fileAt(attach, { alt, plain })
    if (attachment === undefined && text === undefined) throw new NodeError('BAD_INPUT', 'text is missing')
    return messageShape(await messages.send(who, { ...draft, text, attachment }))
  })
  post(app, 'messages/save', requests.saveMessage, ({ id, file }) => {
    onSocket()
    return messages.save(id, file)
  })
  file(app, 'messages/file', requests.oneMessage, ({ id }, c) =>
    fileResponse(
      (signal) => messages.attachment(id, { signal, isUnasked: isDrawn(c) }),
      AbortSignal.any([c.req.raw.signal, closing])
    )
  )
  stream(app, 'messages/attachment', requests.oneMessage, ({ id }) =>
    ndjson((gone) => {
      const signal = AbortSignal.any([gone, closing])
      return progressLines(id, (onProgress) => messages.attachment(id, { signal, onProgress }))
    })
  )
  post(app, 'messages/react', requests.reactToMessage, async ({ id, emoji }) =>
    messageShape(await messages.react(id, emoji))
  )
  post(app, 'messages/read', requests.readMessages, async ({ ids }) => (await messages.read(...ids)).map(messageShape))
  post(app, 'messages/erase', requests.oneMessage, ({ id }) => messages.erase(id))
  stream(app, 'messages', requests.messages, async ({ who, limit, follow }) => {
    // Found before the stream begins, so that an unknown name is a plain error.
    const found = who === undefined ? undefined : messages.find(who)
    return ndjson((gone) => list(messages, { with: found, limit, live: follow ?? false }, gone, closing))
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
