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
  manyAuthors: 5_000,
  appends: 2_000,
  live: 500,
  liveGapMs: 20
}
/** Enough to see that everything runs. */
export const QUICK: Sizes = {
  entries: 5_000,
  authors: 100,
  entriesEach: 10,
  manyAuthors: 250,
  appends: 200,
  live: 50,
  liveGapMs: 20
}

const AT_1000 = 'is measured with 1,000 authors, above'
const NOT_MEASURED = 'is not measured as a stranger'

export function scenarios(sizes: Sizes): Scenario[] {
  const { entries, authors, entriesEach, manyAuthors, appends, live: liveCount, liveGapMs } = sizes
  const manyFeeds = `${(manyAuthors * 2).toLocaleString('en')} feeds (of ${manyAuthors.toLocaleString('en')} people)`
  return [
    catchUp(entries),
    catchUpPlain(entries),
    catchUpMany(authors, entriesEach),
    live(liveCount, liveGapMs),
    append(appends),
    reconnect({ authors: 1, entriesEach, label: '1 author', known: true, goals: { same: '≤ 200' } }),
    reconnect({
      authors,
      entriesEach,
      label: `${authors.toLocaleString('en')} authors`,
      known: true,
      goals: { same: '≤ 200' }
    }),
    reconnect({
      authors: manyAuthors,
      entriesEach: 1,
      label: manyFeeds,
      known: true,
      goals: { same: '≤ 200', changedMs: '≤ 60', changed: '≤ 6,144' },
      without: { hypercore: AT_1000, 'ssb-db2': AT_1000 }
    }),
    reconnect({
      authors: manyAuthors,
      entriesEach: 1,
      label: manyFeeds,
      known: false,
      goals: { same: '≤ 1,024', changed: '≤ 20,480' },
      without: { hypercore: NOT_MEASURED, 'ssb-db2': NOT_MEASURED }
    }),
    startup(entries)
  ]
}
