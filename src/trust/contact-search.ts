// Who is meant by what a user typed: petname before did before tag before claimed name, and never a guess.
import { formatDid, isDidLike, parseDid } from './did.ts'
import { TrustError } from './errors.ts'
import { cleanClaim, displayName, foldName, harmless, tagOf } from './names.ts'
import type { Row, Statements } from './statements.ts'

/** Choices that the error for an ambiguous name lists. */
const MAX_CHOICES = 10
const MAX_SHOWN = 80

/**
 * The root key of the person whom the text names; see Contacts.find.
 * @throws TrustError WHO_UNKNOWN, WHO_AMBIGUOUS, DID
 */
export function findKey(statements: Statements, who: string): Uint8Array {
  const text = who.trim()
  if (isDidLike(text)) return parseDid(text)
  const found =
    [byPetname, byTag, byClaim].map((search) => search(statements, text)).find((rows) => rows.length > 0) ?? []
  if (found.length === 1) return found[0].key as Uint8Array
  const shown = harmless(text.slice(0, MAX_SHOWN))
  if (found.length === 0) {
    throw new TrustError('WHO_UNKNOWN', `nobody called "${shown}" is known: give a petname, a claimed name, or a did`)
  }
  throw new TrustError('WHO_AMBIGUOUS', `"${shown}" is the name of ${found.length} people: ${choices(found)}`)
}

/** Whoever has this petname, without case: one row or none. */
export function byPetname(statements: Statements, text: string): Row[] {
  return statements.all('SELECT * FROM contacts WHERE petname_folded = ?', foldName(text.normalize('NFC')))
}

/** `#tag` or `claimed#tag`, as displayName writes them. */
function byTag(statements: Statements, text: string): Row[] {
  const at = text.lastIndexOf('#')
  if (at === -1) return []
  const name = foldName(text.slice(0, at))
  const rows =
    name === ''
      ? statements.all('SELECT * FROM contacts')
      : statements.all('SELECT * FROM contacts WHERE claimed_folded = ?', name)
  return rows.filter((row) => tagOf(formatDid(row.key as Uint8Array)) === text.slice(at))
}

function byClaim(statements: Statements, text: string): Row[] {
  return statements.all('SELECT * FROM contacts WHERE claimed_folded = ?', foldName(cleanClaim(text) ?? ''))
}

function choices(rows: Row[]): string {
  const shown = rows.slice(0, MAX_CHOICES).map((row) => {
    const did = formatDid(row.key as Uint8Array)
    const [petname, claimed] = [row.petname, row.claimed].map((name) => (name as string | null) ?? undefined)
    return `${harmless(displayName({ did, petname, claimed }))} (${did})`
  })
  return shown.join(', ') + (rows.length > MAX_CHOICES ? ', …' : '')
}
