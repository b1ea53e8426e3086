// comrade import: reads feeds from a file that somebody carried here. Every entry in it is checked.
import { resolve } from 'node:path'
import { formatSize } from '../quantity.ts'
import type { Verb } from '../verb.ts'

/** A whole store from a slow stick takes its time: the limit, in ms. */
const IMPORT_TIMEOUT_MS = 3_600_000

export const verb: Verb = {
  arguments: [['<file>', 'a file that `comrade export` wrote']],
  examples: ['comrade import /media/stick/feeds.comrade'],
  async run({ client, output, signal }, [file]) {
    const read = await client.post<{ entries: number; bytes: number }>(
      'import',
      { file: resolve(file) },
      { signal, timeoutMs: IMPORT_TIMEOUT_MS }
    )
    output.result(read, () => `${read.entries} new entries, ${formatSize(read.bytes)}`)
    output.next('comrade feed')
  }
}
