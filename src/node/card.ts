// A card: how a device presents the identity that it speaks for to one peer, when people meet. The log proves that the
// device is the identity's, the proof that the peer holds the device's key. Bytes: docs/protocol.md.
import type { PeerId } from '@libp2p/interface'
import {
  bodyOf,
  type CheckedRun,
  entriesOf,
  FeedError,
  isUsableKey,
  isValidSignature,
  type SigningKey,
  unpackFeed
} from '../feeds/index.ts'
import { cleanClaim, evaluateIdentityLog, type TopicSecret } from '../trust/index.ts'
import { NodeError } from './comrade.ts'

/** Largest identity log in a card, in bytes. */
export const MAX_CARD_LOG_SIZE = 65_536
export const MAX_CARD_ADDRESSES = 8
const MAX_ADDRESS_LENGTH = 512
const MAX_NAME_LENGTH = 256
const PROOF_DOMAIN = Buffer.from('comrade/card/1\0')

/** What a card says, checked: the device is current in the log, and whoever sent it holds the device's key. */
export interface Card {
  /** Root key of the identity. */
  root: Uint8Array
  device: Uint8Array
  /** What they call themselves: cleaned, not escaped. */
  name?: string
  /** The identity log. */
  runs: CheckedRun[]
  /** Text that means to be multiaddrs. */
  addresses: string[]
  topic?: TopicSecret
}

export interface CardInit {
  root: Uint8Array
  device: SigningKey
  name?: string
  /** As packFeed gives it. */
  log: Uint8Array
  addresses: readonly string[]
  /** Left out for somebody who has not decided yet. */
  topic?: TopicSecret
}

/** The two ends of the connection that a card is shown on. */
export interface CardPeers {
  /** Whose card it is. */
  holder: PeerId
  /** Who is shown it. */
  reader: PeerId
}

/** Makes a card for one peer. @throws NodeError FAILED when the identity log is too long */
export function makeCard({ device, log, name, topic, ...init }: CardInit, peers: CardPeers): Record<string, unknown> {
  if (log.length > MAX_CARD_LOG_SIZE)
    throw new NodeError(
      'FAILED',
      `the identity log has ${log.length} bytes, and a card has room for ${MAX_CARD_LOG_SIZE}`
    )
  return {
    root: init.root,
    device: device.publicKey,
    log,
    addresses: init.addresses.slice(0, MAX_CARD_ADDRESSES),
    proof: device.sign(proofBytes(init.root, device.publicKey, peers)),
    ...(name === undefined ? {} : { name }),
    ...(topic === undefined ? {} : { topic: { generation: topic.generation, secret: topic.secret } })
  }
}

/** The root key that a card names, before anything is checked. @throws NodeError BAD_INPUT */
export function rootOfCard(value: unknown): Uint8Array {
  const { root } = mapOf(value, 'a card')
  if (!isBytes(root, 32) || !isUsableKey(root)) throw wrong('its root is not an Ed25519 key')
  return root
}

/**
 * Reads and checks a card. It costs up to a few hundred verifications of signatures.
 * @throws NodeError BAD_INPUT, saying what is wrong with it
 */
export function readCard(value: unknown, peers: CardPeers): Card {
  const root = rootOfCard(value)
  const { device, name, log, addresses, topic, proof } = mapOf(value, 'a card')
  if (!isBytes(device, 32) || !isBytes(proof, 64)) throw wrong('its device or proof has the wrong size')
  if (!(log instanceof Uint8Array) || log.length > MAX_CARD_LOG_SIZE)
    throw wrong(`its identity log is missing, or longer than ${MAX_CARD_LOG_SIZE} bytes`)
  if (!isValidSignature(device, proofBytes(root, device, peers), proof))
    throw wrong('its proof was not made by that device for this connection')
  const runs = readLog(root, log)
  if (!isCurrentIn(root, runs, device)) throw wrong('its device is not one of the identity, or was revoked')
  const claimed = typeof name === 'string' && name.length <= MAX_NAME_LENGTH ? cleanClaim(name) : undefined
  return {
    root,
    device,
    runs,
    addresses: readAddresses(addresses),
    ...(claimed === undefined ? {} : { name: claimed }),
    ...(topic === undefined ? {} : { topic: readTopic(topic) })
  }
}

/** Text of a peer that means to be addresses; what they are worth is decided before they are kept. @throws NodeError BAD_INPUT */
export function readAddresses(value: unknown): string[] {
  const isFit = (address: unknown): boolean => typeof address === 'string' && address.length <= MAX_ADDRESS_LENGTH
  if (!Array.isArray(value) || value.length > MAX_CARD_ADDRESSES || !value.every(isFit))
    throw new NodeError('BAD_INPUT', `addresses are at most ${MAX_CARD_ADDRESSES} texts`)
  return value as string[]
}

function readLog(root: Uint8Array, log: Uint8Array): CheckedRun[] {
  try {
    return unpackFeed(log, root)
  } catch (error) {
    if (!(error instanceof FeedError)) throw error
    throw wrong(`its identity log is not valid: ${error.message}`, error)
  }
}

function isCurrentIn(root: Uint8Array, runs: readonly CheckedRun[], device: Uint8Array): boolean {
  const entries = runs.flatMap((run) => entriesOf(run)).map((entry) => ({ seq: entry.seq, body: bodyOf(entry) }))
  const found = evaluateIdentityLog(root, entries).get(Buffer.from(device).toString('hex'))
  return found !== undefined && found.revoked === undefined
}

function readTopic(value: unknown): TopicSecret {
  const { generation, secret } = mapOf(value, "a card's topic")
  if (!Number.isSafeInteger(generation) || (generation as number) < 0 || !isBytes(secret, 32))
    throw wrong('its topic is not a generation and a secret of 32 bytes')
  return { generation: generation as number, secret }
}

/** "comrade/card/1\0" ‖ the holder's peer id ‖ the reader's peer id ‖ root ‖ device. */
function proofBytes(root: Uint8Array, device: Uint8Array, { holder, reader }: CardPeers): Uint8Array {
  return Buffer.concat([PROOF_DOMAIN, holder.toMultihash().bytes, reader.toMultihash().bytes, root, device])
}

function mapOf(value: unknown, what: string): Record<string, unknown> {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  if (!isMap) throw new NodeError('BAD_INPUT', `${what} is a map`)
  return value as Record<string, unknown>
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length
}

function wrong(reason: string, cause?: unknown): NodeError {
  return new NodeError('BAD_INPUT', `the card is not valid: ${reason}`, { cause })
}
