// The keys that keep the directory going while the root key lies in a drawer: for each day a directory key, which the
// identity's devices hold, and a certificate for it under the identity's blinded key of that day.
import { hkdfSync } from 'node:crypto'
import { isValidSignature, type SigningKey, signingKey } from '../feeds/index.ts'
import { blindedSigningKey, dayBytes } from './blinding.ts'

const SEED_INFO = 'comrade/directory/seed/1\0'
const DAY_INFO = 'comrade/directory/day/1\0'
const RANK_INFO = 'comrade/directory/rank/1\0'
const CERTIFICATE_DOMAIN = Buffer.from('comrade/directory/certificate/1\0')

/** Lets the directory key of one day speak for the identity on that day. */
export interface Certificate {
  day: number
  /** Of two certificates of one day the one of higher rank counts: whoever has lost a device replaces all of them. */
  rank: number
  /** By the identity's blinded key of the day. */
  signature: Uint8Array
}

/**
 * The seed of all directory keys. It is told to the identity's devices.
 * @param generation how many devices the identity log has revoked: those do not know the seed of the next one
 */
export function directorySeed(rootSeed: Uint8Array, generation: number): Uint8Array {
  return derive(rootSeed, SEED_INFO, number(generation))
}

/** The directory key of a day; another one each day, or it would tie the days together. */
export function directoryKey(seed: Uint8Array, day: number): SigningKey {
  return signingKey(derive(seed, DAY_INFO, dayBytes(day)))
}

/** Certifies a day's directory key. Takes about a millisecond. */
export function certify(rootSeed: Uint8Array, generation: number, day: number): Certificate {
  const rank = rankOf(rootSeed, generation, day)
  const { publicKey } = directoryKey(directorySeed(rootSeed, generation), day)
  const signature = blindedSigningKey(rootSeed, day).sign(certificateBytes(day, rank, publicKey))
  return { day, rank, signature }
}

/** Whether the blinded key of the day has certified this directory key. */
export function isCertified(blinded: Uint8Array, { day, rank, signature }: Certificate, key: Uint8Array): boolean {
  return isValidSignature(blinded, certificateBytes(day, rank, key), signature)
}

/** Rises with the generation from a number that is another one each day, so that it says nothing about how many there were. */
function rankOf(rootSeed: Uint8Array, generation: number, day: number): number {
  const base = Buffer.from(derive(rootSeed, RANK_INFO, dayBytes(day))).readUInt32BE() >>> 1
  return base + generation
}

function certificateBytes(day: number, rank: number, key: Uint8Array): Uint8Array {
  return Buffer.concat([CERTIFICATE_DOMAIN, dayBytes(day), number(rank), key])
}

function derive(secret: Uint8Array, info: string, context: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', Buffer.concat([Buffer.from(info), context]), 32))
}

/** u32, big-endian. */
function number(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
