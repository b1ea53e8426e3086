// What store and quota both show: whose data is kept, and how much of the allowed space that takes.
import { dim, type Line } from './output.ts'
import { formatSize } from './quantity.ts'

export interface Space {
  store: 'all' | 'groups' | 'own' | 'none'
  quota: number
  used: number
}

const MEANING: Readonly<Record<Space['store'], string>> = {
  all: 'you, whom you follow, and their friends',
  groups: 'you, your groups, and whom you follow',
  own: 'only your own entries, for others to fetch',
  none: 'nothing is kept for others'
}

export function spaceLines({ store, quota, used }: Space): Line[] {
  return [
    [dim('store  '), `${store}: ${MEANING[store]}`],
    [dim('quota  '), `${formatSize(used)} of ${formatSize(quota)} used`]
  ]
}
