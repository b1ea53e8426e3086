// How far files have come, as a stream of the API.
import type { AttachmentOptions } from '../node/comrade.ts'

/** A line of it, in bytes; `have` is `size` when all of a file is here. */
export interface ProgressLine {
  /** Of the message or post. */
  id: string
  have: number
  size: number
}

/** Lines until `fetch` is done. What comes faster than it is read is left out. @throws what `fetch` throws */
export async function* progressLines(
  id: string,
  fetch: (onProgress: AttachmentOptions['onProgress']) => Promise<unknown>
): AsyncGenerator<ProgressLine> {
  const state: { latest?: { have: number; size: number }; isDone: boolean; wake: () => void } = {
    isDone: false,
    wake: () => {}
  }
  const fetching = fetch((latest) => {
    state.latest = latest
    state.wake()
  })
  const settled = (): void => {
    state.isDone = true
    state.wake()
  }
  fetching.then(settled, settled)
  while (!state.isDone || state.latest !== undefined) {
    const { latest } = state
    state.latest = undefined
    if (latest !== undefined) yield { id, ...latest }
    else await new Promise<void>((resolve) => (state.wake = resolve))
  }
  await fetching
}
