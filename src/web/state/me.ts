// Whose node this is.
import { signal } from '@preact/signals'
import { get, post } from '../api.ts'
import type { ProfileShape, StatusShape } from '../shapes.ts'

export const profile = signal<ProfileShape | undefined>(undefined)
export const status = signal<StatusShape | undefined>(undefined)

export async function loadMe(): Promise<void> {
  const [mine, node] = await Promise.all([get<ProfileShape>('profile'), get<StatusShape>('status')])
  profile.value = mine
  status.value = node
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
