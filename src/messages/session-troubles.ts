// Devices with which something is still to be done, read without libsignal: what is owed to them survives a restart.
import type { DatabaseSync } from 'node:sqlite'
import { Statements } from '../trust/index.ts'
import type { DeviceAddress } from './device-address.ts'

/** Devices whose session was given up, and that have not been heard since: they are to be asked to send again. */
export function brokenDevices(database: DatabaseSync): DeviceAddress[] {
  return addresses(database, 'given_up_ms IS NOT NULL AND heard = 0')
}

/** Devices that came with another libsignal identity than they are known by, and not with that one since. */
export function refusedDevices(database: DatabaseSync): DeviceAddress[] {
  return addresses(database, 'refused = 1')
}

function addresses(database: DatabaseSync, where: string): DeviceAddress[] {
  const rows = new Statements(database).all(`SELECT address FROM message_devices WHERE ${where}`)
  return rows.map(({ address }) => address as DeviceAddress)
}
