// What seals secrets in the database, so that whoever has the database alone cannot read them. It comes from the node, which
// has the key.

export interface Vault {
  /** @param about what it is kept for: it opens for that only */
  seal(secret: Uint8Array, about: Uint8Array): Uint8Array
  /** @returns undefined when it was sealed with another key, for something else, or was changed */
  open(sealed: Uint8Array, about: Uint8Array): Uint8Array | undefined
  /** 32 secret bytes that are not kept anywhere: always the same for the same purpose. */
  derive(purpose: string): Uint8Array<ArrayBuffer>
}
