// What store and quota both show: whose data is kept, and how much of the allowed space that takes.
import type { SpaceShape } from '../api/shapes.ts'
import { dim, type Line } from './output.ts'
import { formatSize } from './quantity.ts'

/** People who are shown: of the others, JSON tells. */
const MAX_PEOPLE = 10

const MEANING: Readonly<Record<SpaceShape['store'], string>> = {
  all: 'you, whom you follow, and their friends',
  groups: 'you and your groups',
  own: 'only your own entries, for others to fetch',
  none: 'nothing is kept for others'
}

const WHOSE = ['your own', 'whom you follow', 'their friends']

export function spaceLines(space: SpaceShape): Line[] {
  const { store, quota, used, distances, groups, unwanted, files } = space
  const parts = distances.map(({ distance, bytes }) => `${WHOSE[distance]} ${formatSize(bytes)}`)
  if (groups.feeds > 0) parts.push(`your groups ${formatSize(groups.bytes)}`)
  if (unwanted > 0) parts.push(`no longer wanted ${formatSize(unwanted)}`)
  return [
    [dim('store  '), `${store}: ${MEANING[store]}`],
    [dim('quota  '), `${formatSize(used)} of ${formatSize(quota)} used`],
    [dim('held   '), parts.join(', ')],
    ...(files === 0 ? [] : [[dim('files  '), `${formatSize(files)} of posts and private messages, besides`]]),
    ...peopleLines(space)
  ]
}

function peopleLines({ people, others }: SpaceShape): Line[] {
  const lines = people
    .slice(0, MAX_PEOPLE)
    .map(({ name, kept, bytes, files }, i): Line => [
      dim(i === 0 ? 'people ' : '       '),
      `${kept === 'own' ? 'you' : name}  ${formatSize(bytes + files)}`,
      dim(files === 0 ? '' : `, files ${formatSize(files)}`)
    ])
  const more = people.length - lines.length + others.people
  return more === 0 ? lines : [...lines, [dim(`       and ${more} more: --json names a hundred`)]]
}
