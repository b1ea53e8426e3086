// The keys that the devices of one identity share, to seal what is for them alone. A revocation begins a new generation,
// which the revoked device is not given. Who holds the root key derives each; other devices are handed them.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { agree, isValidSignature, type Signer, type SigningKey, signingKey } from '../feeds/index.ts'
import type { Statements, Write } from './statements.ts'

const KEY_SIZE = 32
const TAG_SIZE = 16
/** Ephemeral X25519 key ‖ sealed key ‖ tag. */
const BOX_SIZE = 2 * KEY_SIZE + TAG_SIZE
const SELF_INFO = Buffer.from('comrade/self/1')
const BOX_INFO = Buffer.from('comrade/self/box/1')
const PROOF_DOMAIN = Buffer.from('comrade/self/key/1\0')
const NO_SALT = new Uint8Array()
/** A key is used for one box. */
const NONCE = Buffer.alloc(12)

/** One generation of the key, 32 bytes. */
export interface SelfKey {
  generation: number
  key: Uint8Array
}

/** A key for one device: 32 and 80 bytes. */
type SelfKeyBox = { device: Uint8Array; box: Uint8Array }

/** In a root holder's feed: the key of a generation for each device. */
export type SelfKeyBody = {
  type: 'self/key'
  generation: number
  boxes: SelfKeyBox[]
  /** By the root key, or a stolen device could make up the keys of generations to come. */
  proof: Uint8Array
}

/** HKDF-SHA256(root seed, no salt, "comrade/self/1" ‖ generation u32). */
export function deriveSelfKey(rootSeed: Uint8Array, generation: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', rootSeed, NO_SALT, Buffer.concat([SELF_INFO, u32(generation)]), KEY_SIZE))
}

/** The body that gives a generation's key to these devices. */
export function selfKeyBody({ generation, key }: SelfKey, devices: readonly Uint8Array[], root: Signer): SelfKeyBody {
  const boxes = devices.map((device) => ({ device, box: boxKey(key, generation, device, randomBytes(KEY_SIZE)) }))
  return { type: 'self/key', generation, boxes, proof: proveBoxes(generation, boxes, root) }
}

/** The root key's signature over "comrade/self/key/1\0" ‖ generation u32 ‖ each device key ‖ its box. */
export function proveBoxes(generation: number, boxes: readonly SelfKeyBox[], root: Signer): Uint8Array {
  return new Uint8Array(root.sign(proofBytes(generation, boxes)))
}

function proofBytes(generation: number, boxes: readonly SelfKeyBox[]): Uint8Array {
  return Buffer.concat([PROOF_DOMAIN, u32(generation), ...boxes.flatMap(({ device, box }) => [device, box])])
}

/**
 * Encrypts a generation's key to a device.
 * @param ephemeral X25519 secret, 32 random bytes
 */
export function boxKey(key: Uint8Array, generation: number, device: Uint8Array, ephemeral: Uint8Array): Uint8Array {
  const publicKey = x25519.getPublicKey(ephemeral)
  const shared = agree(ephemeral, ed25519.utils.toMontgomery(device))
  const cipher = createCipheriv('chacha20-poly1305', keyOfBox(shared, publicKey, device, generation), NONCE, {
    authTagLength: TAG_SIZE
  })
  return Buffer.concat([publicKey, cipher.update(key), cipher.final(), cipher.getAuthTag()])
}

/**
 * The key that a body of another own device has for this one; undefined when it has none, or not in this form.
 * @param root the identity's public key, which has signed it
 */
export function openSelfKey(
  body: Readonly<Record<string, unknown>>,
  device: SigningKey,
  root: Uint8Array
): SelfKey | undefined {
  const { generation, boxes, proof } = body
  if (body.type !== 'self/key' || !isGeneration(generation) || !isBoxes(boxes) || !isBytes(proof, 64)) return undefined
  const own = boxes.find((each) => Buffer.compare(each.device, device.publicKey) === 0)
  if (own === undefined || !isValidSignature(root, proofBytes(generation, boxes), proof)) return undefined
  const key = openBox(own.box, generation, device)
  return key && { generation, key }
}

function isBoxes(value: unknown): value is SelfKeyBox[] {
  return Array.isArray(value) && value.every((each) => isBytes(each?.device, KEY_SIZE) && isBytes(each?.box, BOX_SIZE))
}

function openBox(box: Uint8Array, generation: number, device: SigningKey): Uint8Array | undefined {
  const publicKey = box.subarray(0, KEY_SIZE)
  try {
    const key = keyOfBox(device.agree(publicKey), publicKey, device.publicKey, generation)
    const decipher = createDecipheriv('chacha20-poly1305', key, NONCE, { authTagLength: TAG_SIZE })
    decipher.setAuthTag(box.subarray(-TAG_SIZE))
    return new Uint8Array(Buffer.concat([decipher.update(box.subarray(KEY_SIZE, -TAG_SIZE)), decipher.final()]))
  } catch {
    return undefined // for another key, or damaged
  }
}

/** HKDF-SHA256(shared secret, ephemeral key ‖ device key, "comrade/self/box/1" ‖ generation u32). */
function keyOfBox(shared: Uint8Array, ephemeral: Uint8Array, device: Uint8Array, generation: number): Uint8Array {
  const info = Buffer.concat([BOX_INFO, u32(generation)])
  return new Uint8Array(hkdfSync('sha256', shared, Buffer.concat([ephemeral, device]), info, KEY_SIZE))
}

/** The generations that this device knows. Made by Contacts, which owns the tables. */
export class SelfKeys {
  readonly #statements: Statements
  readonly #write: Write
  readonly #rootSeed: Uint8Array | undefined

  /** @param options.rootSeed of the root key, where this device holds it: then every generation is known */
  constructor(statements: Statements, { write, rootSeed }: { write: Write; rootSeed?: Uint8Array }) {
    this.#statements = statements
    this.#write = write
    this.#rootSeed = rootSeed
  }

  /** Whether this device can derive each generation. */
  get isComplete(): boolean {
    return this.#rootSeed !== undefined
  }

  /** The key of a generation; undefined when this device was not given it. */
  of(generation: number): Uint8Array | undefined {
    if (this.#rootSeed !== undefined) return deriveSelfKey(this.#rootSeed, generation)
    return this.#statements.all('SELECT key FROM self_keys WHERE generation = ?', generation)[0]?.key as
      | Uint8Array
      | undefined
  }

  /** What gives these devices the key of a generation. Only where {@link isComplete}. */
  bodyFor(devices: readonly Uint8Array[], generation: number): SelfKeyBody {
    const rootSeed = this.#rootSeed!
    return selfKeyBody({ generation, key: deriveSelfKey(rootSeed, generation) }, devices, signingKey(rootSeed))
  }

  /** Whether a generation stands in a feed for other devices, or was kept from one. */
  isShared(generation: number): boolean {
    return this.#statements.all('SELECT 1 FROM self_keys WHERE generation = ?', generation).length > 0
  }

  /** Keeps keys that were given by another own device, or to others; the first that came of a generation stays. @returns whether one was new */
  learn(keys: readonly SelfKey[]): boolean {
    return this.#write(
      () =>
        keys.filter(
          ({ generation, key }) =>
            isGeneration(generation) &&
            isBytes(key, KEY_SIZE) &&
            this.#statements.run('INSERT INTO self_keys VALUES (?, ?) ON CONFLICT DO NOTHING', generation, key) > 0
        ).length > 0,
      { isDurable: true }
    )
  }

  /** What a device that joins is given: all generations up to the present one. */
  export(present: number): SelfKey[] {
    return Array.from({ length: present + 1 }, (_, generation) => generation).flatMap((generation) => {
      const key = this.of(generation)
      return key === undefined ? [] : [{ generation, key }]
    })
  }
}

function isGeneration(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
