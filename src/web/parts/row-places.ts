// Where the rows of a long list begin, as far as their heights are known.

/** Guess at a row that was never shown, in CSS pixels. */
const GUESS_PX = 140

/** Where each row begins; one more than there are rows: where the list ends. */
export function topsOf(items: readonly { id: string }[], heights: ReadonlyMap<string, number>): Float64Array {
  const tops = new Float64Array(items.length + 1)
  for (let i = 0; i < items.length; i++) tops[i + 1] = tops[i] + (heights.get(items[i].id) ?? GUESS_PX)
  return tops
}

/** Index of the first value that is at least `wanted`. */
export function lowerBound(sorted: Float64Array, wanted: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle] < wanted) low = middle + 1
    else high = middle
  }
  return low
}
