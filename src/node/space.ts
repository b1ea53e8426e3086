// How much is stored for whom: what `store` and `quota` answer.
import { quotaOf } from '../trust/index.ts'
import type { DistanceUsage, Space, StoreMode } from './comrade.ts'

/** Bytes and feeds by priority, as the store counts them; undefined: not wanted any more. */
type Usage = { priority: number | undefined; feeds: number; bytes: number }[]

export function spaceOf(usage: Usage, { store, quota }: { store: StoreMode; quota: number }): Space {
  const at = (priority: number | undefined): Usage[number] | undefined =>
    usage.find((each) => each.priority === priority)
  const distances = ([0, 1, 2] as const).map((distance): DistanceUsage => {
    const { feeds, bytes } = at(distance) ?? { feeds: 0, bytes: 0 }
    return { distance, feeds, bytes, ...(distance === 2 ? { quota: quotaOf(quota).farBytes } : {}) }
  })
  const unwanted = at(undefined)?.bytes ?? 0
  return { store, quota, used: distances[1].bytes + distances[2].bytes + unwanted, distances, unwanted }
}
