// Whom one may want to speak to: those whom one knows, who is answered, and who is in the group that one writes to.
import type { Candidate } from '../mentions.ts'
import { knownEntry } from './entries.ts'
import { groupOf } from './groups.ts'
import { isMe } from './me.ts'
import { contacts, personOf } from './people.ts'

/** @param reply the post that is answered @param group the group that is written to */
export function candidatesFor({ reply, group }: { reply?: string; group?: string }): Candidate[] {
  const answered = reply === undefined ? undefined : knownEntry(reply)
  const thread = answered === undefined ? [] : [authorOf(answered), ...answered.mentions]
  const place = group ?? answered?.group ?? undefined
  const members = place === undefined ? [] : (groupOf(place)?.members ?? [])
  const known = (contacts.value ?? []).filter(({ relation }) => relation !== 'blocked')
  const names = new Map(known.map((person) => [person.did, person]))
  const near = [...thread, ...members].filter(({ did }) => !isMe(did) && personOf(did)?.relation !== 'blocked')
  const first = near.map((person) => names.get(person.did) ?? person)
  return [...new Map([...first, ...known].map((person) => [person.did, person])).values()]
}

function authorOf({ author, name, warnings }: { author: string } & Omit<Candidate, 'did'>): Candidate {
  return { did: author, name, warnings }
}
