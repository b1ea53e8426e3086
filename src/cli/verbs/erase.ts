// comrade erase: drops the text of an own entry here, and asks all who hold it to do the same.
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  arguments: [['<id>', 'an entry of yours: bafkrei…']],
  examples: ['comrade erase bafkrei…'],
  async run({ client, output, signal }, [id]) {
    const erased = await client.post<{ id: string; erased: true; at: number; of: number }>('erase', { id }, { signal })
    output.result(erased, () => `erased here, and at ${erased.at} of ${erased.of} known holders`)
    output.talk('Holders that obey drop it when they hear of it. Nobody can promise that no copy is left.')
  }
}
