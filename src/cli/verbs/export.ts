// comrade export: writes feeds to a file, to be carried by hand.
import { resolve } from 'node:path'
import { formatSize } from '../quantity.ts'
import type { Verb } from '../verb.ts'

/** A whole store on a slow stick takes its time: the limit, in ms. */
const EXPORT_TIMEOUT_MS = 3_600_000

export const verb: Verb = {
  arguments: [
    ['<file>', 'where to write; it must not be there yet'],
    ['[who...]', 'whose feeds; else all that are stored']
  ],
  examples: ['comrade export /media/stick/feeds.comrade', 'comrade export alice.comrade alice'],
  async run({ client, output, signal }, [file, ...who]) {
    const path = resolve(file)
    const written = await client.post<{ entries: number; bytes: number }>(
      'export',
      { file: path, who: who.length === 0 ? undefined : who },
      { signal, timeoutMs: EXPORT_TIMEOUT_MS }
    )
    output.result(written, () => `${written.entries} entries, ${formatSize(written.bytes)}, in ${path}`)
    output.next(`comrade import ${file}    (on the other machine)`)
  }
}
