// Rings that fall into parts, and proofs for one of them.
import { fromHex, partsOf, prove, slotTagOf, tagOf } from '../../../src/groups/index.ts'
import { fill, GROUP, hex, members, MOTION } from './build.ts'

/** One line of ring-parts.json; bytes are hexadecimal. */
export interface PartsVector {
  name: string
  valid: boolean
  ring: string[]
  last: string
  /** Of each part the places of its keys in the ring. */
  parts: number[][]
  group: string
  motion: string
  period: number
  slot: number
  tag: string
  slotTag: string
  proof: string
}

const seventy = members(70)
const ring = seventy.map(({ publicKey }) => hex(publicKey))
const last = hex(fill(0x33))
const parts = partsOf(ring, last)
const [signer] = seventy
const own = parts.findIndex((part) => part.includes(ring[0]))
const context = { group: GROUP, motion: MOTION, period: 7, slot: 1 }
const common = {
  ...{ ring, last, parts: parts.map((part) => part.map((key) => ring.indexOf(key))) },
  ...{ group: hex(GROUP), motion: hex(MOTION), period: 7, slot: 1 },
  ...{ tag: hex(tagOf(signer.secret, GROUP, MOTION)), slotTag: hex(slotTagOf(signer.secret, context)) }
}
const message = Buffer.from('comrade/group/statement/1\0vouch')
const keys = parts[own].map(fromHex)
const whole = prove({ secret: signer.secret, ring: keys, context, message, random: fill(0x77) })
const framed = (kind: number, part: number): string => hex(Buffer.concat([Buffer.of(kind, part), whole.subarray(1)]))

export const partsVectors: PartsVector[] = [
  { name: 'a vouch by one of a part', valid: true, ...common, proof: framed(2, own) },
  { name: 'under the other part', valid: false, ...common, proof: framed(2, 1 - own) },
  { name: 'under a part that is not there', valid: false, ...common, proof: framed(2, 2) },
  { name: 'under another kind', valid: false, ...common, proof: framed(3, own) },
  { name: 'as if the part were the ring', valid: false, ...common, proof: hex(whole) }
]
