// What a scenario is: rows of the table, and one run that fills them for one contender.
import type { Contender } from './contender.ts'
import type { Workshop } from './workshop.ts'

export interface Row {
  /** Key in the run's result. */
  key: string
  what: string
  unit: string
  better: 'more' | 'less'
  /** What Comrade is to reach, as text. */
  goal?: string
}

export interface Scenario {
  name: string
  rows: Row[]
  /** Contenders that cannot do it, and why. */
  without?: Partial<Record<Contender, string>>
  /** Makes what all runs share. */
  prepare?(contender: Contender, workshop: Workshop): Promise<unknown>
  /** One run; values by the rows' keys. A row whose value is missing stays empty. */
  run(contender: Contender, workshop: Workshop): Promise<Record<string, number | undefined>>
}
