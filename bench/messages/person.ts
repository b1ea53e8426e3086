// A person with a node in a process of its own: does what it is told by messages, and notes when what came was shown.
// Times are ms of the machine's one monotonic clock, the same in all processes.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createNode, type Message } from '../../src/index.ts'

const [, , home] = process.argv
/** The histogram counts the whole time between two ticks of its timer: this much of it is no delay. */
const TICK_MS = 1

const node = await createNode({ home, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, directory: false })
const shown = new Map<string, number>()
const delivered = new Map<string, number>()
const mailed = new Map<string, number>()
node.addEventListener('message', ({ detail }) => note(detail))
const loop = monitorEventLoopDelay({ resolution: TICK_MS })
await node.start()
const readyMs = now()

const calls = {
  follow: async (did: string) => void (await node.contacts.follow(did)),
  connect: async (address: string) => node.connect(address),
  isFriend: async (did: string) => (await node.contacts.find(did)).relation === 'friend',
  isConnected: async (peer: string) => node.libp2p.getPeers().some((each) => each.toString() === peer),
  /** Sends texts, so many at a time, each time after a pause. */
  send: async ({
    to,
    count,
    together,
    pauseMs = 0
  }: {
    to: string
    count: number
    together: number
    pauseMs?: number
  }) => {
    const sent: Sent[] = []
    while (sent.length < count) {
      const begin = async (_: unknown, i: number): Promise<Sent> => {
        const startMs = now()
        const { id } = await node.messages.send(to, { text: `Message ${sent.length + i}: the pump is back.` })
        return { id, startMs }
      }
      sent.push(...(await Promise.all(Array.from({ length: Math.min(together, count - sent.length) }, begin))))
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
    return sent
  },
  /** How many are here, by what happened to them. */
  counts: async () => ({ shown: shown.size, delivered: delivered.size, mailed: mailed.size }),
  shown: async () => [...shown],
  delivered: async () => [...delivered],
  /** Forgets what was noted. */
  reset: async () => {
    for (const times of [shown, delivered, mailed]) times.clear()
  },
  /** From now on, how long others wait for the event loop is measured, until `delay`. */
  watch: async () => {
    loop.reset()
    loop.enable()
  },
  delay: async () => {
    loop.disable()
    return { p99: delayMs(loop.percentile(99)), max: delayMs(loop.max) }
  },
  memory: async () => process.memoryUsage().rss,
  stop: async () => {
    await node.stop()
    setImmediate(() => process.exit())
  }
}

export interface Sent {
  id: string
  startMs: number
}

export type PersonCalls = typeof calls
export type PersonCall = [name: keyof PersonCalls, argument?: unknown]
/** What a call gave, or why it did not. */
export interface PersonAnswer {
  result?: unknown
  error?: string
}
/** The first message of the process. */
export interface PersonReady {
  did: string
  peer: string
  address: string
  readyMs: number
}

process.on('message', ([name, argument]: PersonCall) => {
  const answer = (said: PersonAnswer): void => void process.send?.(said)
  ;(calls[name] as (argument: unknown) => Promise<unknown>)(argument).then(
    (result) => answer({ result }),
    (error: Error) => answer({ error: error.stack })
  )
})
process.once('disconnect', () => process.exit())
process.send!({ did: node.identity.did, peer: node.libp2p.peerId.toString(), address: node.addresses[0], readyMs })

function note({ id, from, state }: Message): void {
  if (from !== node.identity.did) first(shown, id)
  else if (state === 'delivered') first(delivered, id)
  else if (state === 'mailed') first(mailed, id)
}

function first(times: Map<string, number>, id: string): void {
  if (!times.has(id)) times.set(id, now())
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

function delayMs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - TICK_MS)
}
