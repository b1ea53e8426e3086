// What this device could open of what was written to a group.
import type { Body } from '../../feeds/index.ts'
import type { LocalGroup } from './local-group.ts'

/** An entry that this device could open. */
export interface OpenedPost {
  group: LocalGroup
  /** The group's id, CIDv1. */
  id: string
  body: Body
}
