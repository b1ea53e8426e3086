// Whoever hosts mailboxes, in a process of its own, for host.ts: everybody who is connected is a friend.
import { join } from 'node:path'
import { FeedStore } from '../../src/feeds/index.ts'
import { MailboxQueues } from '../../src/messages/index.ts'
import { MailboxService } from '../../src/node/messages/mailbox-service.ts'
import { addressOf, startTcpNode } from '../../test/support/network.ts'

const SAMPLE_MS = 10

const store = FeedStore.open(join(process.argv[2], 'feeds.sqlite'))
const queues = new MailboxQueues(store)
const network = await startTcpNode({ isWanted: () => true })
const service = new MailboxService({
  libp2p: network.libp2p,
  queues,
  isHosting: () => true,
  friendOf: (peerId) => peerId.toString(),
  onFault: fail,
  onError: fail,
  requestsPerMinute: Infinity
})
await service.start()
let peak = 0
setInterval(sample, SAMPLE_MS).unref()

const calls = {
  connections: () => network.libp2p.getConnections().length,
  cells: () => queues.size.cells,
  /** Resident bytes, now and the most since this was asked for last. */
  memory: () => {
    sample()
    const most = peak
    peak = 0
    return { now: process.memoryUsage().rss, most }
  },
  /** Of the database, without what was never written to. */
  disk: () => {
    queues.flush()
    const [{ pages, free, size }] = store.all(
      `SELECT page_count AS pages, freelist_count AS free, page_size AS size
       FROM pragma_page_count, pragma_freelist_count, pragma_page_size`
    ) as Record<string, number>[]
    return (pages - free) * size
  }
}

export type HosterCalls = typeof calls

process.on('message', (name: keyof HosterCalls) => process.send!(calls[name]()))
process.once('disconnect', () => process.exit())
process.send!(addressOf(network))

function sample(): void {
  peak = Math.max(peak, process.memoryUsage().rss)
}

function fail(...args: unknown[]): void {
  throw new Error(`hosting failed: ${args.map(String).join(' ')}`)
}
