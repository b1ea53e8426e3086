// Whose node this is.
import { signal } from '@preact/signals'
import { get, post } from '../api.ts'
import type { ProfileShape, StatusShape } from '../shapes.ts'

export const profile = signal<ProfileShape | undefined>(undefined)
export const status = signal<StatusShape | undefined>(undefined)

/** Whether the node still gives the recovery phrase: nobody has said that it was put by. */
export const phraseWaits = signal(false)

export async function loadMe(): Promise<void> {
  const [mine, node, { phrase }] = await Promise.all([
    get<ProfileShape>('profile'),
    get<StatusShape>('status'),
    get<{ phrase: string | null }>('recovery')
  ])
  profile.value = mine
  status.value = node
  phraseWaits.value = phrase !== null
}

/** The user has the recovery phrase on paper. */
export async function putPhraseBy(): Promise<void> {
  await post('recovery/confirm')
  phraseWaits.value = false
}

export async function changeProfile(change: { name?: string; about?: string }): Promise<void> {
  profile.value = await post<ProfileShape>('profile', change)
}

export async function loadStatus(): Promise<void> {
  status.value = await get<StatusShape>('status')
}

export function isMe(did: string): boolean {
  return profile.value?.did === did
}
