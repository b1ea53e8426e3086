// All scenarios, in the table's order, and the sizes they are run at.
import type { Scenario } from '../scenario.ts'
import type { Sizes } from '../workshop.ts'
import { append } from './append.ts'
import { catchUp, catchUpMany, catchUpPlain } from './catch-up.ts'
import { live } from './live.ts'
import { reconnect } from './reconnect.ts'
import { startup } from './startup.ts'

export const FULL: Sizes = {
  entries: 100_000,
  authors: 1_000,
  entriesEach: 10,
  manyAuthors: 10_000,
  appends: 2_000,
  live: 500,
  liveGapMs: 20
}
/** Enough to see that everything runs. */
export const QUICK: Sizes = {
  entries: 5_000,
  authors: 100,
  entriesEach: 10,
  manyAuthors: 500,
  appends: 200,
  live: 50,
  liveGapMs: 20
}

const PEERS_AT_1000 = 'measured with fewer feeds, above'

export function scenarios(sizes: Sizes): Scenario[] {
  const { entries, authors, entriesEach, manyAuthors, appends, live: liveCount, liveGapMs } = sizes
  const many = { hypercore: PEERS_AT_1000, 'ssb-db2': PEERS_AT_1000 }
  const stranger = { hypercore: 'makes no difference between known and unknown peers' }
  return [
    catchUp(entries),
    catchUpPlain(entries),
    catchUpMany(authors, entriesEach),
    live(liveCount, liveGapMs),
    append(appends),
    reconnect({ authors: 1, entriesEach, known: true, goals: { same: '≤ 200' } }),
    reconnect({ authors, entriesEach, known: true, goals: { same: '≤ 200' } }),
    reconnect({ authors, entriesEach, known: false, goals: { same: '≤ 1,024' }, without: stranger }),
    reconnect({
      authors: manyAuthors,
      entriesEach: 1,
      known: true,
      goals: { same: '≤ 200', changedMs: '≤ 60', changed: '≤ 6,144' },
      without: many
    }),
    reconnect({
      authors: manyAuthors,
      entriesEach: 1,
      known: false,
      goals: { same: '≤ 1,024', changed: '≤ 20,480' },
      without: many
    }),
    startup(entries)
  ]
}
