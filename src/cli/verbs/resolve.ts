// comrade resolve: where somebody's devices are, by the directory and by what friends know.
import type { Resolved } from '../../node/comrade.ts'
import { bold, dim, type Line } from '../output.ts'
import type { Verb } from '../verb.ts'

const SOURCES: Readonly<Record<Resolved['source'], string>> = {
  cache: 'nobody answered; this is what was known before',
  dht: 'found in the directory',
  friend: 'a friend knew it'
}

export const verb: Verb = {
  arguments: [['<who>', 'a did, or a person whom you know']],
  examples: ['comrade resolve did:key:z6Mk…', 'comrade resolve bob --json'],
  async run({ client, output, signal }, [who]) {
    const found = await client.get<Resolved>('resolve', { who }, { signal })
    output.result(found, () => [[bold(found.did)], ...found.devices.flatMap(lines)])
    output.talk(`${SOURCES[found.source]}, in ${found.ms} ms`)
  }
}

function lines({ peerId, addresses }: Resolved['devices'][number]): Line[] {
  return [[`  ${peerId}`], ...addresses.map((address): Line => [dim(`    ${address}`)])]
}
