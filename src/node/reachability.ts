// Who can be reached and why not, in words for people: of this node from outside, and of those whom its owner follows.
import type { PeerId } from '@libp2p/interface'
import type { Sentence } from '../feeds/index.ts'
import { type ContactRecord, type Contacts, harmless } from '../trust/index.ts'
import { ipOf, isPublicIp, isRelayed } from './addresses.ts'
import { checkOf } from './check.ts'
import type { Check } from './comrade.ts'
import type { Network } from './network.ts'
import type { RedialState } from './redial.ts'
import { advise, sayCheck, sayDial } from './sentences.ts'

/** People named one by one. */
const MAX_NAMED = 50

/** How it stands with a person who is followed. */
export interface PersonReach {
  name: string
  connection: 'direct' | 'relayed' | 'none'
  /** Addresses that are known. */
  addresses: number
  /** Unix ms. */
  lastConnectedMs?: number
  /** What went wrong at the last attempt. */
  error?: unknown
  /** When it is tried again, Unix ms. */
  dueMs?: number
}

export interface Reach {
  /** Own addresses that are announced, and of them those on the public Internet, and those that lead through a relay. */
  addresses: { all: number; public: number; relayed: number }
  /** Somebody on the public Internet has connected to this node within a day. */
  isReached: boolean
  /** What others see of the port from which this node dials. */
  observed: string[]
  /** Names of the friends at whom this node waits. */
  relays: string[]
  /** Absent when nothing is passed on. */
  relay?: { waiting: number; relayed: number; bytes: number; bytesPerHour: number }
  people: PersonReach[]
}

/** Where it is known from. */
export interface ReachSources {
  network: Network
  contacts: Contacts
  contactOf: (peerId: PeerId) => ContactRecord | undefined
  stateOf: (peerId: string) => RedialState | undefined
}

export function reachOf(sources: ReachSources): Reach {
  const { libp2p, reservations, holePunch, relay } = sources.network
  const addresses = libp2p.getMultiaddrs()
  const direct = addresses.filter((address) => !isRelayed(address))
  return {
    addresses: {
      all: addresses.length,
      public: direct.filter((address) => isPublicIp(ipOf(address) ?? '')).length,
      relayed: addresses.length - direct.length
    },
    isReached: reservations.isReached,
    observed: holePunch.observed.map((address) => address.toString().replace(/\/p2p\/[^/]+$/, '')),
    relays: reservations.relays.map((peerId) => sources.contactOf(peerId)?.name ?? peerId.toString()),
    relay: relay && {
      waiting: relay.reservations.length,
      relayed: relay.relayed,
      bytes: relay.bytes,
      bytesPerHour: relay.bytesPerHour
    },
    people: peopleOf(sources)
  }
}

function peopleOf({ network, contacts, contactOf, stateOf }: ReachSources): PersonReach[] {
  const connected = new Map<string, PersonReach['connection']>()
  for (const peerId of network.libp2p.getPeers()) {
    const did = contactOf(peerId)?.did
    const isRelay = network.isRelayed({ peerId: peerId.toString() })
    if (did !== undefined && connected.get(did) !== 'direct') connected.set(did, isRelay ? 'relayed' : 'direct')
  }
  const people = contacts.list().filter(({ relation }) => relation === 'followed')
  return people.map((person) => {
    const addresses = contacts.addresses.of(person.key)
    const peers = [...new Set(addresses.map(({ peerId }) => peerId))]
    const states = peers.flatMap((peerId) => (peerId === undefined ? undefined : stateOf(peerId)) ?? [])
    const state = states.find(({ error }) => error !== undefined) ?? states[0]
    const lastConnectedMs = Math.max(person.lastSeen ?? 0, ...addresses.map(({ lastSuccess }) => lastSuccess ?? 0))
    return {
      name: person.name,
      connection: connected.get(person.did) ?? 'none',
      addresses: addresses.length,
      ...(lastConnectedMs === 0 ? {} : { lastConnectedMs }),
      ...(state === undefined ? {} : { error: state.error, dueMs: state.dueMs })
    }
  })
}

/**
 * The checks. `ok` is false only for what is wrong with this node: that a friend sleeps, or that a router is in the way,
 * is told with what can be done, but is no fault.
 */
export function checkReach(reach: Reach, nowMs: number): Check[] {
  return [checkOutside(reach), checkRelay(reach), checkContacts(reach), ...checkAway(reach, nowMs)]
}

function checkOutside({ addresses, isReached, observed, relays }: Reach): Check {
  const seen = observed.length === 0 ? [] : [sayCheck('reachable.seen', { addresses: observed })]
  const found = (sentence: Sentence, advice?: Sentence): Check =>
    checkOf('reachable', true, [sentence, ...seen], advice)
  if (isReached) return found(sayCheck('reachable.used'))
  if (relays.length > 0) return found(sayCheck('reachable.relayed', { names: relays }))
  if (addresses.public > 0) return found(sayCheck('reachable.public', { count: addresses.public }))
  return found(sayCheck('reachable.local'), advise('advice.forwardPort'))
}

function checkRelay({ relay }: Reach): Check {
  if (relay === undefined) return checkOf('relay', true, sayCheck('relay.off'))
  const { waiting, relayed, bytes, bytesPerHour } = relay
  const found = sayCheck('relay.on', { waiting, relayed, passedBytes: bytes, hourlyBytes: bytesPerHour })
  return checkOf('relay', true, found, bytes < bytesPerHour ? undefined : advise('advice.nextHour'))
}

function checkContacts({ people }: Reach): Check {
  if (people.length === 0) return checkOf('contacts', true, sayCheck('contacts.none'), advise('advice.follow'))
  const relayed = people.filter(({ connection }) => connection === 'relayed').length
  const connected = people.filter(({ connection }) => connection !== 'none').length
  return checkOf('contacts', true, sayCheck('contacts.connected', { connected, relayed, count: people.length }))
}

function checkAway({ people }: Reach, nowMs: number): Check[] {
  const away = people.filter(({ connection }) => connection === 'none')
  const checks = away.slice(0, MAX_NAMED).map((person) => checkPerson(person, nowMs))
  if (away.length <= MAX_NAMED) return checks
  return [...checks, checkOf('contact', true, sayCheck('contact.more', { count: away.length - MAX_NAMED }))]
}

function checkPerson({ name, addresses, lastConnectedMs, error, dueMs }: PersonReach, nowMs: number): Check {
  const { reason, advice } =
    addresses === 0 ? { reason: sayDial('dial.noAddress'), advice: advise('advice.theirAddress') } : explainDial(error)
  const found = [
    sayCheck('contact.away', { name: harmless(name), reason }),
    lastConnectedMs === undefined
      ? sayCheck('contact.neverReached')
      : sayCheck('contact.lastReached', { lastTime: new Date(lastConnectedMs).toISOString() })
  ]
  if (dueMs !== undefined) found.push(sayCheck('contact.again', { inMs: Math.max(0, dueMs - nowMs) }))
  return checkOf('contact', true, found, advice)
}

/** Parts of the messages of Node.js and libp2p, and what they mean. */
const REASONS: [pattern: RegExp, reason: Sentence, advice: Sentence][] = [
  [/ECONNREFUSED/, sayDial('dial.refused'), advise('advice.askStatus')],
  [/ENETUNREACH|EHOSTUNREACH|ENETDOWN/, sayDial('dial.noNetwork'), advise('advice.ownNetwork')],
  [/denied all addresses|none of the addresses may/, sayDial('dial.private'), advise('advice.lanOn')],
  [
    /status (NO_RESERVATION|PERMISSION_DENIED|CONNECTION_FAILED)/,
    sayDial('dial.relayCannot'),
    advise('advice.askRuns')
  ],
  [/status RESOURCE_LIMIT|RESERVATION_REFUSED/, sayDial('dial.relayFull'), advise('advice.later')],
  [
    /(peer id|identity|remote).*(mismatch|match|unexpected)|UnexpectedPeer/i,
    sayDial('dial.otherPeer'),
    advise('advice.presentAddress')
  ],
  [
    /no direct address|no valid addresses|NoValidAddresses/i,
    sayDial('dial.noUsableAddress'),
    advise('advice.theirAddress')
  ],
  [/timeout|timed out|in time|ETIMEDOUT|aborted/i, sayDial('dial.silence'), advise('advice.askRouter')]
]

/** What a failed dial means, and what to do. */
export function explainDial(error: unknown): { reason: Sentence; advice: Sentence } {
  if (error === undefined) return { reason: sayDial('dial.untried'), advice: advise('advice.wait') }
  const text = messageOf(error)
  const known = REASONS.find(([pattern]) => pattern.test(text))
  if (known !== undefined) return { reason: known[1], advice: known[2] }
  const problem = harmless(text.split('\n')[0].slice(0, 200))
  return { reason: sayDial('dial.other', { problem }), advice: advise('advice.askRuns') }
}

/** libp2p puts one error for each address into one. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
