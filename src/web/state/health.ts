// How the node does, as far as it changes by itself: asked for again and again while somebody looks, and when it says so.
import { signal } from '@preact/signals'
import { get } from '../api.ts'
import type { PeerShape, SpaceShape, StatusShape, SyncShape } from '../shapes.ts'
import { onEvent } from './live.ts'
import { loadStatus, status } from './me.ts'

/** How often it is asked for, in ms. What is kept of whom changes slowly, and takes longer to add up. */
const LOOK_MS = 3_000
const LOOK_AT_SPACE_MS = 15_000

export const peers = signal<PeerShape[]>([])
export const space = signal<SpaceShape | undefined>(undefined)
export const failure = signal<unknown>(undefined)

/** @returns what ends it */
export function watchHealth(): () => void {
  const timers = [
    setInterval(() => void attempt(look), LOOK_MS),
    setInterval(() => void attempt(lookAtSpace), LOOK_AT_SPACE_MS)
  ]
  const ends = ['peer:connect', 'peer:disconnect', 'open'].map((event) => onEvent(event, () => void attempt(look)))
  ends.push(onEvent('sync', takeNews))
  void attempt(look)
  void attempt(lookAtSpace)
  return () => {
    for (const timer of timers) clearInterval(timer)
    for (const end of ends) end()
  }
}

async function look(): Promise<void> {
  const [connected] = await Promise.all([get<PeerShape[]>('peers'), loadStatus()])
  peers.value = connected
}

async function lookAtSpace(): Promise<void> {
  space.value = await get<SpaceShape>('store')
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work()
    failure.value = undefined
  } catch (error) {
    failure.value = error
  }
}

function takeNews({ event: _event, ...sync }: { event: string } & Record<string, unknown>): void {
  const { value } = status
  if (value !== undefined) status.value = { ...value, sync: sync as SyncShape } satisfies StatusShape
  void attempt(look)
}
