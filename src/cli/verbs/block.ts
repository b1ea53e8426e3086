// comrade block: somebody is neither fetched, shown nor served.
import { relationVerb } from '../relation.ts'

export const verb = relationVerb('block', (did) => [`comrade unblock ${did}    (to take it back)`])
