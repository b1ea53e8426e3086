// What tests of private messages have in common.
import type { Comrade, Message } from '../../../src/index.ts'
import { until } from '../../support/processes.ts'

/** Oldest first. */
export async function messagesAt(node: Comrade): Promise<Message[]> {
  return (await Array.fromAsync(node.messages.list({ limit: 10_000 }))).toReversed()
}

export async function textsAt(node: Comrade): Promise<(string | undefined)[]> {
  return (await messagesAt(node)).map(({ text }) => text)
}

/** Waits until a node shows all of these texts. */
export async function shows(node: Comrade, ...texts: string[]): Promise<void> {
  await until(
    async () => {
      const found = await textsAt(node)
      return texts.every((text) => found.includes(text))
    },
    `${texts.join(', ').slice(0, 200)} is shown`
  )
}

/** Waits until a message has come this far, as a node knows. */
export async function reaches(node: Comrade, id: string, state: Message['state']): Promise<void> {
  await until(
    async () => (await messagesAt(node)).some((each) => each.id === id && each.state === state),
    `the message is ${state}`
  )
}
