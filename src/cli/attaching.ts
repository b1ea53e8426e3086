// What verbs that attach files ask of their user.
import { NodeError } from '../node/comrade.ts'

/** @throws NodeError BAD_INPUT when there are more descriptions than files */
export function checkAlts(alt: readonly string[], attach: readonly string[]): void {
  if (alt.length > attach.length)
    throw new NodeError(
      'BAD_INPUT',
      `--alt is given ${alt.length} times and --attach ${attach.length} times: each tells what one file shows`
    )
}
