// comrade follow: starts to fetch and keep what somebody writes.
import { relationVerb } from '../relation.ts'

export const verb = relationVerb('follow', (did) => [`comrade feed ${did}`, `comrade name ${did} <petname>`])
