// A thread on a terminal: its posts, and in the place of each that is missing, why.
import type { MissingShape, ThreadEntryShape } from '../api/shapes.ts'
import { dim, type Line } from './output.ts'
import { entryLines } from './paint.ts'

/** An entry, after what it answers that cannot be shown. */
export function threadEntryLines(entry: ThreadEntryShape): Line[] {
  return [
    ...entry.missing.map((missing): Line => [dim(`  (${missing.id}: ${reasonOf(missing)})`)]),
    ...entryLines(entry)
  ]
}

function reasonOf({ reason, name }: MissingShape): string {
  const author = name ?? 'somebody'
  switch (reason) {
    case 'fetching':
      return 'is being asked for'
    case 'unfollowed':
      return `of ${author}, and nobody connected has the text any more: follow them, and it may come`
    case 'blocked':
      return `of ${author}, whom you block`
    case 'erased':
      return 'erased by its author'
    case 'expired':
      return 'its time is over'
    case 'sealed':
      return 'sealed: not for this device'
    case 'revoked':
      return 'written by a device after it was ended'
    case 'store':
      return 'not asked for: you keep nothing of others, see comrade store'
    case 'quota':
      return 'not asked for: there is no room, see comrade quota'
    default:
      return 'nobody connected has it, or gives it'
  }
}
