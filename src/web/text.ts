// Text of others, as it may stand in the page. It is always set as text, never as HTML; here it is also made honest:
// what cannot be seen, or reorders what stands around it, is shown as an escape.
import { harmless } from '../trust/names.ts'

/** Emoji that are joined to one sign: the only place in which an invisible joiner is what it seems. */
const JOINED_EMOJI =
  /((?:\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})*\u200d)+\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})*)/u
/** A web address, up to white space or the sign that closes a sentence. */
const WEB_ADDRESS = /(https?:\/\/[^\s<>"'`]*[^\s<>"'`.,;:!?)\]])/u

/** One line: names, tags, group names. */
export function line(text: string): string {
  return clean(text, false)
}

/** Text of several lines. */
export function paragraphs(text: string): string {
  return clean(text, true)
}

function clean(text: string, newlines: boolean): string {
  return text
    .split(JOINED_EMOJI)
    .map((part, index) => (index % 2 === 1 ? part : harmless(part, { newlines })))
    .join('')
}

/** A text in pieces: plain, or the address of a page, as a browser understands it (international names in ASCII). */
export function pieces(text: string): { text: string; href?: string }[] {
  return text.split(WEB_ADDRESS).flatMap((part, index) => {
    if (part === '') return []
    const url = index % 2 === 1 && URL.canParse(part) ? new URL(part) : undefined
    if (url === undefined || url.username !== '') return [{ text: paragraphs(part) }]
    return [{ text: url.href, href: url.href }]
  })
}

/** Tags in a text, each once, without `#`. */
export function tagsIn(text: string): string[] {
  const found = text.matchAll(/(?<![\p{L}\p{N}_/#&])#([\p{L}\p{N}_-]{1,64})/gu)
  return [...new Set([...found].map((match) => match[1]))].filter((tag) => !/^\d+$/.test(tag)).slice(0, 32)
}
