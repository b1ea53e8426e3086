// The identity log: the feed of an identity's root key. It says which devices speak for the identity, and until when.
// This file evaluates it, and makes the bodies that go into it; it neither reads nor stores anything.
import { isUsableKey, isValidSignature, type SigningKey } from '../feeds/index.ts'

/** Domain separation of a device's consent to an identity. */
const CONSENT_DOMAIN = Buffer.from('comrade/device/1\0')
/** Devices that one identity can ever add, so that nobody can make others keep feeds without end. */
export const MAX_DEVICES = 128
/** Longest device name that counts, in UTF-16 code units. */
export const MAX_DEVICE_NAME_LENGTH = 64
const MAX_SEQ = 0xffff_ffff

/** One entry of a root key's feed, validated by the feeds layer. `body` is undefined when erased or sealed. */
export interface IdentityLogEntry {
  seq: number
  body: Readonly<Record<string, unknown>> | undefined
}

/** What an identity log says about one device. */
export interface Device {
  /** The device's Ed25519 public key, which is the id of its feed. */
  device: Uint8Array
  /** The name that the identity claims for it: not safe to print before it is escaped. */
  name: string
  /** seq of the first entry that added it. */
  addedAt: number
  /** Entries of its feed above `last` are not the identity's; 0: none is. */
  revoked?: { last: number }
}

// Types, not interfaces, so that they fit where any decoded body does.
export type DeviceAddBody = { type: 'device/add'; device: Uint8Array; name: string; consent: Uint8Array }
export type DeviceRevokeBody = { type: 'device/revoke'; device: Uint8Array; last: number }

/**
 * Evaluates an identity log. Its rules, applied in the order of the feed:
 *
 *  1. `device/add` counts when `device` is a usable key other than the root's, `name` is text of at most 64 UTF-16
 *     code units, and `consent` is the device's signature over "comrade/device/1\0" ‖ root key ‖ device key.
 *  2. Adding a device again while it is not revoked only changes its name.
 *  3. A revoked device cannot be added again: revocation is not undone. A new device needs a new key.
 *  4. `device/revoke` counts for a device that was added, with an integer `last` from 0 to 2^32 - 1. A second one can
 *     only lower `last`.
 *  5. The 129th device and later ones do not count, revoked ones included.
 *  6. Everything else is inert: unknown types, wrong schemas, erased bodies, an entry whose seq does not rise.
 *
 * @param root the identity's Ed25519 public key, 32 bytes
 * @param entries of the root key's feed, in order; may be any beginning of it
 * @returns devices by key in lower-case hexadecimal, in the order in which they were added
 */
export function evaluateIdentityLog(root: Uint8Array, entries: Iterable<IdentityLogEntry>): Map<string, Device> {
  const devices = new Map<string, Device>()
  let before = 0
  for (const { seq, body } of entries) {
    if (!(seq > before)) continue
    before = seq
    if (isDeviceAdd(body)) applyAdd(devices, root, seq, body)
    else if (isDeviceRevoke(body)) applyRevoke(devices, body)
  }
  return devices
}

/** Whether entry `seq` of a device's feed is its identity's. */
export function isCurrent(device: Pick<Device, 'revoked'>, seq: number): boolean {
  return device.revoked === undefined || seq <= device.revoked.last
}

/** The body with which an identity adds a device; the device consents with its own key. */
export function deviceAddBody(root: Uint8Array, device: SigningKey, name: string): DeviceAddBody {
  if (name.length > MAX_DEVICE_NAME_LENGTH)
    throw new RangeError(`a device's name has at most ${MAX_DEVICE_NAME_LENGTH} characters, not ${name.length}`)
  const consent = new Uint8Array(device.sign(consentBytes(root, device.publicKey)))
  return { type: 'device/add', device: device.publicKey, name, consent }
}

/** Whether a body would add a device that is not known yet: rule 1. */
export function isDeviceAddOf(root: Uint8Array, body: Readonly<Record<string, unknown>>): body is DeviceAddBody {
  return isDeviceAdd(body) && isValidAdd(root, body)
}

/** The body with which an identity ends a device: entries of its feed after seq `last` are no longer the identity's. */
export function deviceRevokeBody(device: Uint8Array, last: number): DeviceRevokeBody {
  if (!isSeqOrZero(last))
    throw new RangeError(`the last valid seq is an integer from 0 to ${MAX_SEQ}, not ${String(last)}`)
  return { type: 'device/revoke', device, last }
}

/** Rules 1, 2, 3 and 5. The signature is verified last: it is the only thing here that costs. */
function applyAdd(devices: Map<string, Device>, root: Uint8Array, seq: number, body: DeviceAddBody): void {
  const key = hex(body.device)
  const known = devices.get(key)
  if (known?.revoked !== undefined || (known === undefined && devices.size >= MAX_DEVICES)) return
  if (!isValidAdd(root, body)) return
  if (known !== undefined) known.name = body.name
  else devices.set(key, { device: new Uint8Array(body.device), name: body.name, addedAt: seq })
}

function isValidAdd(root: Uint8Array, { device, consent }: DeviceAddBody): boolean {
  if (Buffer.compare(root, device) === 0 || !isUsableKey(device)) return false
  return isValidSignature(device, consentBytes(root, device), consent)
}

/** Rule 4. */
function applyRevoke(devices: Map<string, Device>, body: DeviceRevokeBody): void {
  const known = devices.get(hex(body.device))
  if (known !== undefined) known.revoked = { last: Math.min(body.last, known.revoked?.last ?? MAX_SEQ) }
}

function isDeviceAdd(body: IdentityLogEntry['body']): body is DeviceAddBody {
  return (
    body?.type === 'device/add' &&
    isBytes(body.device, 32) &&
    isBytes(body.consent, 64) &&
    typeof body.name === 'string' &&
    body.name.length <= MAX_DEVICE_NAME_LENGTH
  )
}

function isDeviceRevoke(body: IdentityLogEntry['body']): body is DeviceRevokeBody {
  return body?.type === 'device/revoke' && isBytes(body.device, 32) && isSeqOrZero(body.last)
}

function consentBytes(root: Uint8Array, device: Uint8Array): Uint8Array {
  return Buffer.concat([CONSENT_DOMAIN, root, device])
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length
}

function isSeqOrZero(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_SEQ
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
