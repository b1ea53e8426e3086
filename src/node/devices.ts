// node.devices: the devices of this identity. A device that holds the root key lets others join, and ends them.
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { FeedError, type FeedStore, packFeed } from '../feeds/index.ts'
import {
  type DeviceAddBody,
  deviceRevokeBody,
  type DirectoryMaterial,
  encodeLink,
  foldName,
  formatDid,
  harmless,
  isDeviceAddOf,
  isDidLike,
  isInviteProof,
  type KnownDevice,
  MAX_DEVICES
} from '../trust/index.ts'
import { type DeviceInfo, type Devices, type Invite, NodeError } from './comrade.ts'
import type { Device } from './device.ts'
import { type Handover, MAX_ADDRESSES } from './handover.ts'
import { type JoinEnds, readJoinQuestion } from './join-question.ts'
import type { People } from './people.ts'
import type { Asker, Message } from './people-protocol.ts'
import { refuse } from './refusal-sentences.ts'

/** How long a device can be let in by a link, in ms. */
export const DEVICE_INVITE_LIFE_MS = 15 * 60_000

export interface NodeDevicesOptions {
  store: FeedStore
  people: People
  /** Own root key, 32 bytes. */
  identity: Uint8Array
  device: Device
  /** The name of this device, where the identity log has none yet. */
  name: string
  /** This node's peer id and the addresses at which it can be reached, the most promising first. */
  peer: () => { peerId: PeerId; addresses: string[] }
  /** With what a device that joins can publish where it is. */
  directoryMaterial: () => Promise<DirectoryMaterial | undefined>
  /** Devices were added or ended. */
  onChange: () => void
}

export class NodeDevices implements Devices {
  readonly #options: NodeDevicesOptions

  constructor(options: NodeDevicesOptions) {
    this.#options = options
  }

  async list(): Promise<DeviceInfo[]> {
    const { device, name } = this.#options
    const known = this.#known()
    const isNamed = known.some((each) => this.#isThis(each.device))
    const waiting: DeviceInfo = { device: formatDid(device.key.publicKey), name, state: 'this' }
    return [...known.map((each) => this.#info(each)), ...(isNamed ? [] : [waiting])]
  }

  async invite(): Promise<Invite> {
    this.#checkMayAdd()
    const { identity, people, peer } = this.#options
    const expiresMs = Math.floor((Date.now() + DEVICE_INVITE_LIFE_MS) / 1_000) * 1_000
    const secret = people.contacts.deviceInvites.create({ expiresMs })
    const { peerId, addresses } = peer()
    const link = encodeLink({ kind: 'device', root: identity, secret, expiresMs, peerKey: rawKey(peerId), addresses })
    return { link, expires: new Date(expiresMs).toISOString() }
  }

  async revoke(device: string): Promise<DeviceInfo> {
    const { store } = this.#options
    this.#checkHoldsRoot()
    const found = this.#find(device)
    if (this.#isThis(found.device)) throw new NodeError('BAD_INPUT', refuse('refusal.thisDevice'))
    if (found.revoked === undefined) {
      const last = store.feed(found.device)?.height ?? 0
      await this.#sign([deviceRevokeBody(found.device, last)])
      this.#options.onChange()
    }
    return this.#info(this.#find(formatDid(found.device)))
  }

  /** Answers the question `join`: lets the bearer of an invite in, and hands over what the devices share. */
  async join(question: Message, { peerId }: Asker): Promise<Message> {
    const { identity, peer, onChange } = this.#options
    const ends = { asker: peerId.toMultihash().bytes, inviter: peer().peerId.toMultihash().bytes }
    const { invite, proof, body } = readJoinQuestion(question, identity, ends)
    this.#checkProof(invite, proof, body.device, ends)
    this.#checkMayAdd(body.device)
    this.#use(invite, body)
    if (!this.#isNamed(body.device)) await this.#sign([body])
    onChange()
    const directory = await this.#options.directoryMaterial() // which may take a second, in which a user may change their mind
    this.#checkNotRevoked(body.device)
    return { type: 'joined', ...this.#handover(directory) }
  }

  /** Whoever does not know the secret learns nothing of the invite. */
  #checkProof(id: Uint8Array, proof: Uint8Array, key: Uint8Array, ends: JoinEnds): void {
    const invite = this.#options.people.contacts.deviceInvites.find(id)
    if (invite === undefined || !isInviteProof('device', invite.secret, proof, { ...ends, key }))
      throw new NodeError('NOT_FOUND', 'there is no such invite: make a new one')
  }

  /** One device can use an invite; it may ask again when it did not hear the answer. */
  #use(id: Uint8Array, body: DeviceAddBody): void {
    const { identity, people } = this.#options
    const use = people.contacts.deviceInvites.use(id, body.device, () => {
      const known = people.contacts.deviceByKey(body.device)
      const isTaken = known !== undefined && Buffer.compare(known.identity, identity) !== 0
      if (isTaken || known?.revoked !== undefined || !isDeviceAddOf(identity, body))
        throw new NodeError('DECLINED', 'this device key cannot join: it was revoked, or does not consent')
    })
    if (use === 'used') throw new NodeError('USED', 'another device has used this invite: make a new one')
    if (use === 'expired') throw new NodeError('EXPIRED', 'this invite has expired: make a new one')
  }

  #checkNotRevoked(key: Uint8Array): void {
    const device = this.#options.people.contacts.deviceByKey(key)
    if (device?.revoked !== undefined)
      throw new NodeError('DECLINED', 'this device key cannot join: it was revoked, or does not consent')
  }

  #handover(directory: DirectoryMaterial | undefined): Handover {
    const { store, people, device, peer } = this.#options
    const { selfKeys, topics } = people.contacts
    const revocations = this.#known().filter(({ revoked }) => revoked !== undefined).length
    return {
      log: packFeed(store, device.log),
      selfKeys: selfKeys.export(revocations),
      topic: topics.own,
      ...(directory && { directory }),
      addresses: peer().addresses.slice(0, MAX_ADDRESSES)
    }
  }

  #checkHoldsRoot(): void {
    const { holdsRoot, paused, log } = this.#options.device
    if (!holdsRoot) throw new NodeError('NOT_OWN', refuse('refusal.noRootKey'))
    if (paused !== undefined) throw new NodeError('SIGNING_PAUSED', paused)
    if (log.frozen !== undefined)
      throw new NodeError(
        'SIGNING_PAUSED',
        `the identity log was continued in two places (at entry ${log.frozen}): no device can be added or ended any more`
      )
  }

  /** @param device one that is in the log already is let in again */
  #checkMayAdd(device?: Uint8Array): void {
    this.#checkHoldsRoot()
    if (this.#known().length < MAX_DEVICES || (device !== undefined && this.#isNamed(device))) return
    throw new NodeError('FAILED', refuse('refusal.manyDevices', { max: MAX_DEVICES }))
  }

  async #sign(bodies: Parameters<Device['appendToLog']>[0]): Promise<void> {
    try {
      await this.#options.device.appendToLog(bodies)
    } catch (error) {
      if (error instanceof FeedError && (error.code === 'SIGNING_PAUSED' || error.code === 'FEED_FROZEN'))
        throw new NodeError('SIGNING_PAUSED', `the identity log cannot be signed: ${error.message}`, { cause: error })
      throw error
    }
  }

  /** @throws NodeError NOT_FOUND, WHO_AMBIGUOUS */
  #find(text: string): KnownDevice {
    const known = this.#known()
    const named = isDidLike(text)
      ? known.filter(({ device }) => formatDid(device) === text)
      : known.filter(({ name }) => foldName(name) === foldName(text))
    const active = named.filter(({ revoked }) => revoked === undefined)
    const found = active.length > 0 ? active : named
    if (found.length === 1) return found[0]
    if (found.length === 0)
      throw new NodeError('NOT_FOUND', `this identity has no device "${harmless(text)}": see comrade device list`)
    throw new NodeError(
      'WHO_AMBIGUOUS',
      `"${harmless(text)}" is the name of several devices:\n${found.map(({ device }) => formatDid(device)).join('\n')}`
    )
  }

  #known(): KnownDevice[] {
    return this.#options.people.contacts.devicesOf(this.#options.identity)
  }

  #isNamed(key: Uint8Array): boolean {
    return this.#known().some(({ device }) => Buffer.compare(device, key) === 0)
  }

  #isThis(key: Uint8Array): boolean {
    return Buffer.compare(key, this.#options.device.key.publicKey) === 0
  }

  #info({ device, name, revoked }: KnownDevice): DeviceInfo {
    const state = revoked !== undefined ? 'revoked' : this.#isThis(device) ? 'this' : 'active'
    return { device: formatDid(device), name, state }
  }
}

/** The raw Ed25519 public key of a peer id. */
function rawKey(peerId: PeerId): Uint8Array {
  if (peerId.type !== 'Ed25519') throw new NodeError('FAILED', `an invite names an Ed25519 peer, not ${peerId.type}`)
  return peerId.publicKey.raw
}

/** The peer id of a raw Ed25519 public key. */
export function peerIdOf(peerKey: Uint8Array): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(peerKey))
}
