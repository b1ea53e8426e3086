// comrade store: whose data this node keeps, shown or changed.
import type { SpaceShape } from '../../api/shapes.ts'
import { spaceLines } from '../space.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  arguments: [['[mode]', 'all, groups, own or none; less than before erases what it no longer covers']],
  examples: ['comrade store', 'comrade store own'],
  async run({ client, output, signal }, [mode]) {
    const space =
      mode === undefined
        ? await client.get<SpaceShape>('store', {}, { signal })
        : await client.post<SpaceShape>('store', { store: mode }, { signal })
    output.result(space, () => spaceLines(space))
  }
}
