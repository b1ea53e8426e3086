// Posts one by one until it is killed, while it syncs; each post is told on stdout when it was acknowledged.
import { createNode } from '../../../src/index.ts'

export interface WriterArgument {
  home: string
  listen: string
  /** Addresses to stay connected with. @default none */
  peers?: string[]
  /** Dids to follow. @default none */
  follow?: string[]
  /** Pause between two posts. @default 0 */
  gapMs?: number
}

const { home, listen, peers = [], follow = [], gapMs = 0 } = JSON.parse(process.argv[2]) as WriterArgument

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const node = await createNode({ home, listen: [listen], peers, mdns: false, reserve: 0 })
node.addEventListener('warning', ({ detail }) => say({ event: 'warning', ...detail }))
node.addEventListener('entry', ({ detail: { feed, seq } }) => {
  if (feed !== node.identity.device) say({ event: 'heard', feed, seq })
})
for (const did of follow) await node.contacts.follow(did)
await node.start()
say({ event: 'ready', ...(await node.status()) })
let isLeaving = false
process.once('SIGTERM', () => (isLeaving = true))
for (let count = 1; !isLeaving; count++) {
  try {
    say({ event: 'stored', ...(await node.feeds.publish({ type: 'post', text: `post ${count}` })) })
  } catch (error) {
    say({ event: 'refused', code: (error as { code?: string }).code, message: (error as Error).message })
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await new Promise((resolve) => setTimeout(resolve, gapMs))
}
await node.stop()
process.exit(0)
