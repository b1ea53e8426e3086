// One peer alone writes its own feed, without and with batches.
import { probeDisk } from '../machine.ts'
import { PeerProcess } from '../process.ts'
import type { Scenario } from '../scenario.ts'

const BATCH = 100

export function append(count: number): Scenario {
  return {
    name: 'append',
    rows: [
      {
        key: 'single',
        what: 'append one by one',
        unit: 'entries/s',
        better: 'more',
        goal: 'as many as the disk syncs'
      },
      { key: 'syncs', what: 'fdatasync/s of the disk, just before and after', unit: '1/s', better: 'more' },
      { key: 'batch', what: `append in batches of ${BATCH}`, unit: 'entries/s', better: 'more', goal: '≥ 50,000' }
    ],
    run: async (contender, workshop) => {
      const directory = await workshop.directory(contender)
      try {
        await using peer = await PeerProcess.start(contender, directory)
        const syncsBefore = probeDisk(directory)
        const singleMs = await peer.call('append', 1, count, 1)
        const syncs = (syncsBefore + probeDisk(directory)) / 2
        const batched = count * 10
        const batchMs = await peer.call('append', count + 1, batched, BATCH)
        await peer.close()
        return { single: count / (singleMs / 1_000), syncs, batch: batched / (batchMs / 1_000) }
      } finally {
        await workshop.remove(directory)
      }
    }
  }
}
