// comrade store: whose data this node keeps, shown or changed.
import { spaceLines, type Space } from '../space.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  arguments: [['[mode]', 'all, groups, own or none; less than before erases what it no longer covers']],
  examples: ['comrade store', 'comrade store own'],
  async run({ client, output, signal }, [mode]) {
    const space =
      mode === undefined
        ? await client.get<Space>('store', {}, { signal })
        : await client.post<Space>('store', { store: mode }, { signal })
    output.result(space, () => spaceLines(space))
  }
}
