// Rule 16, second half: what a body is beyond DAG-CBOR, and bodies that are not read as such.
import { bodyOf, hex, invalid, SALT, SALT_PAIR, sha256, TYPE_PAIR, valid, type Vector } from './build.ts'

const withType = (value: string) => ({ body: bodyOf(2, SALT_PAIR, `64 74797065 ${value}`) })
const withSalt = (value: string) => ({ body: bodyOf(2, `64 73616c74 ${value}`, TYPE_PAIR) })
const letters = (count: number) => '61'.repeat(count)
const ODD = hex('ff00 7f 5b ffffffffffffffff')

export const bodyCases: Vector[] = [
  valid('the smallest body', { body: bodyOf(2, SALT_PAIR, TYPE_PAIR) }),
  valid('keys before, between and after', {
    body: bodyOf(5, '61 61 00', SALT_PAIR, '64 73656c66 00', TYPE_PAIR, '65 6166746572 00')
  }),
  invalid('BODY_NOT_MAP', 'an array', { body: hex('80') }),
  invalid('BODY_NOT_MAP', 'a text', { body: hex('64 706f7374') }),
  invalid('BODY_NOT_MAP', 'null', { body: hex('f6') }),
  invalid('BODY_NOT_MAP', 'a map in an array', { body: Buffer.concat([hex('81'), bodyOf(2, SALT_PAIR, TYPE_PAIR)]) }),
  invalid('BODY_NOT_MAP', 'a link', { body: hex(`d82a 58 25 00 01551220 ${sha256(SALT).toString('hex')}`) }),

  valid('a type of 1 byte', withType('61 61')),
  valid('a type of 23 bytes', withType(`77 ${letters(23)}`)),
  valid('a type of 24 bytes', withType(`78 18 ${letters(24)}`)),
  valid('a type of 64 bytes', withType(`78 40 ${letters(64)}`)),
  invalid('BODY_TYPE', 'a type of 65 bytes', withType(`78 41 ${letters(65)}`)),
  invalid('BODY_TYPE', 'a type of 256 bytes', withType(`79 0100 ${letters(256)}`)),
  invalid('BODY_TYPE', 'a type of 33 characters in 66 bytes', withType(`78 42 ${'c3a9'.repeat(33)}`)),
  invalid('BODY_TYPE', 'an empty type', withType('60')),
  invalid('BODY_TYPE', 'a type that is a byte string', withType('44 74657374')),
  invalid('BODY_TYPE', 'a type that is an integer', withType('01')),
  invalid('BODY_TYPE', 'a type that is null', withType('f6')),
  invalid('BODY_TYPE', 'no type', { body: bodyOf(1, SALT_PAIR) }),
  invalid('BODY_TYPE', 'neither type nor salt', { body: hex('a0') }),
  invalid('BODY_TYPE', 'a type in a map within', { body: Buffer.concat([hex('a2 61 78 a1'), TYPE_PAIR, SALT_PAIR]) }),
  invalid('BODY_TYPE', 'a type with a capital', { body: bodyOf(2, '64 54797065 64 74657374', SALT_PAIR) }),
  invalid('BODY_TYPE', 'a longer key that begins with "type"', { body: bodyOf(2, SALT_PAIR, '65 7479706573 61 61') }),

  invalid('BODY_SALT', 'a longer key that begins with "salt"', {
    body: bodyOf(2, TYPE_PAIR, Buffer.concat([hex('65 73616c7473 50'), SALT]))
  }),
  invalid('BODY_SALT', 'no salt', { body: bodyOf(1, TYPE_PAIR) }),
  invalid('BODY_SALT', 'a salt of 15 bytes', withSalt(`4f ${'00'.repeat(15)}`)),
  invalid('BODY_SALT', 'a salt of 17 bytes', withSalt(`51 ${'00'.repeat(17)}`)),
  invalid('BODY_SALT', 'an empty salt', withSalt('40')),
  invalid('BODY_SALT', 'a salt of 16 letters', withSalt(`70 ${letters(16)}`)),
  invalid('BODY_SALT', 'a salt of 16 integers', withSalt(`90 ${'00'.repeat(16)}`)),
  invalid('BODY_SALT', 'a salt that is null', withSalt('f6')),
  invalid('BODY_SALT', 'a salt in a map within', { body: Buffer.concat([hex('a2 61 78 a1'), SALT_PAIR, TYPE_PAIR]) }),

  valid('sealed: any bytes', { flags: 1, body: ODD }),
  valid('sealed: no bytes', { flags: 1, body: hex('') }),
  valid('version 2: any bytes', { version: 2, body: ODD }),
  valid('version 2: no bytes', { version: 2, body: hex('') }),
  valid('an erased body of no bytes', { bodySize: 0, body: null, bodyHash: sha256(hex('')) }),
  valid('erased: nobody can know any more that it was not DAG-CBOR', {
    bodySize: ODD.length,
    body: null,
    bodyHash: sha256(ODD)
  })
]

/** A body of exactly 65,536 bytes: the salt, a long text, the type. */
const largest = bodyOf(3, SALT_PAIR, `64 74657874 79 ffca`, Buffer.alloc(0xffca, 'a'), TYPE_PAIR)

export const largeCases: Vector[] = [valid('a body of 65,536 bytes', { body: largest })]
