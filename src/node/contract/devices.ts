// What a node offers of the identity's devices: the shape of `node.devices`. Types only.
import type { Invite } from './contacts.ts'

export interface DeviceInfo {
  /** `did:key:…` of the device's feed. */
  device: string
  name: string
  /** 'this': the device that is asked; 'active': another one of this identity. */
  state: 'this' | 'active' | 'revoked'
}

export interface Devices {
  list(): Promise<DeviceInfo[]>
  /**
   * Makes a link with which a new device joins this identity, once and within 15 minutes: see `joinIdentity()`.
   * @throws NodeError NOT_OWN on a device that does not hold the root key; SIGNING_PAUSED; FAILED when there are as many
   *   devices as an identity can ever have
   */
  invite(): Promise<Invite>
  /**
   * Ends a device: what it has written up to now still counts, nothing after it does.
   * @param device its did, or a name that only one has
   * @throws NodeError NOT_OWN on a device that does not hold the root key; BAD_INPUT for the device that is asked;
   *   NOT_FOUND; WHO_AMBIGUOUS; SIGNING_PAUSED
   */
  revoke(device: string): Promise<DeviceInfo>
}
