// Comrade's own command line on a store with many entries: how soon it is ready, what it holds when idle, how it stops.
import { setTimeout as sleep } from 'node:timers/promises'
import { finish, LAUNCHER, readyLine, residentBytes, shortStart, startNode, stopNode } from '../command.ts'
import type { Scenario } from '../scenario.ts'

/** When memory is read: garbage of the start is gone by then. */
const IDLE_MS = 10_000
const MIB = 2 ** 20

export function startup(entries: number): Scenario {
  return {
    name: 'startup',
    rows: [
      {
        key: 'ready',
        what: `\`up\` to the ready line, ${entries.toLocaleString('en')} entries in store`,
        unit: 'ms',
        better: 'less',
        goal: '≤ 1,000'
      },
      { key: 'idle', what: `resident ${IDLE_MS / 1_000} s later, idle`, unit: 'MiB', better: 'less', goal: '≤ 100' },
      { key: 'status', what: '`status`, over the start of bare Node.js', unit: 'ms', better: 'less', goal: '≤ 150' },
      { key: 'stop', what: 'SIGTERM to the end of the process', unit: 'ms', better: 'less', goal: '≤ 3,000' }
    ],
    without: { hypercore: 'is a library', 'ssb-db2': 'is a library' },
    prepare: async (contender, workshop) => {
      await finish(LAUNCHER, ['--version']) // bundles the sources when they have changed
      await workshop.own(contender, entries)
    },
    run: async (contender, workshop) => {
      const { directory } = await workshop.own(contender, entries)
      const start = performance.now()
      const node = startNode(directory)
      try {
        await readyLine(node)
        const ready = performance.now() - start
        await sleep(IDLE_MS)
        const idle = residentBytes(node.pid!) / MIB
        const status =
          (await shortStart(LAUNCHER, ['status', '--home', directory])) -
          (await shortStart(process.execPath, ['-e', '0']))
        return { ready, idle, status, stop: await stopNode(node) }
      } finally {
        node.kill('SIGKILL')
      }
    }
  }
}
