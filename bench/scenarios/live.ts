// Two connected peers: what one appends, the other can read a moment later.
import { PeerProcess } from '../process.ts'
import type { Scenario } from '../scenario.ts'
import { percentile } from '../statistics.ts'

export function live(count: number, gapMs: number): Scenario {
  return {
    name: 'live',
    rows: [
      {
        key: 'p50',
        what: `live, ${count} entries ${gapMs} ms apart: appended here to readable there, p50`,
        unit: 'ms',
        better: 'less',
        goal: '≤ 2.5'
      },
      { key: 'p99', what: 'the same, p99', unit: 'ms', better: 'less', goal: '≤ 10' },
      { key: 'ack', what: 'appended to acknowledged here, p50', unit: 'ms', better: 'less' }
    ],
    run: async (contender, workshop) => {
      const directories = [await workshop.directory(contender), await workshop.directory(contender)]
      try {
        await using author = await PeerProcess.start(contender, directories[0])
        await using reader = await PeerProcess.start(contender, directories[1])
        const feed = await author.call('own')
        await author.call('follow', [feed])
        await reader.call('follow', [feed])
        await author.call('append', 1, 1, 1)
        await reader.call('sync', { address: await author.call('listen'), entries: 1, untilQuiet: true })
        await reader.call('watch', feed, 2, count)
        const { handed, acknowledged } = await author.call('appendSpaced', 2, count, gapMs)
        const readable = await reader.call('watched')
        const latencies = readable.map((time, index) => time - handed[index])
        const acks = acknowledged.map((time, index) => time - handed[index])
        return {
          p50: percentile(latencies, 0.5),
          p99: percentile(latencies, 0.99),
          ack: percentile(acks, 0.5)
        }
      } finally {
        for (const directory of directories) await workshop.remove(directory)
      }
    }
  }
}
