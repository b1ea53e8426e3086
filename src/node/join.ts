// Makes this home a device of an identity that is there already: asks the device whose link the user was given, and keeps
// what is handed over. A crash at any moment leaves an empty home, in which the same link can be used again, or a whole device.
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { decodeLink, formatDid, type Link } from '../trust/index.ts'
import { NodeError } from './comrade.ts'
import { asNodeError } from './contacts.ts'
import { peerIdOf } from './devices.ts'
import { checkNamed, encodeHandover, parseHandover } from './handover.ts'
import { findHome, type Home, openHome } from './home.ts'
import { makeJoinQuestion } from './join-question.ts'
import { discardKeys, hasKeys, isJoining, type Keys, placeKeys, prepareKeys } from './keystore.ts'
import type { NetworkOverrides } from './libp2p-options.ts'
import { lockHome } from './lock.ts'
import { createNetwork, type Network } from './network.ts'
import { deviceNameOf } from './options.ts'
import { type Message, PeopleProtocol } from './people-protocol.ts'

const DIAL_TIMEOUT_MS = 10_000

export interface JoinOptions {
  /** `comrade:device/…`, as `node.devices.invite()` gives it. */
  link: string
  /** Data directory, in which there is no identity. @default $COMRADE_HOME, else `comrade/` in the XDG data folder */
  home?: string
  /** The name under which the identity log lists this device. @default the machine's host name */
  deviceName?: string
  /** Protects the keys on the disk. @default none */
  passphrase?: string
  /** What an embedder sets in libp2p: transports, limits. */
  libp2p?: NetworkOverrides
  signal?: AbortSignal
}

/** Whose device this home is now. */
export interface Joined {
  did: string
  /** `did:key:…` of the device's feed. */
  device: string
  name: string
}

/**
 * Joins an identity; afterwards `createNode()` opens the device. No node may be running in the home.
 * @throws NodeError BAD_INPUT (not such a link), EXPIRED, USED, NOT_FOUND, DECLINED, UNREACHABLE, FAILED (there is an
 *   identity in the home), HOME_IN_USE, DISK_FULL; whatever `signal` was aborted with
 */
export async function joinIdentity(options: JoinOptions): Promise<Joined> {
  const name = deviceNameOf(options.deviceName)
  const link = asNodeError(() => decodeLink(options.link, 'device'))
  if (link.expiresMs <= Date.now())
    throw new NodeError('EXPIRED', `the link expired at ${new Date(link.expiresMs).toISOString()}: make a new one`)
  const home = openHome(findHome(options.home))
  using stack = new DisposableStack()
  stack.use(lockHome(home.lock))
  if (hasKeys(home.keys))
    throw new NodeError(
      'FAILED',
      `there is an identity in ${home.directory} already: a device joins with an empty home`
    )
  const wasJoining = isJoining(home.keys)
  const keys = await prepareKeys(home.keys, link.root, { passphrase: options.passphrase })
  try {
    await join(home, keys, link, { ...options, name })
  } catch (error) {
    if (isFinal(error, wasJoining)) discardKeys(home.keys)
    throw error
  }
  return { did: formatDid(keys.identity), device: formatDid(keys.device.publicKey), name }
}

/** Whether the same question need not be asked again. Where it may have been heard, the log may name the device by now. */
function isFinal(error: unknown, wasJoining: boolean): boolean {
  if (error instanceof NodeError && ['USED', 'EXPIRED', 'NOT_FOUND', 'DECLINED', 'BAD_INPUT'].includes(error.code))
    return true
  return !wasJoining && error instanceof Unreached
}

/** Nobody was asked. */
class Unreached extends NodeError {
  constructor(message: string, options?: ErrorOptions) {
    super('UNREACHABLE', message, options)
  }
}

async function join(
  home: Home,
  keys: Keys,
  link: Link,
  { name, libp2p, signal }: JoinOptions & { name: string }
): Promise<void> {
  const network = await createNetwork({
    privateKey: await generateKeyPairFromSeed('Ed25519', keys.peerSeed),
    listen: [],
    mdns: false,
    libp2p
  })
  try {
    await network.start()
    const inviter = peerIdOf(link.peerKey)
    await reach(network, inviter, link, signal)
    const answer = await ask(network, inviter, makeQuestion(network, inviter, keys, link, name), signal)
    const handover = parseHandover(answer)
    checkNamed(handover, keys.identity, keys.device.publicKey)
    const addresses = [...link.addresses.map((address) => `${address}/p2p/${inviter}`), ...handover.addresses]
    placeKeys(home.keys, encodeHandover({ ...handover, addresses: [...new Set(addresses)] }))
  } finally {
    await network.stop()
  }
}

function makeQuestion(network: Network, inviter: PeerId, keys: Keys, { secret }: Link, name: string): Message {
  const ends = { asker: network.peerId.toMultihash().bytes, inviter: inviter.toMultihash().bytes }
  return makeJoinQuestion(keys, secret, name, ends)
}

/** @throws Unreached */
async function reach(network: Network, inviter: PeerId, { addresses }: Link, signal?: AbortSignal): Promise<void> {
  const targets = addresses.map((address) => multiaddr(`${address}/p2p/${inviter}`))
  for (const target of targets) network.addresses.give(target)
  const limit = AbortSignal.timeout(DIAL_TIMEOUT_MS)
  try {
    await network.libp2p.dial(targets.length > 0 ? targets : inviter, {
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit])
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw new Unreached(
      `the device that made the link cannot be reached: is its node running, and in the same network?`,
      { cause: error }
    )
  }
}

async function ask(network: Network, inviter: PeerId, question: Message, signal?: AbortSignal): Promise<Message> {
  const questions = new PeopleProtocol({ libp2p: network.libp2p, onFault: () => {}, onError: () => {} })
  await questions.start()
  try {
    return await questions.ask(inviter, question, { signal })
  } finally {
    await questions.stop()
  }
}
