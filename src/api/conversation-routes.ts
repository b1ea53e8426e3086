// The routes of `conversation`.
import type { Hono } from 'hono'
import type { Comrade } from '../node/comrade.ts'
import { conversationShape } from './conversation-shapes.ts'
import { messageShape } from './message-shapes.ts'
import { requests } from './requests.ts'
import { get, post } from './route.ts'

export function conversationRoutes(app: Hono, { messages: { conversations } }: Comrade): void {
  get(app, 'conversation/list', requests.nothing, () => conversations.list().map(conversationShape))
  get(app, 'conversation/show', requests.conversation, ({ which }) => conversationShape(conversations.get(which)))
  post(app, 'conversation/create', requests.newConversation, async (draft) =>
    conversationShape(await conversations.create(draft))
  )
  post(app, 'conversation/add', requests.conversationPerson, async ({ which, who }) =>
    conversationShape(await conversations.add(which, who))
  )
  post(app, 'conversation/remove', requests.conversationPerson, async ({ which, who }) =>
    conversationShape(await conversations.remove(which, who))
  )
  post(app, 'conversation/rename', requests.conversationName, async ({ which, name }) =>
    conversationShape(await conversations.rename(which, name))
  )
  post(app, 'conversation/leave', requests.conversation, async ({ which }) =>
    conversationShape(await conversations.leave(which))
  )
  post(app, 'conversation/timer', requests.conversationTimer, async ({ whom, timerMs }) =>
    messageShape(await conversations.setTimer(whom, timerMs))
  )
}
