// What store and quota both show: whose data is kept, and how much of the allowed space that takes.
import { dim, type Line } from './output.ts'
import { formatSize } from './quantity.ts'

export interface Space {
  store: 'all' | 'groups' | 'own' | 'none'
  quota: number
  used: number
  /** 0: one's own, 1: of people who are followed, 2: of whom friends follow. */
  distances: { distance: number; feeds: number; bytes: number; quota?: number }[]
  /** Of members of groups who are not followed. */
  groups: { feeds: number; bytes: number; quota?: number }
  /** Of `used`: what is no longer wanted. */
  unwanted: number
}

const MEANING: Readonly<Record<Space['store'], string>> = {
  all: 'you, whom you follow, and their friends',
  groups: 'you and your groups',
  own: 'only your own entries, for others to fetch',
  none: 'nothing is kept for others'
}

const WHOSE = ['your own', 'whom you follow', 'their friends']

export function spaceLines({ store, quota, used, distances, groups, unwanted }: Space): Line[] {
  const parts = distances.map(({ distance, bytes }) => `${WHOSE[distance]} ${formatSize(bytes)}`)
  if (groups.feeds > 0) parts.push(`your groups ${formatSize(groups.bytes)}`)
  if (unwanted > 0) parts.push(`no longer wanted ${formatSize(unwanted)}`)
  return [
    [dim('store  '), `${store}: ${MEANING[store]}`],
    [dim('quota  '), `${formatSize(used)} of ${formatSize(quota)} used`],
    [dim('held   '), parts.join(', ')]
  ]
}
