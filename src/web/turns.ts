// Work that many events ask for, such as asking the node about what they have changed: others can cause as many as they like.

/** Between two turns, in ms. */
const PAUSE_MS = 300

/**
 * Lets work be done by one turn at a time, with pauses: at once when it has rested, and once for all who ask meanwhile.
 * @returns asks for a turn; resolves when one that began after that is over
 */
export function inTurns(work: () => Promise<void>, pauseMs: number = PAUSE_MS): () => Promise<void> {
  let rest: Promise<void> | undefined
  let next: Promise<void> | undefined
  const begin = (): Promise<void> => {
    const turn = work()
    rest = turn
      .catch(() => {}) // whoever asked for it hears of it
      .then(() => new Promise((resolve) => setTimeout(resolve, pauseMs)))
      .then(() => void (rest = undefined))
    return turn
  }
  const begins = (): Promise<void> => {
    next = undefined
    return begin()
  }
  return () => next ?? (rest === undefined ? begin() : (next = rest.then(begins)))
}
