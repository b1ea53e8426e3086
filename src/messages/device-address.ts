// What libsignal is told of a device: not its key, and nobody's name.
import { createHash } from 'node:crypto'

/** A device, to libsignal: 64 hexadecimal digits. Its device id is always 1. */
export type DeviceAddress = string

const DOMAIN = Buffer.from('comrade/message/device/1\0')

/** The address of the device that has this Ed25519 key. */
export function deviceAddress(deviceKey: Uint8Array): DeviceAddress {
  return createHash('sha256').update(DOMAIN).update(deviceKey).digest('hex')
}
