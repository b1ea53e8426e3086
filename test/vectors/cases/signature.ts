// Rules 10 to 13: Ed25519, and nothing that only some verifiers accept.
import { alice, bob, DOMAIN, hex, invalid, sha256, type Vector } from './build.ts'
import { ORDER, PRIME, signForCofactor, signWithNeutralR, toBytes, toNumber } from './curve.ts'

type Signed = { id: Buffer; header: Buffer }

const overEntry = ({ id }: Signed) => alice.sign(Buffer.concat([DOMAIN, id]))
const over = (bytes: (entry: Signed) => Uint8Array) => ({ signature: (entry: Signed) => alice.sign(bytes(entry)) })
const otherDomain = (domain: string) => over(({ id }) => Buffer.concat([Buffer.from(domain), id]))

/** The valid signature with another R or S. */
const withR = (r: Uint8Array) => ({ signature: (entry: Signed) => Buffer.concat([r, overEntry(entry).subarray(32)]) })
const withS = (change: (s: bigint) => bigint) => ({
  signature(entry: Signed) {
    const signature = overEntry(entry)
    return Buffer.concat([signature.subarray(0, 32), toBytes(change(toNumber(signature.subarray(32))))])
  }
})
const flipped = (byte: number, bit: number) => ({
  signature(entry: Signed) {
    const signature = overEntry(entry)
    signature[byte] ^= bit
    return signature
  }
})

export const signatureCases: Vector[] = [
  invalid('SIGNATURE_SIZE', 'no bytes', { signature: new Uint8Array() }),
  invalid('SIGNATURE_SIZE', '63 bytes', { signature: (entry) => overEntry(entry).subarray(0, 63) }),
  invalid('SIGNATURE_SIZE', '65 bytes', { signature: (entry) => Buffer.concat([overEntry(entry), Buffer.alloc(1)]) }),

  invalid(
    'SIGNATURE_MALLEABLE',
    'S + L: another form of the valid signature',
    withS((s) => s + ORDER)
  ),
  invalid(
    'SIGNATURE_MALLEABLE',
    'S + 8L',
    withS((s) => s + 8n * ORDER)
  ),
  invalid(
    'SIGNATURE_MALLEABLE',
    'S = L',
    withS(() => ORDER)
  ),
  invalid(
    'SIGNATURE_MALLEABLE',
    'S = 2^256 - 1',
    withS(() => 2n ** 256n - 1n)
  ),
  invalid(
    'SIGNATURE_INVALID',
    'S = L - 1',
    withS(() => ORDER - 1n)
  ),
  invalid(
    'SIGNATURE_INVALID',
    'S = 0',
    withS(() => 0n)
  ),

  invalid('SIGNATURE_SMALL_ORDER', 'R is the neutral element, and the equation holds', {
    signature: ({ id }) => signWithNeutralR(id)
  }),
  invalid('SIGNATURE_SMALL_ORDER', 'all zeros', { signature: Buffer.alloc(64) }),
  invalid('SIGNATURE_SMALL_ORDER', 'R of order 2', withR(toBytes(PRIME - 1n))),
  invalid(
    'SIGNATURE_SMALL_ORDER',
    'R of order 8',
    withR(hex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'))
  ),
  invalid('SIGNATURE_SMALL_ORDER', 'R is not canonical: y = p + 1', withR(toBytes(PRIME + 1n))),

  invalid('SIGNATURE_INVALID', 'a bit of R flipped', flipped(3, 1)),
  invalid('SIGNATURE_INVALID', 'the sign of R flipped', flipped(31, 0x80)),
  invalid('SIGNATURE_INVALID', 'a bit of S flipped', flipped(40, 4)),
  invalid('SIGNATURE_INVALID', "another feed's signature", {
    signature: ({ id }) => bob.sign(Buffer.concat([DOMAIN, id]))
  }),
  invalid('SIGNATURE_INVALID', "Alice's signature over her own entry under Bob's key", { feed: bob.publicKey }),
  invalid(
    'SIGNATURE_INVALID',
    "over another entry's id",
    over(() => Buffer.concat([DOMAIN, sha256(DOMAIN)]))
  ),
  invalid(
    'SIGNATURE_INVALID',
    'over the id without a domain',
    over(({ id }) => id)
  ),
  invalid(
    'SIGNATURE_INVALID',
    'over the header',
    over(({ header }) => Buffer.concat([DOMAIN, header]))
  ),
  invalid('SIGNATURE_INVALID', "in the next version's domain", otherDomain('comrade/entry/2\0')),
  invalid('SIGNATURE_INVALID', 'in a domain without its NUL', otherDomain('comrade/entry/1')),
  invalid('SIGNATURE_INVALID', "in another protocol's domain", otherDomain('comrade/hello/1\0')),
  invalid('SIGNATURE_INVALID', 'that only a cofactored verifier accepts', {
    signature: ({ id }) => signForCofactor(id)
  }),
  invalid('SIGNATURE_INVALID', 'under a key that is not on the curve: y = 2', { feed: toBytes(2n) }),
  invalid('SIGNATURE_INVALID', 'for an erased entry', { ...flipped(3, 1), body: null }),
  invalid('SIGNATURE_INVALID', 'in version 2', { ...flipped(3, 1), version: 2 }),
  invalid('SIGNATURE_INVALID', 'with a time changed afterwards', {
    header(header) {
      header[43] ^= 1
      return header
    },
    signature: ({ header }) => {
      const signed = Buffer.from(header)
      signed[43] ^= 1
      return alice.sign(Buffer.concat([DOMAIN, sha256(signed)]))
    }
  })
]
