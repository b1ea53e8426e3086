// comrade unfollow: stops following somebody.
import { relationVerb } from '../relation.ts'

export const verb = relationVerb('unfollow', (did) => [`comrade follow ${did}    (to follow again)`])
