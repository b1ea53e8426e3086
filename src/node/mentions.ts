// Whom posts speak to: found by what the user calls them when a post is written, and called so when it is read.
import type { Body, Post } from '../feeds/index.ts'
import {
  cleanClaim,
  type Contacts,
  type ContactRecord,
  displayName,
  MAX_MENTIONS,
  type Mentionable,
  mentionedDids,
  mentionParts,
  parseDid,
  withPlaces
} from '../trust/index.ts'
import { type Mention, NodeError } from './comrade.ts'
import { asNodeError } from './contacts.ts'
import type { People } from './people.ts'

/**
 * In a post, `mentions` may name people as Contacts.find understands them, and its text may call them `@` and that name:
 * both are written as other readers understand them. A petname does not leave this device by that.
 * @throws NodeError WHO_UNKNOWN, WHO_AMBIGUOUS, BAD_INPUT
 */
export function withMentions(body: Body, contacts: Contacts): Body {
  const { type, text, mentions } = body
  if (type !== 'post' || !isTexts(mentions) || typeof text !== 'string') return body
  const people = new Map<string, Mentionable & { names: string[] }>()
  for (const who of mentions) {
    const record = asNodeError(() => contacts.find(who))
    if (!people.has(record.did)) people.set(record.did, mentionable(record))
    people.get(record.did)!.names.push(who.trim())
  }
  if (people.size > MAX_MENTIONS)
    throw new NodeError('BAD_INPUT', `a post mentions at most ${MAX_MENTIONS} people, and this one ${people.size}`)
  return { ...body, text: withPlaces(text, [...people.values()]), mentions: [...people.keys()] }
}

function mentionable({ did, name, petname, claimed }: ContactRecord): Mentionable & { names: string[] } {
  return { did, claimed, names: [name, did, petname, claimed].filter((each) => each !== undefined) }
}

/** Those whom a post mentions, by what the user calls them; of somebody unknown, by what the author wrote. */
export function mentionsOf({ text, mentions }: Post, people: People): Mention[] {
  const dids = mentionedDids(mentions)
  if (dids.length === 0) return []
  const parts = mentionParts(text, dids)
  return dids.flatMap((did) => {
    const key = keyOf(did)
    if (key === undefined) return []
    const record = people.contacts.get(key)
    const label = parts.find((part) => part.did === did)?.label ?? ''
    const named = { ...record, claimed: record.claimed ?? cleanClaim(label) }
    return [{ did, name: displayName(named), warnings: people.contacts.names.notesOf(named) }]
  })
}

/** A body's dids look like dids, and need not be keys. */
function keyOf(did: string): Uint8Array | undefined {
  try {
    return parseDid(did)
  } catch {
    return undefined
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}
