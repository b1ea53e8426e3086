// Looking somebody up in several places at once: which answers count, and when one has waited long enough.
import {
  checkRecord,
  compareRecords,
  dayOf,
  type DirectoryContent,
  type DirectoryRecord,
  openRecord
} from '../trust/index.ts'

/** After the first answer, others are waited for this long, in ms: one of them may be newer. */
const GRACE_MS = 150
/** With so many answers nobody else is waited for, but friends. */
const ENOUGH = 3

export interface Found {
  record: DirectoryRecord
  content: DirectoryContent
  source: 'dht' | 'friend'
}

export interface Place {
  source: Found['source']
  /** Records as they come in, unchecked. */
  records: AsyncIterable<Uint8Array>
}

/** Whom one looks for: the identity, and its blinded key of the day. */
export interface Wanted {
  root: Uint8Array
  blinded: Uint8Array
}

/**
 * The newest valid record that any of the places has.
 * @returns undefined when none has one, or `signal` was aborted before
 */
export async function lookUp(
  wanted: Wanted,
  places: readonly Place[],
  { signal, now = Date.now }: { signal: AbortSignal; now?: () => number }
): Promise<Found | undefined> {
  const { promise: isEnough, resolve } = Promise.withResolvers<void>()
  const end = (): void => resolve()
  let best: Found | undefined
  let answers = 0
  let askedFriends = places.filter(({ source }) => source === 'friend').length
  let grace: NodeJS.Timeout | undefined
  const read = async ({ source, records }: Place): Promise<void> => {
    for await (const bytes of records) {
      const found = openFound(wanted, bytes, source, now())
      if (found === undefined) continue
      if (best === undefined || compareRecords(found.record, best.record) < 0) best = found
      grace ??= setTimeout(end, GRACE_MS)
      if (++answers >= ENOUGH && askedFriends === 0) end()
    }
    if (source === 'friend') askedFriends--
  }
  signal.addEventListener('abort', end, { once: true })
  void Promise.allSettled(places.map(read)).then(end)
  await isEnough
  clearTimeout(grace)
  signal.removeEventListener('abort', end)
  return best
}

/** undefined when it is no valid record of whom one looks for. */
function openFound({ root, blinded }: Wanted, bytes: Uint8Array, source: Found['source'], nowMs: number) {
  try {
    const record = checkRecord(blinded, bytes, dayOf(nowMs))
    return { record, content: openRecord(root, record), source }
  } catch {
    return undefined // whoever sent it errs or lies; the others are heard
  }
}
