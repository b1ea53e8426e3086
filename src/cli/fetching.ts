// Follows the files of a message or post as they come, and has the node write them.
import { resolve } from 'node:path'
import type { ProgressLine } from '../api/progress.ts'
import { formatSize } from './quantity.ts'
import type { Context } from './verb.ts'

/** Large files take their time on a slow disk: the limit, in ms. */
const SAVE_TIMEOUT_MS = 300_000

/**
 * Waits until all of it is here, however long that takes.
 * @param route under which the stream of how far it has come is read
 * @param id of the message or post
 */
export async function fetchFiles({ client, output, signal }: Context, route: string, id: string): Promise<void> {
  for await (const { have, size } of client.lines<ProgressLine>(route, { id }, { signal })) {
    const waiting = have === 0 ? ', waiting for a device that has it' : ''
    output.progress(`${formatSize(have)} of ${formatSize(size)}${waiting}`)
  }
}

/** @param path relative to where the user stands @default the present directory */
export function saveFiles<T>({ client, signal }: Context, route: string, id: string, path = '.'): Promise<T> {
  return client.post<T>(route, { id, file: resolve(path) }, { signal, timeoutMs: SAVE_TIMEOUT_MS })
}
