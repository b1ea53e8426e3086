// Two bots that are never on at the same time talk through a third node, which keeps sealed cells for its friends and
// cannot read them. In a package: import … from 'comrade-node'.
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Comrade, createNode, type Message } from '../src/index.ts'

const signal = AbortSignal.timeout(50_000)
using directory = mkdtempDisposableSync(join(tmpdir(), 'comrade-'))
await using stack = new AsyncDisposableStack()

const host = await start('host')
let [asker, answerer] = [await start('asker'), await start('answerer')]
await meet(host, asker)
await meet(host, answerer)
await meet(asker, answerer)

// What happens by itself when friends' nodes meet: each bot gets a mailbox at the host, and tells the other where it is.
await Promise.all([mayPart(asker, answerer), mayPart(answerer, asker)])

await answerer.stop()
const question = await asker.messages.send(answerer.identity.did, { text: 'What is 6 × 7?' })
await has(asker, ({ id, state }) => id === question.id && state === 'mailed')
await asker.stop()

answerer = await start('answerer')
const { from, text = '' } = await has(answerer, ({ id }) => id === question.id)
const [, one, other] = /(\d+) × (\d+)/.exec(text)!
const answer = await answerer.messages.send(from, { text: `${Number(one) * Number(other)}`, reply: question.id })
await has(answerer, ({ id, state }) => id === answer.id && state === 'mailed')
await answerer.stop()

asker = await start('asker')
const heard = await has(asker, ({ reply }) => reply === question.id)
console.log(`${text}  ${heard.text}`)

async function start(name: string): Promise<Comrade> {
  const home = join(directory.path, name)
  const node = stack.use(await createNode({ home, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false }))
  await node.start()
  return node
}

async function meet(one: Comrade, other: Comrade): Promise<void> {
  const { link } = await one.contacts.invite()
  await other.contacts.meet(link)
}

/** Waits until one has a mailbox, and can write to the other without it. */
async function mayPart(one: Comrade, other: Comrade): Promise<void> {
  for (;;) {
    const { hosts, people } = await one.messages.mailboxes()
    if (hosts.length > 0 && people.includes(other.identity.did)) return
    await setTimeout(50, undefined, { signal })
  }
}

/** The first message that fits, now or later. */
async function has(node: Comrade, fits: (message: Message) => boolean): Promise<Message> {
  for await (const message of node.messages.list({ live: true, signal })) if (fits(message)) return message
  throw new Error('the node was stopped')
}
