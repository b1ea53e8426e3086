// People whom this user knows, and who wants to make their acquaintance.
import { computed, signal } from '@preact/signals'
import { get, post } from '../api.ts'
import type { ContactShape, MeetingShape, RequestShape } from '../shapes.ts'
import { onEvent } from './live.ts'

/** Events come in bursts; one question answers them all. Ms. */
const SETTLE_MS = 100

export const contacts = signal<ContactShape[] | undefined>(undefined)
export const requests = signal<RequestShape[]>([])
/** Requests that wait for this user. */
export const waiting = computed(() => requests.value.filter(({ kind }) => kind !== 'asked'))
/** Whom one can write to: who follows each other. */
export const friends = computed(() => (contacts.value ?? []).filter(({ relation }) => relation === 'friend'))
/** People whom this user met while the page was open, the last one first. */
export const met = signal<MeetingShape[]>([])

export async function loadPeople(): Promise<void> {
  const [all, asking] = await Promise.all([get<ContactShape[]>('contacts'), get<RequestShape[]>('meet/requests')])
  contacts.value = all
  requests.value = asking
}

/** Changes with whom one follows. */
export const followed = computed(() =>
  (contacts.value ?? [])
    .filter(({ relation }) => relation === 'friend' || relation === 'followed')
    .map(({ did }) => did)
    .toSorted((a, b) => a.localeCompare(b))
    .join()
)

export function personOf(did: string): ContactShape | undefined {
  return contacts.value?.find((contact) => contact.did === did)
}

/** Changes something about a person: follow, unfollow, block, unblock, name, meet/accept, meet/decline. */
export async function change(verb: string, who: string, more: object = {}): Promise<void> {
  await post(verb, { who, ...more })
  await loadPeople()
}

export function watchPeople(): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const reload = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => void loadPeople().catch(() => {}), SETTLE_MS)
  }
  for (const event of ['open', 'request']) onEvent(event, reload)
  // What is not for reading may be a name, or tell whose a device is.
  onEvent('entry', ({ type }) => type !== 'post' && type !== 'reaction' && reload())
  onEvent('met', (line) => {
    met.value = [line as unknown as MeetingShape, ...met.value]
    reload()
  })
}
