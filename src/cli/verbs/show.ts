// comrade show: one entry, or the thread that it is part of.
import type { EntryShape, ThreadEntryShape } from '../../api/shapes.ts'
import { entryLines } from '../paint.ts'
import { threadEntryLines } from '../thread-lines.ts'
import type { Verb } from '../verb.ts'

interface Options {
  thread?: boolean
}

export const verb: Verb<Options> = {
  arguments: [['<id>', "the entry's id: bafkrei…"]],
  options: [
    { flags: '--thread', description: 'all posts of its thread that are here or that friends give, oldest first' }
  ],
  examples: ['comrade show bafkrei…', 'comrade show bafkrei… --thread'],
  async run({ client, output, signal }, [id], { thread }) {
    if (thread === true) {
      for (const entry of await client.get<ThreadEntryShape[]>('thread', { id }, { signal }))
        output.result(entry, () => threadEntryLines(entry))
      return
    }
    const entry = await client.get<EntryShape>('show', { id }, { signal })
    output.result(entry, () => entryLines(entry))
    output.next(`comrade post '…' --reply ${id}`, `comrade react ${id} 👍`)
  }
}
