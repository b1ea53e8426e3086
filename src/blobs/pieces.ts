// Bytes that come cut anywhere, cut anew into pieces of one size.

/** Pieces of `size` bytes, of which the last may be shorter. A piece is good until the next one is asked for. */
export async function* piecesOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number
): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(size)
  let filled = 0
  for await (const part of source)
    for (let at = 0; at < part.length;) {
      const end = Math.min(at + size - filled, part.length)
      piece.set(part.subarray(at, end), filled)
      filled += end - at
      at = end
      if (filled < size) continue
      yield piece
      filled = 0
    }
  if (filled > 0) yield piece.subarray(0, filled)
}
