// Makes prekeys: the only part of handing them out that needs libsignal. What comes out can be made in another process.
import type { Libsignal } from './libsignal.ts'
import type { MadePrekey, WantedPrekey } from './prekeys.ts'

/** Values that a message between processes carries. */
export interface PrekeyOrder {
  /** Secret of the libsignal identity key: 32 bytes. */
  identity: Uint8Array
  nowMs: number
  wanted: readonly WantedPrekey[]
}

type Bytes = Uint8Array<ArrayBuffer>

export function makePrekeys(signal: Libsignal, { identity, nowMs, wanted }: PrekeyOrder): MadePrekey[] {
  const signer = signal.PrivateKey.deserialize(new Uint8Array(identity))
  const sign = (key: Bytes): Bytes => signer.sign(key)
  return wanted.map(({ kind, id }) => ({ kind, id, ...makers[kind](signal, { id, nowMs, sign }) }))
}

interface Maker {
  id: number
  nowMs: number
  sign: (key: Bytes) => Bytes
}

const makers = {
  once(signal: Libsignal, { id }: Maker) {
    const secret = signal.PrivateKey.generate()
    const key = secret.getPublicKey()
    return { key: key.serialize(), record: signal.PreKeyRecord.new(id, key, secret).serialize() }
  },
  signed(signal: Libsignal, { id, nowMs, sign }: Maker) {
    const secret = signal.PrivateKey.generate()
    const key = secret.getPublicKey()
    const signature = sign(key.serialize())
    const record = signal.SignedPreKeyRecord.new(id, nowMs, key, secret, signature)
    return { key: key.serialize(), signature, record: record.serialize() }
  },
  kyber(signal: Libsignal, { id, nowMs, sign }: Maker) {
    const keys = signal.KEMKeyPair.generate()
    const key = keys.getPublicKey().serialize()
    const signature = sign(key)
    return { key, signature, record: signal.KyberPreKeyRecord.new(id, nowMs, keys, signature).serialize() }
  }
}
