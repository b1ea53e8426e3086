// What a user may do to come to know people: invite, meet, accept, decline, introduce. What goes over the network for it
// is in encounters.ts.
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import {
  type Acquaintance,
  type ContactRecord,
  decodeLink,
  displayName,
  encodeLink,
  foldName,
  formatDid,
  harmless,
  type Introduction,
  isLinkLike,
  type Link,
  parseDid,
  REQUEST_LIFE_MS,
  tagOf
} from '../trust/index.ts'
import { ipOf, isPublicIp } from './addresses.ts'
import {
  type Contact,
  type Directory,
  type Invite,
  type Meeting,
  type MeetingRequest,
  type Meetings,
  NodeError
} from './comrade.ts'
import type { Connections } from './connections.ts'
import { asNodeError, toContact } from './contacts.ts'
import type { Encounters } from './encounters.ts'
import type { People } from './people.ts'
import { refuse } from './refusal-sentences.ts'

const DEFAULT_INVITE_MS = 86_400_000
const MIN_INVITE_MS = 1_000
/** Longest life of an invite, in ms: a year. */
const MAX_INVITE_MS = 365 * 86_400_000
/** Devices of one person that are tried. */
const MAX_PLACES = 8
/** How long the devices that are known of a person are tried, all together, in ms. */
const APPROACH_LIMIT_MS = 12_000
const MAX_SHOWN = 80

export interface MeetingsOptions {
  /** Own root key. */
  root: Uint8Array
  people: People
  connections: Connections
  encounters: Encounters
  /** Finds a person's devices. */
  directory: Directory
  /** Who is followed has changed. */
  onChange: () => void
  onMet: (person: Uint8Array) => void
}

/** Where a device of somebody may be. */
interface Place {
  peerId: string
  addresses: string[]
}

export class NodeMeetings implements Meetings {
  readonly #options: MeetingsOptions

  constructor(options: MeetingsOptions) {
    this.#options = options
  }

  async invite({
    expiresInMs = DEFAULT_INVITE_MS,
    ask = false
  }: { expiresInMs?: number; ask?: boolean } = {}): Promise<Invite> {
    if (!(expiresInMs >= MIN_INVITE_MS && expiresInMs <= MAX_INVITE_MS))
      throw new NodeError('BAD_INPUT', `an invite lasts from a second to a year, not ${expiresInMs} ms`)
    const { root, people, connections } = this.#options
    const { libp2p } = connections
    // A link has whole seconds.
    const expiresMs = Math.floor((Date.now() + expiresInMs) / 1_000) * 1_000
    const secret = people.contacts.invites.create({ expiresMs, isAsking: ask })
    const addresses = libp2p.getMultiaddrs().map(String).toSorted(byReach)
    const peerKey = libp2p.peerId.publicKey!.raw
    return {
      link: encodeLink({ kind: 'meet', root, secret, expiresMs, peerKey, addresses }),
      expires: new Date(expiresMs).toISOString()
    }
  }

  async look(linkOrDid: string): Promise<Contact> {
    const { people } = this.#options
    return toContact(people.contacts.get(this.#read(linkOrDid).person), people)
  }

  async meet(linkOrDid: string, { name, signal }: { name?: string; signal?: AbortSignal } = {}): Promise<Meeting> {
    const { link, person } = this.#read(linkOrDid)
    const { contacts } = this.#options.people
    if (name !== undefined) asNodeError(() => contacts.checkPetname(person, name))
    if (link !== undefined) return this.#meetByLink(link, name, signal)
    const isAsking = contacts.acquaintances.of(person)?.state === 'asks'
    return isAsking ? this.#accept(person, name, signal) : this.#meetByDid(person, name, signal)
  }

  async requests(): Promise<MeetingRequest[]> {
    return this.#listed()
  }

  /** The request of this person, as it is listed; undefined when there is none. */
  requestOf(person: Uint8Array): MeetingRequest | undefined {
    const did = formatDid(person)
    return this.#listed().find((request) => request.did === did)
  }

  #listed(): MeetingRequest[] {
    const { contacts } = this.#options.people
    const pending = contacts.acquaintances.pending().map((each) => this.#toRequest(each))
    const introduced = Map.groupBy(contacts.introductions.list(), ({ person }) => formatDid(person))
    const others = [...introduced.values()]
      .filter(([{ person }]) => contacts.acquaintances.of(person) === undefined)
      .map((introductions) => this.#toIntroduced(introductions))
    return [...pending, ...others].toSorted((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0))
  }

  async accept(who: string, { name, signal }: { name?: string; signal?: AbortSignal } = {}): Promise<Meeting> {
    const { did, kind } = this.#find(who)
    const person = parseDid(did)
    if (kind === 'asked') throw new NodeError('NOT_FOUND', refuse('refusal.askedByYou', { name: harmless(who) }))
    if (name !== undefined) asNodeError(() => this.#options.people.contacts.checkPetname(person, name))
    return kind === 'asks' ? this.#accept(person, name, signal) : this.#meetByDid(person, name, signal)
  }

  async decline(who: string): Promise<Meeting> {
    const { did, name, kind } = this.#find(who)
    const { acquaintances } = this.#options.people.contacts
    // What one asked oneself is taken back: they may still ask.
    if (kind === 'asked') acquaintances.forget(parseDid(did))
    else acquaintances.decline(parseDid(did))
    return { did, name, state: 'declined' }
  }

  async introduce(one: string, other: string): Promise<void> {
    const [first, second] = [this.#contact(one), this.#contact(other)]
    if (first.did === second.did)
      throw new NodeError('BAD_INPUT', refuse('refusal.samePerson', { name: harmless(first.name) }))
    const results = await Promise.allSettled([this.#introduce(first, second), this.#introduce(second, first)])
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #meetByLink(link: Link, name: string | undefined, signal: AbortSignal | undefined): Promise<Meeting> {
    const { acquaintances } = this.#options.people.contacts
    const before = acquaintances.of(link.root)?.state
    if (before !== 'met') acquaintances.ask(link.root) // they may agree before their answer is here
    try {
      const outcome = await this.#bring(link, signal)
      return this.#result(link.root, outcome, name)
    } catch (error) {
      if (before === undefined) acquaintances.forget(link.root)
      throw error
    }
  }

  /** Where the link says that they are, or, if they are no longer there, where the directory does. */
  async #bring(link: Link, signal: AbortSignal | undefined): Promise<'met' | 'requested'> {
    const { connections, encounters } = this.#options
    const peer = peerIdFromPublicKey(publicKeyFromRaw(link.peerKey))
    try {
      await connections.dialler.reach(peer, link.addresses, { isGiven: true, signal })
    } catch (error) {
      const places = await this.#resolve(link.root, signal)
      const place = places.find(({ peerId }) => peerId === peer.toString())
      if (place === undefined) throw error
      await connections.dialler.reach(peer, place.addresses, { signal })
    }
    return encounters.bringInvite(link, peer, signal)
  }

  /** Asks all devices that are known until one answers; if none does, the request stands until one can be reached. */
  async #meetByDid(person: Uint8Array, name: string | undefined, signal: AbortSignal | undefined): Promise<Meeting> {
    const { contacts } = this.#options.people
    const before = contacts.acquaintances.of(person)
    if (contacts.get(person).isFriend) return this.#result(person, 'met', name)
    contacts.acquaintances.ask(person) // before they are asked: they may ask at the same time
    const known = this.#knownPlaces(person)
    let outcome = await this.#askAt(person, known, signal)
    const found = outcome === undefined ? await this.#resolve(person, signal) : []
    outcome ??= await this.#askAt(person, found, signal)
    if (outcome === undefined && known.length + found.length === 0) {
      if (before === undefined) contacts.acquaintances.forget(person)
      throw new NodeError('NOT_FOUND', refuse('refusal.whereabouts', { did: formatDid(person) }))
    }
    return this.#result(person, outcome ?? 'requested', name)
  }

  /** Says yes to a request: from here on they are followed, and told as soon as they can be reached. */
  async #accept(person: Uint8Array, name: string | undefined, signal: AbortSignal | undefined): Promise<Meeting> {
    const { people, connections, onChange, onMet } = this.#options
    const { contacts } = people
    const { peer, addresses: named } = contacts.acquaintances.of(person)!
    const addresses = named.filter((address) => connections.addresses.isAllowed(address))
    asNodeError(() => contacts.follow(person))
    contacts.acquaintances.meet(person, false)
    if (peer !== undefined) this.#remember(person, [{ peerId: peer, addresses }])
    const result = this.#result(person, 'met', name)
    onChange()
    onMet(person)
    const isHere = peer !== undefined && connections.libp2p.getConnections(peerIdFromString(peer)).length > 0
    if (isHere) await this.#askAt(person, [{ peerId: peer, addresses: [] }], signal)
    return { ...result, name: contacts.get(person).name }
  }

  #result(person: Uint8Array, state: 'met' | 'requested', petname: string | undefined): Meeting {
    const { contacts } = this.#options.people
    if (petname !== undefined) asNodeError(() => contacts.setPetname(person, petname))
    this.#options.onChange()
    const { did, name } = contacts.get(person)
    return { did, name, state }
  }

  /** @returns undefined when nobody could be asked */
  async #askAt(
    person: Uint8Array,
    places: readonly Place[],
    signal: AbortSignal | undefined
  ): Promise<'met' | 'requested' | undefined> {
    const { connections, encounters } = this.#options
    this.#remember(person, places)
    const timeout = AbortSignal.timeout(APPROACH_LIMIT_MS)
    const limit = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
    for (const { peerId, addresses } of places.slice(0, MAX_PLACES)) {
      if (limit.aborted) break
      try {
        const peer = peerIdFromString(peerId)
        await connections.dialler.reach(peer, addresses, { signal: limit })
        return await encounters.acquaint(person, peer, limit)
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof NodeError) && !timeout.aborted) throw error
      }
    }
    return undefined
  }

  async #resolve(person: Uint8Array, signal: AbortSignal | undefined): Promise<Place[]> {
    try {
      return (await this.#options.directory.resolve(formatDid(person), { signal })).devices
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof NodeError) return []
      throw error
    }
  }

  /** Where a person may be by what is known here: met before, or by the word of a contact. */
  #knownPlaces(person: Uint8Array): Place[] {
    const { contacts } = this.#options.people
    const known = contacts.addresses.of(person).map(({ address }) => address)
    const told = contacts.introductions.of(person).flatMap(({ addresses }) => addresses)
    const usable = [...known, ...told].filter((address) => this.#options.connections.addresses.isAllowed(address))
    const places = Map.groupBy(usable, (address) => /\/p2p\/([^/]+)$/.exec(address)?.[1] ?? '')
    places.delete('')
    return [...places].map(([peerId, addresses]) => ({ peerId, addresses: [...new Set(addresses)] }))
  }

  /** So that they are dialled again while the request stands. */
  #remember(person: Uint8Array, places: readonly Place[]): void {
    const { people, connections } = this.#options
    for (const { peerId, addresses } of places) {
      for (const address of addresses.filter((each) => connections.addresses.isAllowed(each))) {
        try {
          people.contacts.addresses.remember({ address, peerId, identity: person })
        } catch {
          // it names another peer, or is longer than an address is
        }
      }
    }
  }

  async #introduce(to: ContactRecord, person: ContactRecord): Promise<void> {
    const { connections, encounters } = this.#options
    const places = this.#knownPlaces(to.key)
    const here = connections.peersOf(to.key)[0]
    if (here !== undefined) return encounters.introduce(here, person)
    for (const { peerId, addresses } of places.slice(0, MAX_PLACES)) {
      const peer = peerIdFromString(peerId)
      const isReached = await connections.dialler.reach(peer, addresses).then(
        () => true,
        () => false
      )
      if (isReached) return encounters.introduce(peer, person)
    }
    throw new NodeError('UNREACHABLE', refuse('refusal.introduceLater', { name: harmless(to.name) }))
  }

  /** Whom one follows, by name. @throws NodeError WHO_UNKNOWN, WHO_AMBIGUOUS, BAD_INPUT */
  #contact(who: string): ContactRecord {
    const contact = asNodeError(() => this.#options.people.contacts.find(who))
    if (contact.relation === 'followed') return contact
    throw new NodeError('BAD_INPUT', refuse('refusal.notFollowed', { name: harmless(contact.name) }))
  }

  /** A request by did, by its name as it is listed, by the key tag, or by a claimed name that only one has. */
  #find(who: string): MeetingRequest {
    const text = who.trim()
    const requests = this.#listed()
    const nameless = ({ did, name }: MeetingRequest): string => foldName(name.replace(tagOf(did), ''))
    const searches: ((request: MeetingRequest) => boolean)[] = [
      ({ did, name }) => did === text || name === text || tagOf(did) === text,
      (request) => nameless(request) === foldName(text)
    ]
    const found = searches.map((fits) => requests.filter(fits)).find(({ length }) => length > 0) ?? []
    if (found.length === 1) return found[0]
    const shown = harmless(text.slice(0, MAX_SHOWN))
    if (found.length === 0) throw new NodeError('NOT_FOUND', refuse('refusal.noRequest', { name: shown }))
    const choices = found.map(({ did, name }) => `${harmless(name)} (${did})`).join(', ')
    throw new NodeError('WHO_AMBIGUOUS', `"${shown}" is the name of ${found.length} people: ${choices}`)
  }

  #toRequest({ person, state, name, timeMs, expiresMs }: Acquaintance): MeetingRequest {
    return this.#request(person, state === 'asks' ? 'asks' : 'asked', name, timeMs, expiresMs)
  }

  #toIntroduced(introductions: readonly Introduction[]): MeetingRequest {
    const [{ person, name, timeMs }] = introductions
    return this.#request(person, 'introduced', name, timeMs, timeMs + REQUEST_LIFE_MS)
  }

  #request(
    person: Uint8Array,
    kind: MeetingRequest['kind'],
    claimed: string | undefined,
    timeMs: number,
    expiresMs: number
  ): MeetingRequest {
    const { people, encounters } = this.#options
    const { contacts } = people
    const record = contacts.get(person)
    const known = { ...record, claimed: record.claimed ?? claimed }
    return {
      did: record.did,
      name: displayName(known),
      warnings: contacts.names.notesOf(known),
      kind,
      inCommon: encounters.contactsInCommon(person).length,
      by: contacts.introductions.of(person).map(({ by }) => contacts.get(by).name),
      time: new Date(timeMs).toISOString(),
      expires: new Date(expiresMs).toISOString()
    }
  }

  /** Reads what a user gave. @throws NodeError BAD_INPUT (also for oneself, and for somebody who is blocked), EXPIRED */
  #read(linkOrDid: string): { person: Uint8Array; link?: Link } {
    const link = isLinkLike(linkOrDid) ? asNodeError(() => decodeLink(linkOrDid, 'meet')) : undefined
    const person = link?.root ?? asNodeError(() => parseDid(linkOrDid.trim()))
    const { root, people } = this.#options
    if (Buffer.compare(person, root) === 0) throw new NodeError('BAD_INPUT', refuse('refusal.yourself'))
    const { relation, name } = people.contacts.get(person)
    if (relation === 'blocked') throw new NodeError('BAD_INPUT', refuse('refusal.blocked', { name: harmless(name) }))
    if (link !== undefined && link.expiresMs <= Date.now()) {
      const endTime = new Date(link.expiresMs).toISOString()
      throw new NodeError('EXPIRED', refuse('refusal.inviteExpired', { endTime }))
    }
    return { person, link }
  }
}

/** Addresses that anybody can dial first, those of this machine alone last. */
function byReach(a: string, b: string): number {
  return reachOf(b) - reachOf(a)
}

function reachOf(address: string): number {
  const ip = ipOf(multiaddr(address))
  if (ip === undefined || isPublicIp(ip)) return 2
  return ip === '::1' || ip.startsWith('127.') ? 0 : 1
}
