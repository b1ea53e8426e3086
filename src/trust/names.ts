// Names as people see them: which one is shown, what makes it safe to print, and what makes it suspicious.
// Nothing is imported but this folder's error class: the command line loads this file at every start.
import { TrustError } from './errors.ts'

/** Longest petname, and longest part of a claimed name that is kept or shown, in Unicode code points. */
export const MAX_NAME_LENGTH = 64
const TAG_LENGTH = 8

/**
 * What a terminal could act on, or what the eye cannot see: C0 and C1 controls (so every ESC, CSI and OSC sequence,
 * \r, \b, NUL), bidi controls, zero-width and tag characters, fillers, line and paragraph separators, lone surrogates,
 * noncharacters. Variation selectors 15 and 16 are spared: they only choose between a sign's text and emoji form.
 */
const HARMFUL =
  /(?![\ufe0e\ufe0f])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\ufff9-\ufffb]/gu
const HARMFUL_BUT_NEWLINE = new RegExp(HARMFUL.source.replace('(?!', '(?!\\n|'), 'gu')

/**
 * Makes text from elsewhere safe to print: each character that could act on a terminal or hide becomes visible as
 * `\u{1b}`. What is left has no such character, so doing it twice changes nothing. It cannot be undone: a backslash
 * that was there before stays as it is.
 * @param options.newlines keep line feeds, for text of more than one line @default false
 */
export function harmless(text: string, options: { newlines?: boolean } = {}): string {
  const pattern = options.newlines === true ? HARMFUL_BUT_NEWLINE : HARMFUL
  return text.replace(pattern, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** The short key tag of a did: `#` and its last eight characters. */
export function tagOf(did: string): string {
  return `#${did.slice(-TAG_LENGTH)}`
}

/**
 * The name to show for a person: the petname, else the claimed name with the short key tag, else the tag alone. So a
 * name without a tag is always one that this user gave. Escape it with {@link harmless} before it is printed.
 */
export function displayName(person: { did: string; petname?: string; claimed?: string }): string {
  if (person.petname !== undefined) return person.petname
  return (person.claimed === undefined ? '' : (cleanClaim(person.claimed) ?? '')) + tagOf(person.did)
}

/**
 * A claimed name as it is kept: well-formed, NFC, white space collapsed, cut to 64 code points. undefined when nothing
 * visible is left.
 */
export function cleanClaim(name: string): string | undefined {
  // Cut before normalizing, so that the cost of a hostile name is bounded, and after, since NFC can change the length.
  const text = truncate(name.toWellFormed(), 4 * MAX_NAME_LENGTH)
    .normalize('NFC')
    .replace(/\s+/gu, ' ')
    .trim()
  const cut = truncate(text, MAX_NAME_LENGTH).trim()
  return cut.replace(HARMFUL, '').trim() === '' ? undefined : cut
}

/**
 * Checks a petname and returns it in NFC: 1 to 64 code points, nothing invisible, not to be taken for a did, a
 * group (@), a key tag (#) or an option (-).
 * @throws TrustError NAME
 */
export function normalizePetname(name: string): string {
  const text = truncate(name, 4 * MAX_NAME_LENGTH)
    .normalize('NFC')
    .trim()
  if (text === '') throw new TrustError('NAME', 'a petname has 1 to 64 characters, this one is empty')
  if (harmless(text) !== text)
    throw new TrustError('NAME', `a petname has no invisible or control characters, found "${harmless(text)}"`)
  const length = [...text].length
  if (length > MAX_NAME_LENGTH)
    throw new TrustError(
      'NAME',
      `a petname has at most ${MAX_NAME_LENGTH} characters, found ${length === 4 * MAX_NAME_LENGTH ? 'more than ' : ''}${length}`
    )
  if (/^[@#-]|^did:/iu.test(text))
    throw new TrustError('NAME', `a petname does not begin with @, #, - or did:, found "${text}"`)
  return text
}

/** The form in which names are compared: "Ana" and "ana", full-width and plain letters are one name. */
export function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase().normalize('NFKC')
}

function truncate(text: string, codePoints: number): string {
  if (text.length <= codePoints) return text
  return Array.from(text.slice(0, 2 * codePoints))
    .slice(0, codePoints)
    .join('')
}
