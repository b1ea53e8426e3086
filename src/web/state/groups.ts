// The groups whose log is kept here.
import { signal } from '@preact/signals'
import { get, post } from '../api.ts'
import type { GroupShape } from '../shapes.ts'
import { onEvent } from './live.ts'

export const groups = signal<GroupShape[] | undefined>(undefined)
/** Rises whenever something has happened in a group: what was fetched of it is out of date. */
export const groupChanges = signal(0)
/** Events come in bursts; one question answers them all. Ms. */
const SETTLE_MS = 80

export async function loadGroups(): Promise<void> {
  groups.value = await get<GroupShape[]>('group/list')
}

export function groupOf(id: string): GroupShape | undefined {
  return groups.value?.find((group) => group.id === id)
}

/** Does something in a group: apply, join, leave, vouch, propose, expel, ballot, rule … */
export async function act<T>(verb: string, body: object): Promise<T> {
  const answer = await post<T>(`group/${verb}`, body)
  await loadGroups()
  groupChanges.value += 1
  return answer
}

export function watchGroups(): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const reload = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      void loadGroups().catch(() => {})
      groupChanges.value += 1
    }, SETTLE_MS)
  }
  onEvent('open', reload)
  onEvent('group', reload)
}
