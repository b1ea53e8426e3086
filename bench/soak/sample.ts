// What a node holds at one moment: memory, objects, descriptors, files.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Status } from '../../src/node/comrade.ts'
import { homeAt } from '../../src/node/home.ts'
import { clientOf } from '../../test/browser/support.ts'
import type { NodeProcess } from '../../test/support/processes.ts'
import { residentBytes } from '../command.ts'
import { Inspector } from './inspector.ts'

/** Figures of one node. */
export interface Sample {
  /** Since the beginning. */
  minute: number
  residentBytes: number
  /** Of V8, after garbage was collected. */
  heapBytes: number
  /** What V8 knows of beside it. */
  externalBytes: number
  /** Objects that are alive. */
  timers: number
  statements: number
  signals: number
  promises: number
  /** Entries of all maps, and of all sets. */
  inMaps: number
  inSets: number
  descriptors: number
  /** Stored, of whomever. */
  entries: number
  databaseBytes: number
  logBytes: number
  networkBytes: number
  blobBytes: number
  /** Of the processor, since the process began. */
  processorSeconds: number
}

/** Takes a second of the node's time, for the most part to collect garbage. */
export async function takeSample(node: NodeProcess, minute: number): Promise<Sample> {
  const pid = node.child.pid!
  const resident = residentBytes(pid)
  using inspector = await Inspector.open(node)
  const { heapUsed, external } = await inspector.memory()
  const home = homeAt(node.home)
  return {
    minute,
    residentBytes: resident,
    heapBytes: heapUsed,
    externalBytes: external,
    timers: await inspector.count('timers'),
    statements: await inspector.count('statements'),
    signals: await inspector.count('signals'),
    promises: await inspector.count('promises'),
    inMaps: await inspector.entries('maps'),
    inSets: await inspector.entries('sets'),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    entries: (await clientOf(node).get<Status>('status')).entries,
    databaseBytes: sizeOf(home.store),
    logBytes: sizeOf(`${home.store}-wal`),
    networkBytes: sizeOf(home.network),
    blobBytes: sizeOf(home.blobs),
    processorSeconds: processorSeconds(pid)
  }
}

/** Clock ticks are hundredths of a second on every Linux. */
function processorSeconds(pid: number): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13)
  return (Number(user) + Number(system)) / 100
}

/** Bytes of a file, or of all files below a directory. */
function sizeOf(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return 0
  if (!stats.isDirectory()) return stats.size
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}
