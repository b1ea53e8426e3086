// A bot that answers posts in which a word occurs. It reads its feed live, replies, and reacts; a person asks it twice.
// Both nodes live in the memory of this process: no sockets. In a package: import … from 'comrade-node'.
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, memoryNetwork, type Comrade } from '../src/index.ts'

const WORD = /\bweather\b/i
const QUESTIONS = ['What will the weather be?', 'Who has a bike pump?', 'And the WEATHER tomorrow?']
const ANSWERS_EXPECTED = 2

using directory = mkdtempDisposableSync(join(tmpdir(), 'comrade-'))
const makeNode = (name: string): Promise<Comrade> =>
  createNode({ home: join(directory.path, name), libp2p: memoryNetwork() })

await using bot = await makeNode('bot')
await using person = await makeNode('person')
await Promise.all([bot.start(), person.start()])
await bot.profile({ name: 'Weather bot' })
await bot.contacts.follow(person.identity.did)
await person.contacts.follow(bot.identity.did)
await person.connect(bot.addresses[0])

/** Answers until `signal` aborts. An own post is never answered, or two bots would talk for ever. */
async function answer(signal: AbortSignal): Promise<void> {
  const answered = new Set<string>()
  for await (const post of bot.feeds.read({ live: true, types: ['post'], signal })) {
    if (post.author === bot.identity.did || !WORD.test(post.text ?? '') || answered.has(post.id)) continue
    answered.add(post.id)
    await bot.feeds.react(post.id, '👀')
    await bot.feeds.publish({ type: 'post', text: 'Sunny, with rain.', reply: post.id, root: post.root ?? post.id })
  }
}

const done = new AbortController()
const signal = AbortSignal.any([done.signal, AbortSignal.timeout(8_000)])
const answering = answer(signal).catch((error: unknown) => {
  if (!done.signal.aborted) throw error // a live read ends with the reason of its signal
})

for (const text of QUESTIONS) await person.feeds.publish({ type: 'post', text })
const answers = new Map<string, string>()
for await (const post of person.feeds.read({ live: true, types: ['post'], author: bot.identity.did, signal })) {
  const question = await person.feeds.get(post.reply!)
  answers.set(post.id, `"${question?.text}"  ${post.name}: ${post.text}`)
  if (answers.size === ANSWERS_EXPECTED) break
}
for (const line of answers.values()) console.log(line)
done.abort()
await answering
