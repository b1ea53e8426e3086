// A directory record: what an identity says of itself on one day, sealed for those who know it, signed, and always of
// the same size. Whoever stores it can check it and compare two, and learns nothing from it.
//
// 0 version u8 = 1 ‖ 1 day u32 ‖ 5 rank u32 ‖ 9 sequence u64 ‖ 17 directory key (32) ‖ 49 certificate (64) ‖
// 113 nonce (12) ‖ 125 ciphertext and tag (835) ‖ 960 signature (64). The content is padded behind a u16 length.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { isValidSignature, type SigningKey } from '../feeds/index.ts'
import { dayBytes } from './blinding.ts'
import { decodeContent, type DirectoryContent, encodeContent, MAX_CONTENT_SIZE } from './directory-content.ts'
import { type Certificate, isCertified } from './directory-keys.ts'
import { TrustError } from './errors.ts'

export const RECORD_SIZE = 1_024
const VERSION = 1
const HEAD_SIZE = 113
const NONCE_SIZE = 12
const TAG_SIZE = 16
const SIGNED_SIZE = RECORD_SIZE - 64
const PLAIN_SIZE = SIGNED_SIZE - HEAD_SIZE - NONCE_SIZE - TAG_SIZE
const DAY_MS = 86_400_000
const SEAL_INFO = 'comrade/directory/seal/1\0'
const RECORD_DOMAIN = Buffer.from('comrade/directory/record/1\0')
const ALGORITHM = 'chacha20-poly1305'

/** What anybody can read of a record. */
export interface DirectoryRecord {
  day: number
  rank: number
  /** Unix ms when it was made, and in any case above that of the record before. */
  sequence: number
  bytes: Uint8Array
}

export interface NewRecord {
  /** Whose record it is: the identity's public key. */
  root: Uint8Array
  /** The directory key of the day. */
  key: SigningKey
  certificate: Certificate
  sequence: number
  content: DirectoryContent
  /** 12 bytes, never twice on one day. @default random */
  nonce?: Uint8Array
}

/** Makes a record of {@link RECORD_SIZE} bytes; see encodeContent for what is left out when there is too much. */
export function sealRecord({ root, key, certificate, sequence, content, nonce }: NewRecord): Uint8Array {
  const head = Buffer.alloc(HEAD_SIZE)
  head[0] = VERSION
  head.writeUInt32BE(certificate.day, 1)
  head.writeUInt32BE(certificate.rank, 5)
  head.writeBigUInt64BE(BigInt(sequence), 9)
  head.set(key.publicKey, 17)
  head.set(certificate.signature, 49)
  const iv = nonce ?? randomBytes(NONCE_SIZE)
  const cipher = createCipheriv(ALGORITHM, sealingKey(root, certificate.day), iv, { authTagLength: TAG_SIZE })
  cipher.setAAD(head, { plaintextLength: PLAIN_SIZE })
  const sealed = Buffer.concat([cipher.update(pad(encodeContent(content))), cipher.final(), cipher.getAuthTag()])
  const signed = Buffer.concat([head, iv, sealed])
  return Buffer.concat([signed, key.sign(Buffer.concat([RECORD_DOMAIN, signed]))])
}

/**
 * Checks what a stranger can check of a record:
 *
 *  1. it has 1,024 bytes, and version 1;
 *  2. its day is today, yesterday or tomorrow;
 *  3. its sequence is a time before the day after the next;
 *  4. the blinded key has certified the directory key for this day, with this rank;
 *  5. the directory key has signed the record.
 *
 * @param blinded the blinded key under which it is stored
 * @param today by the own clock
 * @throws TrustError RECORD
 */
export function checkRecord(blinded: Uint8Array, bytes: Uint8Array, today: number): DirectoryRecord {
  const record = readRecord(bytes)
  const { day, rank, sequence } = record
  if (Math.abs(day - today) > 1) throw refusal(`expected day ${today}, one before or after it; found ${day}`)
  if (sequence >= (day + 2) * DAY_MS) throw refusal('its sequence lies in the future')
  const key = bytes.slice(17, 49)
  if (!isCertified(blinded, { day, rank, signature: bytes.slice(49, HEAD_SIZE) }, key))
    throw refusal('the certificate is not of the key under which it is stored')
  const signed = Buffer.concat([RECORD_DOMAIN, bytes.subarray(0, SIGNED_SIZE)])
  if (!isValidSignature(key, signed, bytes.slice(SIGNED_SIZE))) throw refusal('the signature is not valid')
  return record
}

/** Reads day, rank and sequence without checking who made it. @throws TrustError RECORD when size or version are not right */
export function readRecord(bytes: Uint8Array): DirectoryRecord {
  if (bytes.length !== RECORD_SIZE) throw refusal(`expected ${RECORD_SIZE} bytes, found ${bytes.length}`)
  if (bytes[0] !== VERSION) throw refusal(`expected version ${VERSION}, found ${bytes[0]}`)
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return { day: view.readUInt32BE(1), rank: view.readUInt32BE(5), sequence: Number(view.readBigUInt64BE(9)), bytes }
}

/** Which of two records of one key counts: below 0 the first, above 0 the second, 0 they are the same. */
export function compareRecords(a: DirectoryRecord, b: DirectoryRecord): number {
  return b.rank - a.rank || b.sequence - a.sequence || Buffer.compare(b.bytes, a.bytes)
}

/**
 * Opens a record that {@link checkRecord} has accepted.
 * @param root the identity that it was looked up for
 * @throws TrustError RECORD when it was sealed for others, or holds what it should not
 */
export function openRecord(root: Uint8Array, { day, bytes }: DirectoryRecord): DirectoryContent {
  const [head, nonce, sealed, tag] = cut(bytes, HEAD_SIZE, NONCE_SIZE, PLAIN_SIZE, TAG_SIZE)
  const decipher = createDecipheriv(ALGORITHM, sealingKey(root, day), nonce, { authTagLength: TAG_SIZE })
  decipher.setAAD(head, { plaintextLength: PLAIN_SIZE })
  decipher.setAuthTag(tag)
  try {
    return decodeContent(unpad(Buffer.concat([decipher.update(sealed), decipher.final()])))
  } catch (error) {
    if (error instanceof TrustError) throw error
    throw new TrustError('RECORD', 'a directory record does not open: it was not sealed for those who know this did', {
      cause: error
    })
  }
}

/** What only those who know the identity can compute. */
function sealingKey(root: Uint8Array, day: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', Buffer.concat([root, dayBytes(day)]), '', SEAL_INFO, 32))
}

function pad(content: Uint8Array): Uint8Array {
  const plain = Buffer.alloc(PLAIN_SIZE)
  plain.writeUInt16BE(content.length)
  plain.set(content, 2)
  return plain
}

function unpad(plain: Buffer): Uint8Array {
  const size = plain.readUInt16BE()
  if (size > MAX_CONTENT_SIZE || plain.subarray(2 + size).some((byte) => byte !== 0))
    throw refusal('its content is not padded with zeros')
  return plain.subarray(2, 2 + size)
}

function cut(bytes: Uint8Array, ...sizes: number[]): Uint8Array[] {
  let at = 0
  return sizes.map((size) => bytes.subarray(at, (at += size)))
}

function refusal(why: string): TrustError {
  return new TrustError('RECORD', `this is no directory record: ${why}`)
}
