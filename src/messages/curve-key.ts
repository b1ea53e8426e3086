// X25519 public keys as libsignal writes them, which also is how they travel: a byte for the kind, then the key.

export const CURVE_KEY_SIZE = 33
const X25519 = 5

/** @param key 32 bytes */
export function curveKey(key: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(X25519, ...key)
}

/** Whether these bytes have the form of one. */
export function isCurveKey(bytes: Uint8Array): boolean {
  return bytes.length === CURVE_KEY_SIZE && bytes[0] === X25519
}
