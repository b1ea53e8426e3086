// A few bytes that say which operations a log has: two peers compare them before they compare logs.
import { sha256 } from '../feeds/index.ts'

const ITEM_DOMAIN = Buffer.from('comrade/group/item/1\0')
const FINGERPRINT_SIZE = 8

/** The fingerprint with one more operation: a sum, so that it depends on no order. Begin with 0. */
export function withOperation(sum: bigint, id: Uint8Array): bigint {
  const item = Buffer.from(sha256(Buffer.concat([ITEM_DOMAIN, id])).subarray(0, FINGERPRINT_SIZE))
  return BigInt.asUintN(8 * FINGERPRINT_SIZE, sum + item.readBigUInt64BE())
}

/** 8 bytes. */
export function fingerprintBytes(sum: bigint): Uint8Array {
  const bytes = Buffer.alloc(FINGERPRINT_SIZE)
  bytes.writeBigUInt64BE(sum)
  return bytes
}
