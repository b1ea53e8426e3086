// comrade quota: how much space other people's data may take, shown or changed.
import type { SpaceShape } from '../../api/shapes.ts'
import { spaceLines } from '../space.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  arguments: [['[size]', 'such as 500MB, 2GiB, or a number of bytes']],
  examples: ['comrade quota', 'comrade quota 2GiB'],
  async run({ client, output, signal }, [size]) {
    const space =
      size === undefined
        ? await client.get<SpaceShape>('quota', {}, { signal })
        : await client.post<SpaceShape>('quota', { quota: await bytesOf(size) }, { signal })
    output.result(space, () => spaceLines(space))
    if (space.used > space.quota)
      output.talk('More than that is stored now: the oldest texts of those furthest from you go first.')
  }
}

/** Read as the setting of the same name is. */
async function bytesOf(size: string): Promise<number> {
  const { parseSize } = await import('../../node/config.ts')
  return parseSize(size)
}
