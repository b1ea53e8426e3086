// The routes of `conversation`.
import type { Hono } from 'hono'
import type { Comrade } from '../node/comrade.ts'
import { conversationShape } from './conversation-shapes.ts'
import { messageShape } from './message-shapes.ts'
import { requests } from './requests.ts'
import { get, post } from './route.ts'

export function conversationRoutes(app: Hono, { messages }: Comrade): void {
  get(app, 'conversation/list', requests.nothing, () => messages.conversations.list().map(conversationShape))
  get(app, 'conversation/show', requests.conversation, ({ which }) =>
    conversationShape(messages.conversations.get(which))
  )
  post(app, 'conversation/create', requests.newConversation, async (draft) =>
    conversationShape(await messages.conversations.create(draft))
  )
  post(app, 'conversation/add', requests.conversationPerson, async ({ which, who }) =>
    conversationShape(await messages.conversations.add(which, who))
  )
  post(app, 'conversation/remove', requests.conversationPerson, async ({ which, who }) =>
    conversationShape(await messages.conversations.remove(which, who))
  )
  post(app, 'conversation/rename', requests.conversationName, async ({ which, name }) =>
    conversationShape(await messages.conversations.rename(which, name))
  )
  post(app, 'conversation/leave', requests.conversation, async ({ which }) =>
    conversationShape(await messages.conversations.leave(which))
  )
  post(app, 'conversation/timer', requests.conversationTimer, async ({ whom, timerMs }) =>
    messageShape(await messages.conversations.setTimer(whom, timerMs))
  )
}
