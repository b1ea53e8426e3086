// Who can be reached and why not, in words for people: of this node from outside, and of those whom its owner follows.
import type { PeerId } from '@libp2p/interface'
import { type ContactRecord, type Contacts, harmless } from '../trust/index.ts'
import { ipOf, isPublicIp, isRelayed } from './addresses.ts'
import type { Check } from './comrade.ts'
import type { Network } from './network.ts'
import type { RedialState } from './redial.ts'

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
  const seen = observed.length === 0 ? '' : `; others see this node at ${observed.join(', ')}`
  const check = { check: 'reachable', ok: true }
  if (isReached) return { ...check, detail: `somebody on the Internet has connected to this node${seen}` }
  if (relays.length > 0) return { ...check, detail: `others reach this node through ${relays.join(' and ')}${seen}` }
  if (addresses.public > 0)
    return { ...check, detail: `${addresses.public} public addresses are announced; nobody has used one yet${seen}` }
  return {
    ...check,
    detail: `only the local network can reach this node${seen}`,
    todo: 'have the router forward the port that `comrade config get listen` names, or let a friend who can be reached follow you: their node then passes connections on'
  }
}

function checkRelay({ relay }: Reach): Check {
  if (relay === undefined)
    return { check: 'relay', ok: true, detail: 'nothing is passed on for friends: as configured' }
  const { waiting, relayed, bytes, bytesPerHour } = relay
  const detail = `${waiting} friends or own devices wait here to be reached, ${relayed} connections are passed on, ${bytes} of ${bytesPerHour} bytes within this hour`
  return { check: 'relay', ok: true, detail, ...(bytes < bytesPerHour ? {} : { todo: 'wait for the next hour' }) }
}

function checkContacts({ people }: Reach): Check {
  const relayed = people.filter(({ connection }) => connection === 'relayed').length
  const connected = people.filter(({ connection }) => connection !== 'none').length
  const detail =
    people.length === 0
      ? 'you follow nobody'
      : `connected with ${connected} of ${people.length} people whom you follow, ${relayed} of them through a friend`
  return { check: 'contacts', ok: true, detail, ...(people.length > 0 ? {} : { todo: 'comrade follow <did>' }) }
}

function checkAway({ people }: Reach, nowMs: number): Check[] {
  const away = people.filter(({ connection }) => connection === 'none')
  const checks = away.slice(0, MAX_NAMED).map((person) => checkPerson(person, nowMs))
  if (away.length <= MAX_NAMED) return checks
  return [...checks, { check: 'contact', ok: true, detail: `and ${away.length - MAX_NAMED} more are not connected` }]
}

function checkPerson({ name, addresses, lastConnectedMs, error, dueMs }: PersonReach, nowMs: number): Check {
  const last =
    lastConnectedMs === undefined ? 'never reached' : `last reached ${new Date(lastConnectedMs).toISOString()}`
  const { reason, todo } =
    addresses === 0
      ? { reason: 'no address is known', todo: 'comrade up --peer <an address of theirs>' }
      : explainDial(error)
  const again = dueMs === undefined ? '' : `; tried again in ${Math.ceil(Math.max(0, dueMs - nowMs) / 1_000)} s`
  return { check: 'contact', ok: true, detail: `${harmless(name)} is away: ${reason}; ${last}${again}`, todo }
}

/** Parts of the messages of Node.js and libp2p, and what they mean. */
const REASONS: [pattern: RegExp, reason: string, todo: string][] = [
  [
    /ECONNREFUSED/,
    'the machine answers, but no node listens there',
    'ask whether their node runs: `comrade status` tells it'
  ],
  [/ENETUNREACH|EHOSTUNREACH|ENETDOWN/, 'there is no way to their network from here', 'look at your own network first'],
  [
    /denied all addresses|none of the addresses may/,
    'only private addresses are known, and they are not dialled',
    'comrade config set lan on, when they are in your network'
  ],
  [
    /status (NO_RESERVATION|PERMISSION_DENIED|CONNECTION_FAILED)/,
    'the friend who passes connections on cannot reach them at the moment',
    'ask whether their node runs'
  ],
  [/status RESOURCE_LIMIT|RESERVATION_REFUSED/, 'the friend who passes connections on has no room', 'try again later'],
  [
    /(peer id|identity|remote).*(mismatch|match|unexpected)|UnexpectedPeer/i,
    'somebody else answers at their address',
    'ask them for their present address'
  ],
  [
    /no direct address|no valid addresses|NoValidAddresses/i,
    'no address is known that can be dialled',
    'comrade up --peer <an address of theirs>'
  ],
  [
    /timeout|timed out|in time|ETIMEDOUT|aborted/i,
    'nobody answers there',
    'ask whether their node runs, and whether a router is in the way'
  ]
]

/** What a failed dial means, and what to do. */
export function explainDial(error: unknown): { reason: string; todo: string } {
  if (error === undefined) return { reason: 'not tried yet', todo: 'wait a moment' }
  const text = messageOf(error)
  const known = REASONS.find(([pattern]) => pattern.test(text))
  if (known !== undefined) return { reason: known[1], todo: known[2] }
  return { reason: harmless(text.split('\n')[0].slice(0, 200)), todo: 'ask whether their node runs' }
}

/** libp2p puts one error for each address into one. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
