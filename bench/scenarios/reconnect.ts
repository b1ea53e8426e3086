// Two peers that hold the same feeds meet again: with nothing new, or with one new entry in some of the feeds.
import type { Contender } from '../contender.ts'
import type { Timed } from '../child.ts'
import { PeerProcess } from '../process.ts'
import type { Row, Scenario } from '../scenario.ts'
import { serve, syncOnce, type Pair, type Stock, type Workshop } from '../workshop.ts'

const CHANGED = 10

export interface ReconnectOptions {
  authors: number
  entriesEach: number
  /** Whether the two have met before. */
  known: boolean
  goals: { same: string; changedMs?: string; changed?: string }
  without?: Scenario['without']
}

export function reconnect({ authors, entriesEach, known, goals, without }: ReconnectOptions): Scenario {
  const label = `${authors.toLocaleString('en')} feed${authors === 1 ? '' : 's'}, ${known ? 'known' : 'unknown'} peer`
  const rows: Row[] = [
    { key: 'same', what: `reconnect, nothing new, ${label}: all on the wire`, unit: 'B', better: 'less' },
    { key: 'sameSync', what: 'of it the sync stream', unit: 'B', better: 'less', goal: goals.same }
  ]
  if (authors >= CHANGED) {
    rows.push(
      {
        key: 'changedMs',
        what: `${CHANGED} of ${label}, with one new entry: until readable`,
        unit: 'ms',
        better: 'less',
        goal: goals.changedMs
      },
      { key: 'changed', what: 'all on the wire', unit: 'B', better: 'less' },
      { key: 'changedSync', what: 'of it the sync stream', unit: 'B', better: 'less', goal: goals.changed }
    )
  }
  const use = known ? 'known' : 'unknown'
  return {
    name: `reconnect-${authors}-${use}`,
    rows,
    without,
    prepare: (contender, workshop) => workshop.pair(contender, authors, entriesEach, use),
    run: async (contender, workshop) => {
      const pair = await workshop.pair(contender, authors, entriesEach, use)
      const same = await meet(contender, workshop, pair, known)
      if (authors < CHANGED) return { same: same.wireBytes, sameSync: same.syncBytes }
      await writeNews(contender, pair)
      const changed = await meet(contender, workshop, pair, known)
      if (known) await syncOnce(contender, pair, pair.receiver) // so that the next run starts as this one did
      return {
        same: same.wireBytes,
        sameSync: same.syncBytes,
        changedMs: changed.ms,
        changed: changed.wireBytes,
        changedSync: changed.syncBytes
      }
    }
  }
}

/** The receiver meets the pair's other store; or, as a stranger, a new one that holds the same. */
async function meet(contender: Contender, workshop: Workshop, pair: Pair, known: boolean): Promise<Timed> {
  if (known) return connect(contender, pair, pair.receiver)
  const directory = await workshop.directory(contender)
  try {
    await syncOnce(contender, pair, directory)
    return await connect(contender, { ...pair, directory }, pair.receiver)
  } finally {
    await workshop.remove(directory)
  }
}

async function connect(contender: Contender, stock: Stock, receiver: string): Promise<Timed> {
  const { server, address } = await serve(contender, stock)
  await using _ = server
  await using peer = await PeerProcess.start(contender, receiver)
  await peer.call('follow', stock.feeds)
  const timed = await peer.call('sync', { address, entries: stock.entries, untilQuiet: true })
  await peer.close()
  await server.close()
  return timed
}

/** One new post by each of the first authors. */
async function writeNews(contender: Contender, pair: Pair): Promise<void> {
  await using peer = await PeerProcess.start(contender, pair.directory)
  await peer.call('write', 1, CHANGED, ++pair.entriesEach, 1)
  await peer.close()
  pair.entries += CHANGED
}
