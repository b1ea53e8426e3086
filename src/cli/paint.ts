// How entries, people and peers look to a person. Names and texts are made harmless by the output, line by line.
import type { ContactShape, EntryShape, MentionShape, ProfileShape, WarningShape } from '../api/shapes.ts'
import type { Meeting, MeetingRequest } from '../node/comrade.ts'
import { mentionParts } from '../trust/mentions.ts'
import { fileLines } from './file-lines.ts'
import { bold, coloured, dim, type Line, type Segment } from './output.ts'
import { formatAgo } from './quantity.ts'

/** An entry: a line with who, when and its id, then its text, indented. */
export function entryLines(entry: EntryShape): Line[] {
  const head: Line = [
    bold(entry.name),
    warningMark(entry.warnings),
    dim(`  ${formatAgo(entry.time, Date.now())}  ${entry.id}`)
  ]
  const reply: Line[] = entry.reply === null ? [] : [[dim(`  in reply to ${entry.reply}`)]]
  const group: Line[] = entry.group === null ? [] : [[dim(`  to the group ${entry.group}`)]]
  const tags: Line[] =
    entry.tags.length === 0 ? [] : [['  ', coloured('cyan', entry.tags.map((tag) => `#${tag}`).join(' '))]]
  const files = entry.files.flatMap(fileLines)
  return [head, ...group, ...reply, ...textLines(entry), ...apartLines(entry), ...files, ...tags]
}

const GONE = {
  erased: 'erased by its author',
  expired: 'its time is over',
  dropped: 'its text is not kept any more, here or where it came from'
}

function textLines({ type, text, mentions, gone }: EntryShape): Line[] {
  if (type === 'erased') return [[dim(`  (${GONE[gone ?? 'erased']})`)]]
  if (type === 'sealed') return [[dim('  (sealed: not for this device)')]]
  if (text === '') return [] // files without a word
  if (text !== null) return text.split(/\r?\n/).map((line) => ['  ', ...mentioning(line, mentions)])
  return [[dim(`  (${type})`)]]
}

/** A line of a text, with whom it mentions by what the user calls them. */
function mentioning(line: string, mentions: readonly MentionShape[]): Segment[] {
  const dids = mentions.map(({ did }) => did)
  return mentionParts(line, dids).flatMap(({ text, did }) => {
    const mention = mentions.find((each) => each.did === did)
    return mention === undefined ? [text] : [coloured('cyan', `@${mention.name}`), warningMark(mention.warnings)]
  })
}

/** Those who are mentioned and have no place in the text. */
function apartLines({ text, mentions }: EntryShape): Line[] {
  if (mentions.length === 0 || text === null) return []
  const dids = mentions.map(({ did }) => did)
  const placed = new Set(mentionParts(text, dids).map(({ did }) => did))
  const apart = mentions.filter(({ did }) => !placed.has(did))
  return apart.map(({ name, warnings }) => [dim('  for '), coloured('cyan', `@${name}`), warningMark(warnings)])
}

const WARNINGS: Record<string, string> = {
  'mixed-scripts': 'letters of several alphabets',
  'looks-latin': 'letters of another alphabet',
  'hidden-characters': 'characters that do not show',
  'styled-letters': 'styled letters',
  'looks-tagged': 'written like a key tag'
}

/** Stands after a name that somebody claims and that may mislead. */
export function warningMark(warnings: readonly Partial<WarningShape>[]): Segment {
  const says = warnings.map(({ warning, name }) =>
    warning === 'looks-like' ? `looks like ${name}` : (WARNINGS[warning ?? ''] ?? warning)
  )
  return coloured('red', says.length === 0 ? '' : `  (! ${says.join('; ')})`)
}

/** A person, in one line. */
export function contactLine({ name, did, claimed, warnings, relation, vouches, groups, lastSeen }: ContactShape): Line {
  const claim = claimed === null || claimed === name ? '' : `  calls itself ${claimed}`
  const seen = lastSeen === null ? '' : `  seen ${formatAgo(lastSeen, Date.now())}`
  const shared = `in ${groups} of your groups`
  const standing = groups === 0 ? '' : vouches === 0 ? `  ${shared}` : `  vouched for ${vouches} times ${shared}`
  return [bold(name), warningMark(warnings), `  ${relation}${standing}`, dim(`  ${did}${claim}${seen}`)]
}

/** Somebody who wants to be known, in one line. */
export function requestLine({ name, warnings, did, kind, inCommon, by, time }: MeetingRequest): Line {
  const says = {
    asks: 'wants to make your acquaintance',
    introduced: `is introduced by ${by.join(', ')}`,
    asked: 'was asked by you, and has not answered'
  }[kind]
  const known = inCommon === 0 ? '' : `  ${inCommon} of your contacts ${inCommon === 1 ? 'knows' : 'know'} this key`
  return [
    bold(name),
    warningMark(warnings),
    `  ${says}`,
    coloured('cyan', known),
    dim(`  ${did}  ${formatAgo(time, Date.now())}`)
  ]
}

/** How far one has come with somebody, in one line. */
export function meetingLine({ name, did, state }: Meeting): Line {
  const says = { met: 'you have met', requested: 'was asked, and decides', declined: 'declined' }[state]
  return [bold(name), `  ${says}`, dim(`  ${did}`)]
}

/** Oneself. */
export function profileLines({ did, device, name, about }: ProfileShape): Line[] {
  return [
    [dim('name    '), name ?? dim('(none yet)')],
    ...(about === null
      ? []
      : about.split(/\r?\n/).map((line, i): Line => [dim(i === 0 ? 'about   ' : '        '), line])),
    [dim('did     '), did],
    [dim('device  '), device]
  ]
}
