// The two groups of the demo: who founds them, who is vouched in by whom, and what is still open when a newcomer looks.
import type { PersonId } from './people.ts'

export interface GroupPlan {
  name: string
  founder: PersonId
  /** In the order in which they come, each with as many vouches as it takes then. */
  members: readonly { id: PersonId; vouchedBy: readonly PersonId[] }[]
  /** Who asks and has not enough vouches yet. */
  candidate?: { id: PersonId; vouchedBy: readonly PersonId[] }
  /** A motion to change how many vouches it takes. */
  motion?: { by: PersonId; rule: string }
}

export const GROUPS: readonly GroupPlan[] = [
  {
    name: 'orchard',
    founder: 'ada',
    members: [
      { id: 'ben', vouchedBy: ['ada'] },
      { id: 'chiara', vouchedBy: ['ben'] },
      { id: 'devon', vouchedBy: ['chiara'] },
      { id: 'emre', vouchedBy: ['ada', 'devon'] }
    ],
    candidate: { id: 'fatima', vouchedBy: ['ben'] }
  },
  {
    name: 'choir',
    founder: 'chiara',
    members: [
      { id: 'emre', vouchedBy: ['chiara'] },
      { id: 'fatima', vouchedBy: ['emre'] }
    ],
    motion: { by: 'fatima', rule: 'log2' }
  }
]
