// What happens in the running node, for verbs that wait for something or go on with it.
import type { Client } from '../api/client.ts'
import { NodeError } from '../node/comrade.ts'
import type { Line } from './output.ts'
import type { Context } from './verb.ts'

export type NodeEvent = { event: string } & Record<string, unknown>

/** The node's events from now on: whatever happens after this resolved is told. */
export async function eventsOf(client: Client, signal: AbortSignal): Promise<AsyncIterable<NodeEvent>> {
  const events = client.lines<NodeEvent>('events', {}, { signal })
  await events.next() // 'open': whatever happens from here on is told
  return events
}

/**
 * Prints what there is of a group; with `follow` goes on with each that is new or has changed, as long as the node runs.
 * @returns what there was
 * @throws NodeError NOT_RUNNING when the node leaves
 */
export async function changing<Shape extends object>(
  { client, output, signal }: Context,
  follow: boolean | undefined,
  ask: () => Promise<Shape[]>,
  linesOf: (shape: Shape) => Line[]
): Promise<Shape[]> {
  // Asked for before the first answer, so that nothing is lost between the two.
  const events = follow === true ? await eventsOf(client, signal) : undefined
  let shown = new Set<string>()
  const print = async (): Promise<Shape[]> => {
    const all = await ask()
    for (const one of all) if (!shown.has(JSON.stringify(one))) output.result(one, () => linesOf(one))
    shown = new Set(all.map((one) => JSON.stringify(one)))
    return all
  }
  const all = await print()
  if (events === undefined) return all
  for await (const { event } of events) if (event === 'group') await print()
  throw new NodeError('NOT_RUNNING', 'the node has left')
}
