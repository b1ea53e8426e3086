// A newcomer gets everything: the whole feed of one author, or short feeds of very many.
import { post } from '../posts.ts'
import { PeerProcess } from '../process.ts'
import type { Scenario } from '../scenario.ts'
import type { Contender } from '../contender.ts'
import { diskBytes, serve, type Stock, type Workshop } from '../workshop.ts'

const MIB = 2 ** 20
/** Places of the one author's feed that are read back after every run. */
const SAMPLES = 5

export function catchUp(entries: number): Scenario {
  const label = entries.toLocaleString('en')
  return {
    name: 'catch-up',
    rows: [
      {
        key: 'rate',
        what: `catch-up, ${label} entries of one author`,
        unit: 'entries/s',
        better: 'more',
        goal: '≥ 75,000, ≥ 10 × hypercore'
      },
      { key: 'wire', what: 'on the wire', unit: 'B/entry', better: 'less', goal: '≤ 240 (zstd)' },
      { key: 'peak', what: "receiver's peak memory", unit: 'MiB', better: 'less', goal: '≤ 170' },
      { key: 'delay', what: 'event loop delay, p99', unit: 'ms', better: 'less', goal: '≤ 50' },
      {
        key: 'disk',
        what: 'on disk at the receiver, without full-text index',
        unit: 'B/entry',
        better: 'less',
        goal: '≤ 410'
      },
      { key: 'diskFullText', what: 'with full-text index', unit: 'B/entry', better: 'less' }
    ],
    prepare: (contender, workshop) => workshop.own(contender, entries),
    run: async (contender, workshop) => {
      const stock = await workshop.own(contender, entries)
      const check = async (peer: PeerProcess): Promise<void> => {
        for (let sample = 0; sample < SAMPLES; sample++) {
          const seq = 1 + Math.floor((sample * (entries - 1)) / (SAMPLES - 1))
          const text = await peer.call('read', stock.feeds[0], seq)
          if (text !== post(0, seq)) throw new Error(`entry ${seq} came as '${text}'`)
        }
      }
      return receive(contender, workshop, stock, { check })
    }
  }
}

/** The bytes on the wire when nothing is compressed, for a contender that compresses. */
export function catchUpPlain(entries: number): Scenario {
  const others = 'compresses nothing: see catch-up'
  return {
    name: 'plain',
    rows: [{ key: 'wire', what: 'on the wire without compression', unit: 'B/entry', better: 'less', goal: '≤ 330' }],
    without: { hypercore: others, 'ssb-db2': others },
    run: async (contender, workshop) => {
      const stock = await workshop.own(contender, entries)
      await compress(contender, stock, false)
      try {
        const { wire } = await receive(contender, workshop, stock)
        return { wire }
      } finally {
        await compress(contender, stock, true)
      }
    }
  }
}

/** Opens and closes a store: some remove what they no longer need only when they are opened again. */
async function rest(contender: Contender, directory: string): Promise<void> {
  await using peer = await PeerProcess.start(contender, directory)
  await peer.close()
}

async function compress(contender: Contender, { directory }: Stock, isOn: boolean): Promise<void> {
  await using peer = await PeerProcess.start(contender, directory)
  await peer.call('compress', isOn)
  await peer.close()
}

export function catchUpMany(authors: number, each: number): Scenario {
  const label = `${authors.toLocaleString('en')} authors × ${each}`
  return {
    name: 'authors',
    rows: [
      { key: 'rate', what: `catch-up, ${label} entries`, unit: 'entries/s', better: 'more', goal: '≥ 20,000' },
      { key: 'wire', what: 'on the wire', unit: 'B/entry', better: 'less' }
    ],
    prepare: (contender, workshop) => workshop.relay(contender, authors, each),
    run: async (contender, workshop) =>
      receive(contender, workshop, await workshop.relay(contender, authors, each), { known: authors })
  }
}

async function receive(
  contender: Contender,
  workshop: Workshop,
  stock: Stock,
  { known, check }: { known?: number; check?: (peer: PeerProcess) => Promise<void> } = {}
) {
  const directory = await workshop.directory(contender)
  try {
    const { server, address } = await serve(contender, stock)
    await using _ = server
    await using peer = await PeerProcess.start(contender, directory)
    if (known !== undefined) await peer.call('know', known)
    await peer.call('follow', stock.feeds)
    const { ms, wireBytes, peakBytes, loopDelayP99Ms } = await peer.call('sync', { address, entries: stock.entries })
    await check?.(peer)
    const fullTextBytes = await peer.call('settle')
    await peer.close()
    await server.close()
    await rest(contender, directory)
    const stored = await diskBytes(directory)
    return {
      rate: stock.entries / (ms / 1_000),
      wire: wireBytes / stock.entries,
      peak: peakBytes / MIB,
      delay: loopDelayP99Ms,
      disk: (stored - (fullTextBytes ?? 0)) / stock.entries,
      diskFullText: fullTextBytes === undefined ? undefined : stored / stock.entries
    }
  } finally {
    await workshop.remove(directory)
  }
}
