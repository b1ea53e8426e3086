// How far files of others have come that the node fetches: all that wait or come, and what happens to them.
import { type Signal, signal } from '@preact/signals'
import { get } from '../api.ts'
import type { FileProgressShape } from '../shapes.ts'
import { onEvent } from './live.ts'

/** By the id of a file. What is not here is not on its way, or was here from the beginning. */
const states = new Map<string, Signal<FileProgressShape | undefined>>()

export function fileState(id: string): Signal<FileProgressShape | undefined> {
  const known = states.get(id)
  if (known !== undefined) return known
  const made = signal<FileProgressShape | undefined>(undefined)
  states.set(id, made)
  return made
}

/** What was on its way and is not any more came while nobody listened, or was dropped: the file itself will tell. */
async function load(): Promise<void> {
  const now = new Map((await get<FileProgressShape[]>('files')).map((file) => [file.id, file]))
  for (const [id, state] of states)
    if (!now.has(id) && state.value !== undefined) state.value = { ...state.value, state: 'here' }
  for (const [id, file] of now) fileState(id).value = file
}

export function watchFiles(): void {
  onEvent('open', () => void load().catch(() => {}))
  onEvent('file', (line) => {
    const file = line as unknown as FileProgressShape
    fileState(file.id).value = file
  })
}
