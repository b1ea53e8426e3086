// `npm run demo`: seven people, each with a node in a process of its own, on this machine alone; they know each other, write,
// and go on writing. One page for each. Enter gives new addresses, ^C ends it and leaves nothing behind.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type DemoNode, Nodes } from './demo/nodes.ts'
import { NAMES, SMALL_TALK, tell, write } from './demo/story.ts'

/** How often somebody says something, in ms. */
const TALK_MS = 15_000

const leaving = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => leaving.abort())

await using nodes = new Nodes()
try {
  await run()
} catch (error) {
  if (!leaving.signal.aborted) {
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}
console.log('ending the nodes…')

async function run(): Promise<void> {
  console.log(`starting ${NAMES.length} nodes in ${nodes.directory}`)
  const all = await Promise.all(NAMES.map((name) => unlessLeaving(nodes.start(name))))
  const people = new Map(NAMES.map((name, index) => [name, all[index]]))
  await unlessLeaving(tell(people, nodes.directory, (text) => console.log(`${text}…`)))
  await showPages(all)
  const talk = setInterval(() => void sayNext(), TALK_MS)
  let turn = 0
  const sayNext = async (): Promise<void> => {
    const said = SMALL_TALK[turn++ % SMALL_TALK.length]
    await write(people, nodes.directory, said).catch(() => {}) // a node may be leaving
  }
  const input = createInterface({ input: process.stdin })
  input.on('line', () => void showPages(all).catch(() => {}))
  if (!leaving.signal.aborted) await once(leaving.signal, 'abort')
  clearInterval(talk)
  input.close()
}

/** Rejects at the first signal, whatever is under way. */
function unlessLeaving<T>(work: Promise<T>): Promise<T> {
  const left = once(leaving.signal, 'abort').then(() => {
    throw new Error('interrupted')
  })
  return Promise.race([work, left])
}

/** Addresses are good once, and for a minute. */
async function showPages(all: readonly DemoNode[]): Promise<void> {
  const pages = await Promise.all(all.map(({ client }) => client.post<{ url: string }>('open')))
  console.log('\nA page for each of them: open one or more within a minute. Each address is good once.')
  for (const [index, { url }] of pages.entries()) console.log(`  ${all[index].name.padEnd(8)}${url}`)
  console.log('\nEnter: new addresses. ^C: ends everything, and leaves nothing behind.')
}
