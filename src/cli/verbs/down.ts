// comrade down: makes the running node leave, and comes back when it has.
import type { Verb } from '../verb.ts'

/** A node leaves within 3 s; this is the limit for one that does not, in ms. */
const LEAVE_TIMEOUT_MS = 15_000

export const verb: Verb = {
  examples: ['comrade down'],
  async run({ client, output, signal }) {
    const answer = await client.post<{ did: string; stopped: true }>(
      'down',
      {},
      { signal, timeoutMs: LEAVE_TIMEOUT_MS }
    )
    output.result(answer, () => 'the node has left')
    output.next('comrade up')
  }
}
