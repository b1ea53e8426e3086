// Who is at the other end of a connection: which device a peer has proven to be, and whose that is.
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { FeedStore } from '../feeds/index.ts'
import type { ContactRecord } from '../trust/index.ts'
import type { Device } from './device.ts'
import { HelloService } from './hello-service.ts'
import type { People } from './people.ts'

export interface KnownPeersOptions {
  libp2p: Libp2p
  store: FeedStore
  people: People
  device: Device
  /** Somebody's device has proven which one it is, or is known anew. */
  onRecognised: (peerId: PeerId, contact: ContactRecord) => void
}

export class KnownPeers {
  readonly #options: KnownPeersOptions
  readonly #hello: HelloService

  constructor(options: KnownPeersOptions) {
    const { libp2p, people, device, onRecognised } = options
    this.#options = options
    this.#hello = new HelloService({
      libp2p,
      deviceKey: device.key,
      onRecognised: ({ peerId, deviceKey }) => {
        const contact = people.contactOfDevice(deviceKey)
        if (contact !== undefined) onRecognised(peerId, contact)
      },
      likely: (peerId) => this.#devicesMetAs(peerId)
    })
  }

  /** Before the network is started. */
  async start(): Promise<void> {
    await this.#hello.start()
  }

  async stop(): Promise<void> {
    await this.#hello.stop()
  }

  /** This device signs with another key from now on. */
  setDeviceKey(): void {
    this.#hello.setDeviceKey(this.#options.device.key)
  }

  /** Who is connected is compared with the devices that are known now; one that was ended is not dialled any more. */
  recogniseAnew(): void {
    const { libp2p, people } = this.#options
    for (const peer of libp2p.getPeers()) {
      const device = this.deviceOf(peer)
      if (device !== undefined && this.#isEnded(device)) people.contacts.addresses.forgetPeer(peer.toString())
    }
    this.#hello.recognise(people.knownDevices())
  }

  /** The device at the other end, if it has proven which one it is. */
  deviceOf(peerId: PeerId): Uint8Array | undefined {
    return this.#hello.deviceOf(peerId)
  }

  deviceNameOf(peerId: PeerId): string | undefined {
    const device = this.deviceOf(peerId)
    return device && this.#options.people.contacts.deviceByKey(device)?.name
  }

  /** Who is at the other end, if it has proven to be a device of somebody known. */
  contactOf(peerId: PeerId): ContactRecord | undefined {
    const device = this.deviceOf(peerId)
    return device && this.#options.people.contactOfDevice(device)
  }

  didOf(peerId: PeerId): { did?: string } {
    const contact = this.contactOf(peerId)
    return contact === undefined ? {} : { did: contact.did }
  }

  isBlocked(peerId: PeerId): boolean {
    return this.contactOf(peerId)?.relation === 'blocked'
  }

  /** Whether the device at the other end is of somebody who is followed, or an own one. */
  isOurs(peerId: PeerId): boolean {
    const contact = this.contactOf(peerId)
    return contact !== undefined && ['followed', 'self'].includes(contact.relation)
  }

  /** The connected peers that have proven to be a device of this person. */
  peersOf(identity: Uint8Array): PeerId[] {
    return this.#options.libp2p.getPeers().filter((peer) => {
      const contact = this.contactOf(peer)
      return contact !== undefined && Buffer.compare(contact.key, identity) === 0
    })
  }

  /** Devices of whom this peer id was tied to before: most peers are who they were the last time. */
  #devicesMetAs(peerId: PeerId): Uint8Array[] {
    const { contacts } = this.#options.people
    const identities = contacts.addresses.ofPeer(peerId.toString()).flatMap(({ identity }) => identity ?? [])
    return identities.flatMap((identity) => contacts.devicesOf(identity).map(({ device }) => device))
  }

  /** Revoked, and not because its feed forked: such a one goes on under another key, where it was. */
  #isEnded(device: Uint8Array): boolean {
    const { people, store } = this.#options
    if (!store.isOpen || people.contacts.deviceByKey(device)?.revoked === undefined) return false
    return store.feed(device)?.frozen === undefined
  }
}
