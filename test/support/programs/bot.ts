// A bot on a home of its own: starts a node, publishes many posts in one call, and leaves when told to.
import { createNode } from '../../../src/index.ts'

interface Argument {
  home: string
  listen: string
  count: number
}

const { home, listen, count } = JSON.parse(process.argv[2]) as Argument
const node = await createNode({ home, listen: [listen], mdns: false, reserve: 0 })
await node.start()
const published = await node.feeds.publishAll(
  Array.from({ length: count }, (_, i) => ({ type: 'post', text: `bot ${i + 1}` }))
)
process.stdout.write(
  `${JSON.stringify({ event: 'published', first: published[0].seq, last: published.at(-1)!.seq })}\n`
)
process.once('SIGTERM', () => void node.stop().then(() => process.exit(0)))
