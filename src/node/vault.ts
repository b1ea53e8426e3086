// Secrets that lie in the database, sealed by a key that follows from the files in keys/: whoever has the database alone
// cannot read them, and the passphrase that protects those files protects them too.
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'

const CIPHER = 'chacha20-poly1305'
const INFO = 'comrade/vault/1'
const DERIVED_INFO = 'comrade/vault/derived/1\0'
const NONCE_SIZE = 12
const TAG_SIZE = 16

export class Vault {
  readonly #seed: Uint8Array
  /** Made once: a key of bytes is checked and copied each time that it is used. */
  readonly #key: KeyObject

  /** @param seed 32 secret bytes that this home keeps for good */
  constructor(seed: Uint8Array) {
    this.#seed = Uint8Array.from(seed)
    this.#key = createSecretKey(hkdf(seed, INFO))
  }

  /** 32 secret bytes that are not kept anywhere: always the same for the same purpose in this home. */
  derive(purpose: string): Uint8Array<ArrayBuffer> {
    return hkdf(this.#seed, DERIVED_INFO + purpose)
  }

  /** @param about what it is kept for, such as its public key: it opens for that only */
  seal(secret: Uint8Array, about: Uint8Array): Uint8Array {
    const nonce = randomBytes(NONCE_SIZE)
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_SIZE })
    cipher.setAAD(about, { plaintextLength: secret.length })
    return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
  }

  /** @returns undefined when it was sealed with another key, for something else, or was changed */
  open(sealed: Uint8Array, about: Uint8Array): Uint8Array | undefined {
    const content = sealed.subarray(NONCE_SIZE, -TAG_SIZE)
    if (sealed.length < NONCE_SIZE + TAG_SIZE) return undefined
    const decipher = createDecipheriv(CIPHER, this.#key, sealed.subarray(0, NONCE_SIZE), { authTagLength: TAG_SIZE })
    decipher.setAAD(about, { plaintextLength: content.length })
    decipher.setAuthTag(sealed.subarray(-TAG_SIZE))
    try {
      return new Uint8Array(Buffer.concat([decipher.update(content), decipher.final()]))
    } catch {
      return undefined
    }
  }
}

function hkdf(seed: Uint8Array, info: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(), info, 32))
}
