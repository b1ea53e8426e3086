// comrade open: lets a browser of this machine use the node, by an address that is good once.
import { bold } from '../output.ts'
import { offerPage } from '../page-address.ts'
import type { Context, Verb } from '../verb.ts'

interface Options {
  end?: boolean
}

export const verb: Verb<Options> = {
  options: [{ flags: '--end', description: 'shut out all browsers that were let in' }],
  examples: ['comrade open', 'comrade open --end'],
  async run(context, _args, { end }) {
    if (end === true) return endAll(context)
    await offerPage(context, (made) => context.output.result(made, () => [[made.url]]))
    context.output.next('comrade open --end    (to shut out all browsers again)')
  }
}

async function endAll({ client, output, signal }: Context): Promise<void> {
  const answer = await client.post<{ ended: number }>('open/end', {}, { signal })
  output.result(answer, () => [
    [bold(String(answer.ended)), answer.ended === 1 ? ' browser' : ' browsers', ' shut out']
  ])
}
