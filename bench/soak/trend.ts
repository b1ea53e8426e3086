// What became of each figure from the first look to the last, at several nodes.
import type { Row } from '../groups/report.ts'
import { median } from '../statistics.ts'
import type { Sample } from './sample.ts'

const MIB = 2 ** 20
const MINUTES_PER_HOUR = 60

/** In the order of the table; a figure is divided by `size` to have the unit. */
const FIGURES: readonly { what: string; unit: string; of: keyof Sample; size?: number }[] = [
  { what: 'resident memory', unit: 'MiB', of: 'residentBytes', size: MIB },
  { what: 'of it the heap, after garbage was collected', unit: 'MiB', of: 'heapBytes', size: MIB },
  { what: 'of it buffers and the like', unit: 'MiB', of: 'externalBytes', size: MIB },
  { what: 'entries in all maps', unit: '', of: 'inMaps' },
  { what: 'entries in all sets', unit: '', of: 'inSets' },
  { what: 'prepared statements', unit: '', of: 'statements' },
  { what: 'timers', unit: '', of: 'timers' },
  { what: 'signals to abort', unit: '', of: 'signals' },
  { what: 'promises', unit: '', of: 'promises' },
  { what: 'open descriptors', unit: '', of: 'descriptors' },
  { what: '`feeds.sqlite-wal`', unit: 'MiB', of: 'logBytes', size: MIB },
  { what: '`network/`', unit: 'MiB', of: 'networkBytes', size: MIB },
  { what: 'what is meant to grow: entries', unit: '', of: 'entries' },
  { what: '`feeds.sqlite`', unit: 'MiB', of: 'databaseBytes', size: MIB },
  { what: '`blobs/`', unit: 'MiB', of: 'blobBytes', size: MIB }
]

export const TREND_COLUMNS = ['at first', 'at last', 'more an hour']

/**
 * A row a figure: medians of the nodes at the first and the last look, and how much the one that grows most grows in an hour, by
 * the line that fits all looks best.
 */
export function trendsOf(nodes: readonly (readonly Sample[])[]): Row[] {
  return FIGURES.map(({ what, unit, of, size = 1 }) => {
    const values = nodes.map((samples) => samples.map((sample) => sample[of] / size))
    const slopes = nodes.map((samples, i) => slopeOf(samples, values[i]))
    const growth = Math.max(...slopes) * MINUTES_PER_HOUR
    return {
      what,
      unit,
      values: [median(values.map(([first]) => first)), median(values.map((all) => all.at(-1)!)), growth]
    }
  })
}

/** Least squares, a minute. */
function slopeOf(samples: readonly Sample[], values: readonly number[]): number {
  const middle = mean(samples.map(({ minute }) => minute))
  const level = mean(values)
  const over = samples.map(({ minute }, i) => (minute - middle) * (values[i] - level))
  return mean(over) / mean(samples.map(({ minute }) => (minute - middle) ** 2))
}

function mean(list: readonly number[]): number {
  return list.reduce((sum, value) => sum + value, 0) / list.length
}
