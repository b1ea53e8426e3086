// Two peers that hold the same feeds meet again: with nothing new, or with one new entry in some of the feeds.
import type { Contender } from '../contender.ts'
import type { Timed } from '../child.ts'
import { PeerProcess } from '../process.ts'
import type { Row, Scenario } from '../scenario.ts'
import { serve, type Pair, type Workshop } from '../workshop.ts'

const CHANGED = 10

export interface ReconnectOptions {
  authors: number
  entriesEach: number
  /** How the feeds are called in the table. */
  label: string
  /** Whether the two remember each other from before. */
  known: boolean
  goals: { same: string; changedMs?: string; changed?: string }
  without?: Scenario['without']
}

export function reconnect(options: ReconnectOptions): Scenario {
  const { authors, entriesEach, known, without } = options
  const pairOf = (contender: Contender, workshop: Workshop): Promise<Pair> =>
    workshop.pair(contender, authors, entriesEach, known ? 'known' : 'unknown')
  return {
    name: `reconnect-${authors}-${known ? 'known' : 'unknown'}`,
    rows: rowsOf(options),
    without,
    prepare: pairOf,
    run: async (contender, workshop) => {
      const pair = await pairOf(contender, workshop)
      const same = await meet(contender, pair, known)
      if (authors < CHANGED) return { same: same.wireBytes, sameSync: same.syncBytes }
      await writeNews(contender, pair)
      const changed = await meet(contender, pair, known, pair.feeds.slice(0, CHANGED))
      if (known) await meet(contender, pair, known) // so that the next run starts as this one did
      return {
        same: same.wireBytes,
        sameSync: same.syncBytes,
        changedMs: changed.ms,
        connectMs: changed.connectMs,
        changed: changed.wireBytes,
        changedSync: changed.syncBytes
      }
    }
  }
}

function rowsOf({ authors, label, known, goals }: ReconnectOptions): Row[] {
  const who = `${label}, ${known ? 'known' : 'unknown'} peer`
  const rows: Row[] = [
    { key: 'same', what: `reconnect, nothing new, ${who}: all on the wire`, unit: 'B', better: 'less' },
    { key: 'sameSync', what: 'of it the sync stream', unit: 'B', better: 'less', goal: goals.same }
  ]
  if (authors < CHANGED) return rows
  return [
    ...rows,
    {
      key: 'changedMs',
      what: `${CHANGED} of ${who}, with one new entry: until readable`,
      unit: 'ms',
      better: 'less',
      goal: goals.changedMs
    },
    { key: 'connectMs', what: 'of it until connected and encrypted', unit: 'ms', better: 'less' },
    { key: 'changed', what: 'all on the wire', unit: 'B', better: 'less' },
    { key: 'changedSync', what: 'of it the sync stream', unit: 'B', better: 'less', goal: goals.changed }
  ]
}

/** The pair's two stores meet; waits for the entries of `awaited`, or for all. */
async function meet(contender: Contender, pair: Pair, known: boolean, awaited?: string[]): Promise<Timed> {
  if (!known) for (const directory of [pair.directory, pair.receiver]) await forget(contender, directory)
  const { server, address } = await serve(contender, pair)
  await using _ = server
  await using peer = await PeerProcess.start(contender, pair.receiver)
  await peer.call('follow', pair.feeds)
  const entries = awaited === undefined ? pair.entries : awaited.length * pair.entriesEach
  const timed = await peer.call('sync', { address, entries, awaited, untilQuiet: true })
  await peer.close()
  await server.close()
  return timed
}

async function forget(contender: Contender, directory: string): Promise<void> {
  await using peer = await PeerProcess.start(contender, directory)
  await peer.call('forget')
  await peer.close()
}

/** One new post by each of the first authors. */
async function writeNews(contender: Contender, pair: Pair): Promise<void> {
  await using peer = await PeerProcess.start(contender, pair.directory)
  await peer.call('write', 1, CHANGED, ++pair.entriesEach, 1)
  await peer.close()
  pair.entries += CHANGED
}
