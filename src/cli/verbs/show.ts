// comrade show: one entry.
import type { EntryShape } from '../../api/shapes.ts'
import { entryLines } from '../paint.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  arguments: [['<id>', "the entry's id: bafkrei…"]],
  examples: ['comrade show bafkrei…'],
  async run({ client, output, signal }, [id]) {
    const entry = await client.get<EntryShape>('show', { id }, { signal })
    output.result(entry, () => entryLines(entry))
    output.next(`comrade post '…' --reply ${id}`, `comrade react ${id} 👍`)
  }
}
