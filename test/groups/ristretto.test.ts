import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import {
  add,
  hashToRistretto,
  hashToScalar,
  isElement,
  isScalar,
  multiply,
  multiplyBase,
  ready,
  subtractProduct
} from '../../src/groups/ristretto.ts'
import { L, scalarBytes, timesBase, toScalar } from './ring-signature-reference.ts'

const { Point } = ristretto255
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const scalars = fc.bigInt({ min: 1n, max: L - 1n })
const DST = 'comrade-ristretto255_XMD:SHA-512_R255MAP_RO_'

/** RFC 9496, A.1: G, 2·G and 15·G. */
const MULTIPLES: readonly (readonly [bigint, string])[] = [
  [1n, 'e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76'],
  [2n, '6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919'],
  [15n, 'e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e']
]

/** RFC 9496, A.2. */
const NO_ELEMENTS = [
  '00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20',
  'c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562',
  'c940e5a4404157cfb1628b108db051a8d439e1a421394ec4ebccb9ec92a8ac78',
  '47cfc5497c53dc8e61c91d17fd626ffb1c49e2bca94eed052281b510b1117a24',
  'f1c6165d33367351b0da8f6e4511010c68174a03b6581212c71c0e1d026c3c72',
  '87260f7a2f12495118360f02c26a470f450dadf34a413d21042b43b9d93e1309',
  '26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371',
  '4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f',
  'de6a7b00deadc788eb6b6c8d20c0ae96c2f2019078fa604fee5b87d6e989ad7b',
  'bcab477be20861e01e4a0e295284146a510150d9817763caf1a6f4b422d67042',
  '2a292df7e32cababbd9de088d1d1abec9fc0440f637ed2fba145094dc14bea08',
  'f4a9e534fc0d216c44b218fa0c42d99635a0127ee2e53c712f70609649fdff22',
  '8268436f8c4126196cf64b3c7ddbda90746a378625f9813dd9b8457077256731',
  '2810e5cbc2cc4d4eece54f61c6f69758e289aa7ab440b3cbeaa21995c2f4232b',
  '3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e',
  'a45fdc55c76448c049a1ab33f17023edfb2be3581e9c7aade8a6125215e04220',
  'd483fe813c6ba647ebbfd3ec41adca1c6130c2beeee9d9bf065c8d151c5f396e',
  '8a2e1d30050198c65a54483123960ccc38aef6848e1ec8f5f780e8523769ba32',
  '32888462f8b486c68ad7dd9610be5192bbeaf3b443951ac1a8118419d9fa097b',
  '227142501b9d4355ccba290404bde41575b037693cef1f438c47f8fbf35d1165'
]

describe('ristretto255', () => {
  before(ready)

  it('is the one of RFC 9496', () => {
    for (const [scalar, encoding] of MULTIPLES) {
      assert.equal(hex(multiplyBase(scalarBytes(scalar))), encoding)
      assert.ok(isElement(Buffer.from(encoding, 'hex')))
    }
  })

  it('takes no other bytes for an element, and not the identity', () => {
    for (const encoding of NO_ELEMENTS) assert.ok(!isElement(Buffer.from(encoding, 'hex')), encoding)
    for (const size of [0, 31, 32, 33, 64]) assert.ok(!isElement(Buffer.alloc(size)))
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        assert.equal(isElement(bytes), isElementOfNoble(bytes))
      })
    )
  })

  it('takes the numbers from 1 to L - 1 for scalars, little-endian', () => {
    for (const number of [1n, 2n, 2n ** 252n, L - 1n]) assert.ok(isScalar(scalarBytes(number)))
    for (const number of [0n, L, L + 1n, 2n * L, 2n ** 256n - 1n]) assert.ok(!isScalar(scalarBytes(number)))
    for (const size of [0, 31, 33]) assert.ok(!isScalar(Buffer.alloc(size, 1)))
  })

  it('computes what @noble/curves computes', () => {
    fc.assert(
      fc.property(scalars, scalars, scalars, (a, b, c) => {
        const [p, q] = [timesBase(b), timesBase(c)]
        assert.equal(hex(multiplyBase(scalarBytes(a))), hex(timesBase(a)))
        assert.equal(hex(multiply(scalarBytes(a), p)), hex(timesBase((a * b) % L)))
        assert.equal(hex(add(p, q)), hex(timesBase((b + c) % L)))
        assert.equal(
          toScalar(subtractProduct(scalarBytes(a), scalarBytes(b), scalarBytes(c))),
          (((a - b * c) % L) + L) % L
        )
      }),
      { numRuns: 30 }
    )
  })
})

describe('hashing', () => {
  before(ready)

  it('to an element is what RFC 9380 says, of all parts one after another, and @noble/curves does', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 4 }), (parts) => {
        const element = hashToRistretto(...parts)
        assert.ok(isElement(element))
        assert.equal(hex(element), hex(hashedByNoble(Buffer.concat(parts))))
      }),
      { numRuns: 40 }
    )
  })

  it('to a scalar is SHA-512 modulo L', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (message) => {
        const hash = createHash('sha512').update(message).digest()
        assert.equal(toScalar(hashToScalar(message)), toScalar(hash) % L)
      })
    )
  })
})

function isElementOfNoble(bytes: Uint8Array): boolean {
  try {
    return !Point.fromBytes(Uint8Array.from(bytes)).is0()
  } catch {
    return false
  }
}

function hashedByNoble(message: Uint8Array): Uint8Array {
  return ristretto255_hasher.hashToCurve(Uint8Array.from(message), { DST }).toBytes()
}
