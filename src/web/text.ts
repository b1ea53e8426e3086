// Text of others, as it may stand in the page. It is always set as text, never as HTML; here it is also made honest:
// what cannot be seen, or reorders what stands around it, is shown as an escape.
import { mentionParts } from '../trust/mentions.ts'
import { harmless } from '../trust/names.ts'
import { isPrivateHost } from './private-host.ts'
import type { EntryShape } from './shapes.ts'

/** Emoji that are joined to one sign: the only place in which an invisible joiner is what it seems. */
const JOINED_EMOJI =
  /((?:\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})*\u200d)+\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})*)/u
/** A web address, up to white space or the sign that closes a sentence. */
const WEB_ADDRESS = /(https?:\/\/[^\s<>"'`]*[^\s<>"'`.,;:!?)\]])/u

/** A tag, where it is neither part of a word nor of an address. */
const TAG = /(?<![\p{L}\p{N}_/#&])#([\p{L}\p{N}_-]{1,64})/gu

/** Characters of an address that are shown. */
const MAX_SHOWN = 100

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

/** A part of a text as it is shown: plain, an address that can be followed, a person who is meant, or a tag. */
export interface Piece {
  text: string
  href?: string
  did?: string
  tag?: string
}

/**
 * A text in pieces. Addresses are shown as a browser understands them (international names in ASCII), long ones in part; those
 * of the own machine or network are text. @param dids whom the text mentions @param tags those of the post
 */
export function pieces(text: string, dids: readonly string[] = [], tags: readonly string[] = []): Piece[] {
  return mentionParts(text, dids).flatMap((part) =>
    part.did === undefined ? addressPieces(part.text, tags) : [{ text: line(part.text), did: part.did }]
  )
}

function addressPieces(text: string, tags: readonly string[]): Piece[] {
  return text.split(WEB_ADDRESS).flatMap((part, index) => {
    if (part === '') return []
    if (index % 2 === 0) return tagPieces(part, tags)
    const url = URL.canParse(part) ? new URL(part) : undefined
    if (url === undefined || url.username !== '' || isPrivateHost(url.hostname)) return [{ text: paragraphs(part) }]
    return [{ text: shortened(url.href), href: url.href }]
  })
}

/** Only what the author has made a tag of the post is one. */
function tagPieces(text: string, tags: readonly string[]): Piece[] {
  const byName = new Map(tags.map((tag) => [tag.toLowerCase(), tag]))
  const found: Piece[] = []
  let end = 0
  for (const { 0: written, 1: name, index } of text.matchAll(TAG)) {
    const tag = byName.get(name.toLowerCase())
    if (tag === undefined) continue
    if (index > end) found.push({ text: paragraphs(text.slice(end, index)) })
    found.push({ text: line(written), tag })
    end = index + written.length
  }
  if (end < text.length) found.push({ text: paragraphs(text.slice(end)) })
  return found
}

function shortened(address: string): string {
  return address.length > MAX_SHOWN ? `${address.slice(0, MAX_SHOWN)}…` : address
}

/**
 * A text for where nothing leads anywhere: with the names of whom it mentions.
 * @param me did of the user, whose own name needs no end of a key
 */
export function withNames({ text, mentions }: Pick<EntryShape, 'text' | 'mentions'>, me?: string): string {
  const names = new Map(mentions.map(({ did, name }) => [did, did === me ? (claimOf(did, name) ?? name) : name]))
  const parts = mentionParts(text ?? '', [...names.keys()])
  return parts.map((part) => (part.did === undefined ? part.text : `@${names.get(part.did)}`)).join('')
}

/** What somebody calls themselves, of a name with the end of their key; undefined when the user gave it. */
export function claimOf(did: string, name: string): string | undefined {
  const tag = `#${did.slice(-8)}`
  return name.endsWith(tag) ? name.slice(0, -tag.length) : undefined
}

/** Tags in a text, each once, without `#`. */
export function tagsIn(text: string): string[] {
  return [...new Set([...text.matchAll(TAG)].map((match) => match[1]))].filter((tag) => !/^\d+$/.test(tag)).slice(0, 32)
}
