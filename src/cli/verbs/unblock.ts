// comrade unblock: takes a block back.
import { relationVerb } from '../relation.ts'

export const verb = relationVerb('unblock', (did) => [`comrade follow ${did}`])
