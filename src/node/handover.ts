// What an identity hands over to a device that joins it: the message, what is kept of it beside the new keys, and how it
// gets into the store. Until then it lies in one file that appears together with the keys, so that a crash loses nothing.
import { multiaddr } from '@multiformats/multiaddr'
import * as v from 'valibot'
import { bodyOf, decodeCbor, encodeCbor, entriesOf, type FeedStore, unpackFeed } from '../feeds/index.ts'
import { type DirectoryMaterial, evaluateIdentityLog, type SelfKey, type TopicSecret } from '../trust/index.ts'
import { NodeError } from './comrade.ts'
import { readHandover, removeHandover } from './keystore.ts'
import type { People } from './people.ts'

/** Most addresses that are taken in. */
export const MAX_ADDRESSES = 16
const MAX_ADDRESS_LENGTH = 512
const MAX_SELF_KEYS = 1_024

const bytes = (size: number) =>
  v.pipe(
    v.instance(Uint8Array),
    v.check((value) => value.length === size, `expected ${size} bytes`)
  )
const generation = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff))
const address = v.pipe(v.string(), v.maxLength(MAX_ADDRESS_LENGTH), v.check(isAddress, 'is not a multiaddr'))
/** Fields that a later version adds are passed over. */
const HandoverSchema = v.object({
  log: v.instance(Uint8Array),
  selfKeys: v.pipe(v.array(v.object({ generation, key: bytes(32) })), v.maxLength(MAX_SELF_KEYS)),
  topic: v.object({ generation, secret: bytes(32) }),
  directory: v.optional(
    v.object({ generation, seed: bytes(32), day: generation, certificates: v.instance(Uint8Array) })
  ),
  addresses: v.pipe(v.array(address), v.maxLength(MAX_ADDRESSES))
})

export interface Handover {
  /** The identity log, as packFeed writes it. */
  log: Uint8Array
  /** The keys of all generations, with which own devices seal what is for them. */
  selfKeys: SelfKey[]
  /** Under which secret the identity's entries are gossiped. */
  topic: TopicSecret
  /** With what the device can publish where it is. Absent: nothing is published, or not by the device that answered. */
  directory?: DirectoryMaterial
  /** Multiaddrs, with peer id, at which the device that let this one in can be reached. */
  addresses: string[]
}

/** Reads the fields of a message or file. @throws NodeError FAILED */
export function parseHandover(value: unknown): Handover {
  const result = v.safeParse(HandoverSchema, value)
  if (result.success) return result.output
  const [issue] = result.issues
  throw new NodeError('FAILED', `what the identity handed over cannot be read: ${v.getDotPath(issue)} ${issue.message}`)
}

export function encodeHandover({ addresses, ...handover }: Handover): Uint8Array {
  return encodeCbor({ ...handover, addresses: addresses.slice(0, MAX_ADDRESSES) })
}

/**
 * Makes sure that an identity's log names a device.
 * @throws NodeError FAILED; FeedError when the log is not valid
 */
export function checkNamed({ log }: Handover, identity: Uint8Array, device: Uint8Array): void {
  const runs = unpackFeed(log)
  const entries = runs.flatMap((run) => entriesOf(run)).map((entry) => ({ seq: entry.seq, body: bodyOf(entry) }))
  const named = evaluateIdentityLog(identity, entries).get(Buffer.from(device).toString('hex'))
  const isOthers = Buffer.compare(runs[0].feed, identity) !== 0
  if (isOthers || named === undefined || named.revoked !== undefined)
    throw new NodeError('FAILED', 'the identity answered, but its log does not name this device')
}

/**
 * Takes in what was handed over when this device joined. Done again after a crash, it changes nothing more.
 * @param keys directory of the keys
 */
export function takeHandover(
  keys: string,
  identity: Uint8Array,
  { store, people }: { store: FeedStore; people: People }
): void {
  const file = readHandover(keys)
  if (file === undefined) return
  const { log, selfKeys, topic, directory, addresses } = parseHandover(decodeCbor(file))
  const { contacts } = people
  store.ingest(unpackFeed(log), { isDurable: true })
  contacts.selfKeys.learn(selfKeys)
  contacts.topics.learn(identity, topic)
  if (directory !== undefined) contacts.directory.importMaterial(directory)
  for (const address of addresses) contacts.addresses.remember({ address, identity, isGiven: true })
  removeHandover(keys)
}

function isAddress(text: string): boolean {
  try {
    return multiaddr(text).getComponents().at(-1)?.name === 'p2p'
  } catch {
    return false
  }
}
