// What an identity says of itself in the directory: how far its identity log goes, and where its devices are. This file
// merges what several devices said, and makes it fit; a record seals and signs it.
import { decodeCbor, encodeCbor } from '../feeds/index.ts'
import { TrustError } from './errors.ts'

/** Most bytes that the encoded content may have; see directory-record.ts for where the number comes from. */
export const MAX_CONTENT_SIZE = 817
/** Addresses of one device, at most. */
export const MAX_DEVICE_ADDRESSES = 8
const MAX_ADDRESS_SIZE = 255

/** Where one device can be reached. */
export interface DirectoryDevice {
  /** Raw Ed25519 public key of its peer id. */
  peer: Uint8Array
  /** Binary multiaddrs without the peer's own `/p2p`, the most useful first. */
  addresses: Uint8Array[]
  /** When the device said so, in Unix seconds by its own clock. */
  at: number
}

export interface DirectoryContent {
  /** The newest entry of the identity log that the publisher knows. */
  log: { seq: number; id: Uint8Array }
  /** The one that spoke last comes first. */
  devices: DirectoryDevice[]
}

/**
 * Joins what several records say: of each device what it said last, and the longest identity log. The result does not
 * depend on their order, nor on how often one comes.
 * @param contents at least one
 */
export function mergeContents(contents: readonly DirectoryContent[]): DirectoryContent {
  const devices = new Map<string, DirectoryDevice>()
  for (const device of contents.flatMap((content) => content.devices)) {
    const name = Buffer.from(device.peer).toString('hex')
    const known = devices.get(name)
    if (known === undefined || compareDevices(device, known) < 0) devices.set(name, device)
  }
  const [log] = contents.map((content) => content.log).toSorted((a, b) => b.seq - a.seq || compare(b.id, a.id))
  return { log, devices: [...devices.values()].toSorted(compareDevices) }
}

/**
 * Encodes as much as fits into a record: where there is not enough room, every device keeps fewer addresses; then those
 * that spoke least recently are left out.
 * @returns canonical DAG-CBOR of at most {@link MAX_CONTENT_SIZE} bytes
 */
export function encodeContent({ log, devices }: DirectoryContent): Uint8Array {
  for (let count = devices.length; ; count--) {
    for (let addresses = MAX_DEVICE_ADDRESSES; addresses > 0; addresses--) {
      const kept = devices.slice(0, count).map((device) => ({
        at: device.at,
        peer: device.peer,
        addresses: device.addresses.slice(0, addresses)
      }))
      const bytes = encodeCbor({ log, devices: kept, mailboxes: [] })
      if (bytes.length <= MAX_CONTENT_SIZE) return bytes
    }
  }
}

/** Reads what {@link encodeContent} wrote; fields that are not known are passed over. @throws TrustError RECORD */
export function decodeContent(bytes: Uint8Array): DirectoryContent {
  const { log, devices } = readMap(bytes)
  if (!isLog(log) || !Array.isArray(devices) || !devices.every(isDevice))
    throw new TrustError('RECORD', 'the content of a directory record is a map with log and devices')
  return {
    log: { seq: log.seq, id: log.id },
    devices: devices.map(({ peer, addresses, at }) => ({ peer, addresses, at }))
  }
}

function readMap(bytes: Uint8Array): { log?: unknown; devices?: unknown } {
  try {
    return decodeCbor(bytes) ?? {}
  } catch (error) {
    throw new TrustError('RECORD', `the content of a directory record is not canonical: ${(error as Error).message}`, {
      cause: error
    })
  }
}

function isLog(value: unknown): value is DirectoryContent['log'] {
  const { seq, id } = (value ?? {}) as Partial<DirectoryContent['log']>
  return isCount(seq) && id instanceof Uint8Array && id.length === 32
}

function isDevice(value: unknown): value is DirectoryDevice {
  const { peer, addresses, at } = (value ?? {}) as Partial<DirectoryDevice>
  return (
    peer instanceof Uint8Array &&
    peer.length === 32 &&
    isCount(at) &&
    Array.isArray(addresses) &&
    addresses.length <= MAX_DEVICE_ADDRESSES &&
    addresses.every(
      (address) => address instanceof Uint8Array && address.length > 0 && address.length <= MAX_ADDRESS_SIZE
    )
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** The one that spoke last first; at the same second the order is any, but always the same. */
function compareDevices(a: DirectoryDevice, b: DirectoryDevice): number {
  return b.at - a.at || compare(a.peer, b.peer) || compare(encodeCbor(a.addresses), encodeCbor(b.addresses))
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}
