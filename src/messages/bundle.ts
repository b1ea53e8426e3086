// Prekey bundles: what one device gives another so that it can write to it without waiting for an answer. Nothing in
// it is signed by an identity or a device key: whose it is, is known from the connection that it came over.
import type { PreKeyBundle } from '@signalapp/libsignal-client'
import * as v from 'valibot'
import { decodeCbor, encodeCbor } from '../feeds/index.ts'
import { CURVE_KEY_SIZE } from './curve-key.ts'
import { MessageError } from './errors.ts'
import type { Libsignal } from './libsignal.ts'

/** Largest bundle in bytes; one of today has about 1,950. */
export const MAX_BUNDLE_SIZE = 4_096
/** Ids of prekeys have 24 bits. */
export const MAX_PREKEY_ID = 2 ** 24 - 1
/** Registration ids have 14 bits and are not 0. */
export const MAX_REGISTRATION = 2 ** 14 - 1
const KYBER_KEY_SIZE = 1_569
const SIGNATURE_SIZE = 64
/** Every device has an address of its own. */
export const DEVICE_ID = 1

const bytes = (size: number) =>
  v.pipe(
    v.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array),
    v.length(size)
  )
const integer = (low: number, high: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(low), v.maxValue(high))
const id = integer(1, MAX_PREKEY_ID)
const signature = bytes(SIGNATURE_SIZE)
const curveKey = bytes(CURVE_KEY_SIZE)

const schema = v.strictObject({
  v: v.literal(1),
  registration: integer(1, MAX_REGISTRATION),
  identity: curveKey,
  signed: v.strictObject({ id, key: curveKey, signature }),
  kyber: v.strictObject({ id, key: bytes(KYBER_KEY_SIZE), signature }),
  once: v.optional(v.strictObject({ id, key: curveKey }))
})

/** What a device hands out; keys and signatures as libsignal serializes them. */
export type Bundle = v.InferOutput<typeof schema>

/** @returns canonical DAG-CBOR */
export function encodeBundle(bundle: Bundle): Uint8Array {
  return encodeCbor(bundle)
}

/**
 * Reads a bundle that somebody sent.
 * @throws MessageError BUNDLE when it has another form, or a key is none
 */
export function decodeBundle(signal: Libsignal, encoded: Uint8Array): PreKeyBundle {
  if (encoded.length > MAX_BUNDLE_SIZE)
    throw new MessageError('BUNDLE', `a prekey bundle of ${encoded.length} bytes: at most ${MAX_BUNDLE_SIZE}`)
  try {
    return toSignal(signal, v.parse(schema, decodeCbor(encoded)))
  } catch (error) {
    throw new MessageError('BUNDLE', `not a prekey bundle: ${(error as Error).message}`, { cause: error })
  }
}

function toSignal(signal: Libsignal, bundle: Bundle): PreKeyBundle {
  const { KEMPublicKey, PublicKey } = signal
  const { registration, identity, signed, kyber, once } = bundle
  return signal.PreKeyBundle.new(
    registration,
    DEVICE_ID,
    once?.id ?? null,
    once === undefined ? null : PublicKey.deserialize(once.key),
    signed.id,
    PublicKey.deserialize(signed.key),
    signed.signature,
    PublicKey.deserialize(identity),
    kyber.id,
    KEMPublicKey.deserialize(kyber.key),
    kyber.signature
  )
}
