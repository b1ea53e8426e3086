// How long to wait before doing what anybody else may do as well: most wait long and a few do not, so that one or two
// have done it before the rest would, however many there are. (RandomBackoff of RFC 5401, a truncated exponential.)

/**
 * @param random from 0 (inclusive) to 1
 * @param members how many may do it
 * @param longestMs the most that this returns; several times what it takes to hear of each other
 * @returns ms, from 0 to longestMs
 */
export function backoffMs(random: number, members: number, longestMs: number): number {
  const steepness = Math.log(Math.max(1, members)) + 1
  return Math.min(longestMs, (longestMs / steepness) * Math.log1p(random * Math.expm1(steepness)))
}
