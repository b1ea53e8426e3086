// node.contacts: people by what the user calls them. Errors of the trust layer become the node's.
import { type ContactRecord, TrustError } from '../trust/index.ts'
import type { Contact, Contacts, Invite, Meeting, MeetingRequest, Meetings } from './comrade.ts'
import type { People } from './people.ts'
import { refusalOf } from './refusals.ts'

export class NodeContacts implements Contacts {
  readonly #people: People
  readonly #onChange: () => void
  readonly #meetings: () => Meetings

  constructor(people: People, onChange: () => void, meetings: () => Meetings) {
    this.#people = people
    this.#onChange = onChange
    this.#meetings = meetings
  }

  async list(): Promise<Contact[]> {
    return this.#people.contacts.list().map((record) => toContact(record, this.#people))
  }

  async find(who: string): Promise<Contact> {
    return toContact(this.#find(who), this.#people)
  }

  follow(who: string): Promise<Contact> {
    return this.#change(who, (key) => this.#people.contacts.follow(key))
  }

  unfollow(who: string): Promise<Contact> {
    return this.#change(who, (key) => this.#people.contacts.unfollow(key))
  }

  block(who: string): Promise<Contact> {
    return this.#change(who, (key) => this.#people.contacts.block(key))
  }

  unblock(who: string): Promise<Contact> {
    return this.#change(who, (key) => this.#people.contacts.unblock(key))
  }

  name(who: string, petname: string): Promise<Contact> {
    return this.#change(who, (key) => this.#people.contacts.setPetname(key, petname))
  }

  invite(options?: { expiresInMs?: number; ask?: boolean }): Promise<Invite> {
    return this.#meetings().invite(options)
  }

  look(linkOrDid: string): Promise<Contact> {
    return this.#meetings().look(linkOrDid)
  }

  meet(linkOrDid: string, options?: { name?: string; signal?: AbortSignal }): Promise<Meeting> {
    return this.#meetings().meet(linkOrDid, options)
  }

  requests(): Promise<MeetingRequest[]> {
    return this.#meetings().requests()
  }

  accept(who: string, options?: { name?: string; signal?: AbortSignal }): Promise<Meeting> {
    return this.#meetings().accept(who, options)
  }

  decline(who: string): Promise<Meeting> {
    return this.#meetings().decline(who)
  }

  introduce(one: string, other: string): Promise<void> {
    return this.#meetings().introduce(one, other)
  }

  async #change(who: string, change: (key: Uint8Array) => ContactRecord): Promise<Contact> {
    const { key } = this.#find(who)
    const record = asNodeError(() => change(key))
    this.#onChange()
    return toContact(record, this.#people)
  }

  #find(who: string): ContactRecord {
    return asNodeError(() => this.#people.contacts.find(who))
  }
}

export function toContact(record: ContactRecord, people: People): Contact {
  return {
    did: record.did,
    name: record.name,
    ...(record.claimed === undefined ? {} : { claimed: record.claimed }),
    warnings: people.contacts.names.notesOf(record),
    relation: record.isFriend ? 'friend' : record.relation,
    ...people.standingOf(record.key),
    ...(record.lastSeen === undefined ? {} : { lastSeen: new Date(record.lastSeen).toISOString() })
  }
}

/** What the user asked for is the node's to answer: unknown and ambiguous names keep their code, the rest is bad input. */
export function asNodeError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof TrustError)) throw error
    throw refusalOf(error)
  }
}
