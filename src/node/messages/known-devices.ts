// The devices that messages may go to and come from: those of contacts, and one's own others; and who of them is connected.
import type { PeerId } from '@libp2p/interface'
import { type DeviceAddress, deviceAddress } from '../../messages/index.ts'
import { harmless } from '../../trust/index.ts'
import type { Connections } from '../connections.ts'
import type { Device } from '../device.ts'
import type { People } from '../people.ts'
import { TurnCache } from './turn-cache.ts'

/** A device that is known, and whose it is. */
export interface KnownDevice {
  device: Uint8Array
  /** Root key. */
  person: Uint8Array
}

export interface KnownDevicesOptions {
  people: People
  /** This one. */
  device: Device
  connections: () => Connections
}

export class KnownDevices {
  readonly #options: KnownDevicesOptions
  readonly #peers = new TurnCache<KnownDevice | undefined>()

  constructor(options: KnownDevicesOptions) {
    this.#options = options
  }

  /** Others are connected, or known, than before. */
  lookAnew(): void {
    this.#peers.clear()
  }

  all(): Uint8Array[] {
    return this.#options.people.knownDevices()
  }

  /** Whose a device is, if it is a contact's or an own other one. */
  get(device: Uint8Array): KnownDevice | undefined {
    const { people } = this.#options
    const contact = people.contactOfDevice(device)
    const isRevoked = people.contacts.deviceByKey(device)?.revoked !== undefined
    if (contact === undefined || isRevoked) return undefined
    return ['followed', 'self'].includes(contact.relation) ? { device, person: contact.key } : undefined
  }

  /** Which device a peer has shown to be, if it is a contact's or an own other one. */
  at(peerId: PeerId): KnownDevice | undefined {
    return this.#peers.get(peerId.toString(), () => {
      const device = this.#options.connections().deviceOf(peerId)
      return device && this.get(device)
    })
  }

  /** The connected peer that has shown to be this device. */
  peerOf(device: Uint8Array): { peerId: PeerId; person: Uint8Array } | undefined {
    for (const peerId of this.#options.connections().libp2p.getPeers()) {
      const known = this.at(peerId)
      if (known !== undefined && Buffer.compare(known.device, device) === 0) return { peerId, person: known.person }
    }
    return undefined
  }

  personOf(device: Uint8Array): Uint8Array | undefined {
    return this.get(device)?.person
  }

  /** Those of a person that may be written to, this one left out. */
  of(person: Uint8Array): Uint8Array[] {
    const { people, device } = this.#options
    return people.contacts
      .devicesOf(person)
      .map((each) => each.device)
      .filter((each) => this.get(each) !== undefined && Buffer.compare(each, device.key.publicKey) !== 0)
  }

  byAddress(address: DeviceAddress): Uint8Array | undefined {
    return this.all().find((device) => deviceAddress(device) === address)
  }

  /** Whether it is another device of the user's, which was not ended. */
  isOwn(device: Uint8Array): boolean {
    const person = this.personOf(device)
    return person !== undefined && this.#options.people.isSelf(person)
  }

  /** What its owner is called; may be printed. */
  nameOf(device: Uint8Array): string {
    return harmless(this.#options.people.contactOfDevice(device)?.name ?? '')
  }
}
