// Who this device is to libsignal: an identity key that never signs anything but prekeys, and a registration, which
// changes when the database turns out to be an older copy. The identity key follows from the home's keys and the
// address: contacts know the device again when its database was lost, and refuse any other.
import { randomInt } from 'node:crypto'
import type { Statements } from '../trust/index.ts'
import { MAX_REGISTRATION } from './bundle.ts'
import type { DeviceAddress } from './device-address.ts'
import type { Vault } from './vault.ts'

const PURPOSE = 'comrade/message/identity/1\0'

export interface Registration {
  id: number
  /** Of libsignal's identity key: 32 bytes. */
  secret: Uint8Array<ArrayBuffer>
  /** Whether the sessions that were here are gone: the database was an older copy, or another device's. */
  isAnew: boolean
}

export interface RegistrationPlace {
  vault: Vault
  address: DeviceAddress
  /** Of the store: renewed where it is noticed that it is an older copy. */
  epoch: Uint8Array
}

/**
 * Reads the registration, or makes one: call it in a durable transaction. In a copy that was restored, every session and
 * prekey is older than what others have seen of it, and would use keys a second time: they are dropped. A device with a new
 * key begins with nothing.
 */
export function register(statements: Statements, { vault, address, epoch }: RegistrationPlace): Registration {
  const secret = vault.derive(PURPOSE + address)
  const known = statements.all('SELECT * FROM message_registration')[0]
  const isSameDevice = known?.address === address
  if (isSameDevice && Buffer.compare(known.epoch as Uint8Array, epoch) === 0)
    return { id: known.registration as number, secret, isAnew: false }
  dropSessions(statements, isSameDevice)
  const id = randomInt(1, MAX_REGISTRATION)
  statements.run(
    'INSERT OR REPLACE INTO message_registration (id, address, epoch, registration) VALUES (0, ?, ?, ?)',
    ...[address, epoch, id]
  )
  return { id, secret, isAnew: known !== undefined }
}

/** @param keepsIdentities whose libsignal identity is whose does not depend on the own one's age */
function dropSessions(statements: Statements, keepsIdentities: boolean): void {
  statements.run('DELETE FROM message_prekeys')
  statements.run('DELETE FROM message_kyber_uses')
  if (keepsIdentities) statements.run('UPDATE message_devices SET session = NULL, heard = 0')
  else statements.run('DELETE FROM message_devices')
}
