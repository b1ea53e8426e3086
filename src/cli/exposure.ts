// What has to be said, and asked, before a vouch or a ballot is given that may show whose it is.
import type { Segment } from './output.ts'
import { askYesNo } from './question.ts'
import type { Context } from './verb.ts'

/** From this many on, nobody can tell from the count alone who of them has vouched. */
const HIDING_SIZE = 5

/**
 * What has to be said before a vouch or a ballot is given, when it may show whose it is.
 * @param count how many were given by now
 * @returns undefined when nothing has to
 */
export function exposureOf(what: 'vouch' | 'ballot', ring: number, count: number): string | undefined {
  if (ring <= 1) return `not anonymous at this size: nobody but you can give a ${what} here`
  if (ring < HIDING_SIZE)
    return `not anonymous at this size: only ${ring} members can give a ${what} here, and others can guess who did`
  if (count + 1 < ring) return undefined
  return `not anonymous: when all ${ring} have given theirs, everybody knows who did`
}

/** Warns where a vouch or a ballot may show whose it is; on a terminal, asks whether to go on. */
export async function mayBeSeen(
  context: Context,
  what: 'vouch' | 'ballot',
  ring: number,
  count: number,
  yes?: boolean
): Promise<boolean> {
  const exposure = exposureOf(what, ring, count)
  if (exposure === undefined) return true
  context.output.warning('NOT_ANONYMOUS', exposure)
  return isSure(context, [`give the ${what} all the same?`], yes)
}

/** On a terminal the user is asked; a script has said what it wants. */
export async function isSure(context: Context, question: readonly Segment[], yes = false): Promise<boolean> {
  const { output, signal, isInteractive, json } = context
  if (!isInteractive || json || yes || (await askYesNo(output, question, signal))) return true
  output.talk('nothing was done')
  return false
}
