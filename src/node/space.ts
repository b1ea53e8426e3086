// How much is stored for whom: what `store` and `quota` answer.
import { PRIORITY, quotaOf } from '../trust/index.ts'
import type { DistanceUsage, Space, StoreMode, Usage } from './comrade.ts'

/** Bytes and feeds by priority, as the store counts them; undefined: not wanted any more. */
type Stored = { priority: number | undefined; feeds: number; bytes: number }[]

/** By distance, not by person. */
export type Distances = Omit<Space, 'files' | 'people' | 'others'>

export function distancesOf(stored: Stored, { store, quota }: { store: StoreMode; quota: number }): Distances {
  const { ofPriority = {} } = quotaOf(quota)
  const at = (priority: number | undefined): Usage => {
    const { feeds, bytes } = stored.find((each) => each.priority === priority) ?? { feeds: 0, bytes: 0 }
    const share = priority === undefined ? undefined : ofPriority[priority]
    return { feeds, bytes, ...(share === undefined ? {} : { quota: share }) }
  }
  const distances = [PRIORITY.own, PRIORITY.followed, PRIORITY.far].map((priority, i): DistanceUsage => ({
    distance: i as DistanceUsage['distance'],
    ...at(priority)
  }))
  const [groups, unwanted] = [at(PRIORITY.mate), at(undefined).bytes]
  const used = distances[1].bytes + groups.bytes + distances[2].bytes + unwanted
  return { store, quota, used, distances, groups, unwanted }
}
