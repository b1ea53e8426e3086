// comrade react: answers an entry with an emoji.
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  arguments: [
    ['<id>', 'the entry: bafkrei…'],
    ['<emoji>', 'one emoji']
  ],
  examples: ['comrade react bafkrei… 👍'],
  async run({ client, output, signal }, [id, emoji]) {
    const reaction = await client.post<{ id: string; feed: string; seq: number }>('react', { id, emoji }, { signal })
    output.result(reaction, () => reaction.id)
    output.next(`comrade erase ${reaction.id}    (to take it back)`)
  }
}
