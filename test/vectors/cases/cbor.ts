// Rule 16, first half: strict DAG-CBOR. Each item stands as the value of "x" in a body that is valid but for it.
import { bodyOf, bodyWith, hex, invalid, POST, SALT_PAIR, sha256, TYPE_PAIR, valid, type Vector } from './build.ts'

const accepts = (name: string, item: string | Uint8Array) => valid(name, { body: bodyWith(item) })
const refuses = (error: string, name: string, item: string | Uint8Array) =>
  invalid(error, name, { body: bodyWith(item) })
const repeat = (part: string, times: number, end = '') => hex(part.repeat(times) + end)
const digest = sha256(Buffer.from('linked')).toString('hex')

const text: Vector[] = [
  accepts('text of two, three and four bytes a character', '69 c3a9e282acf09f9982'),
  accepts('text that begins with a byte order mark', '66 efbbbf616263'),
  accepts('text with NUL and DEL', '62 007f'),
  accepts('text of noncharacters', '63 efbfbf'),
  refuses('CBOR_UTF8', 'a continuation byte alone', '61 80'),
  refuses('CBOR_UTF8', 'a character cut off', '62 e282'),
  refuses('CBOR_UTF8', 'a lead byte before ASCII', '62 c328'),
  refuses('CBOR_UTF8', 'an overlong NUL', '62 c080'),
  refuses('CBOR_UTF8', 'an overlong slash', '63 e080af'),
  refuses('CBOR_UTF8', 'a lone surrogate', '63 eda080'),
  refuses('CBOR_UTF8', 'a pair of surrogates', '66 eda0bdedb982'),
  refuses('CBOR_UTF8', 'a character beyond U+10FFFF', '64 f4908080'),
  refuses('CBOR_UTF8', 'a wrong byte at the end of a long text', `78 c8 ${'61'.repeat(199)} ff`),
  refuses('CBOR_UTF8', 'a character that ends after its text does', '82 61 c3 61 a9'),
  refuses('CBOR_UTF8', 'in a key', 'a1 61 ff 00')
]

const numbers: Vector[] = [
  accepts('the largest integers', '82 1b ffffffffffffffff 3b ffffffffffffffff'),
  accepts(
    'the integers around 2^53',
    '84 1b 001fffffffffffff 1b 0020000000000000 3b 001ffffffffffffe 3b 001fffffffffffff'
  ),
  accepts('each length of integer', '89 00 17 18 18 18 ff 19 0100 19 ffff 1a 00010000 1a ffffffff 1b 0000000100000000'),
  refuses('CBOR_NON_MINIMAL', '23 in two bytes', '18 17'),
  refuses('CBOR_NON_MINIMAL', '255 in three bytes', '19 00ff'),
  refuses('CBOR_NON_MINIMAL', '65,535 in five bytes', '1a 0000ffff'),
  refuses('CBOR_NON_MINIMAL', '2^32 - 1 in nine bytes', '1b 00000000ffffffff'),
  refuses('CBOR_NON_MINIMAL', '-1 in two bytes', '38 00'),
  refuses('CBOR_NON_MINIMAL', "a byte string's length", '58 01 00'),
  refuses('CBOR_NON_MINIMAL', "a text's length", '79 0001 61'),
  refuses('CBOR_NON_MINIMAL', "an array's length", '98 00'),
  refuses('CBOR_NON_MINIMAL', "a map's length", 'b8 00'),
  refuses('CBOR_NON_MINIMAL', "a key's length", 'a1 78 01 61 00'),
  refuses('CBOR_NON_MINIMAL', "a link's tag", `d9 002a 58 25 00 01551220 ${digest}`),
  refuses('CBOR_NON_MINIMAL', 'a form of length that is reserved', '1c'),
  refuses('CBOR_NON_MINIMAL', 'a form of text length that is reserved', '7e'),
  refuses('CBOR_FLOAT', '1.0 in half precision', 'f9 3c00'),
  refuses('CBOR_FLOAT', '1.5 in single precision', 'fa 3fc00000'),
  refuses('CBOR_FLOAT', '1.1 in double precision', 'fb 3ff199999999999a'),
  refuses('CBOR_FLOAT', 'NaN', 'fb 7ff8000000000000'),
  refuses('CBOR_FLOAT', 'minus infinity', 'f9 fc00')
]

const simple: Vector[] = [
  accepts('false, true and null', '83 f4 f5 f6'),
  refuses('CBOR_SIMPLE', 'undefined', 'f7'),
  refuses('CBOR_SIMPLE', 'simple value 0', 'e0'),
  refuses('CBOR_SIMPLE', 'simple value 19', 'f3'),
  refuses('CBOR_SIMPLE', 'true in two bytes', 'f8 15'),
  refuses('CBOR_SIMPLE', 'simple value 255', 'f8 ff'),
  refuses('CBOR_SIMPLE', 'a reserved one', 'fc')
]

const lengths: Vector[] = [
  accepts('an empty string, text, array and map', '84 40 60 80 a0'),
  invalid('CBOR_TRUNCATED', 'an empty body', { body: hex('') }),
  invalid('CBOR_TRUNCATED', 'a map that ends after a key', { body: bodyOf(2, SALT_PAIR, '64 74797065') }),
  invalid('CBOR_TRUNCATED', 'a map with one pair less than it says', { body: bodyOf(3, SALT_PAIR, TYPE_PAIR) }),
  invalid('CBOR_TRUNCATED', 'an integer that ends early', { body: bodyOf(2, SALT_PAIR, '64 74797065 19 01') }),
  invalid('CBOR_TRUNCATED', 'a text that ends early', { body: bodyOf(2, SALT_PAIR, '64 74797065 65 74657374') }),
  invalid('CBOR_TRUNCATED', 'a tag without content', { body: bodyOf(2, SALT_PAIR, '64 74797065 d82a') }),
  refuses('CBOR_TRUNCATED', 'a byte string of 2^32 - 1 bytes', '5a ffffffff'),
  refuses('CBOR_TRUNCATED', 'a byte string of 2^53 bytes', '5b 0020000000000000'),
  refuses('CBOR_TRUNCATED', 'a text of 2^53 bytes', '7b 0020000000000000'),
  refuses('CBOR_TRUNCATED', 'a text of 2^64 - 1 bytes', '7b ffffffffffffffff'),
  refuses('CBOR_TRUNCATED', 'an array of 2^64 - 1 items', '9b ffffffffffffffff'),
  refuses('CBOR_TRUNCATED', 'a map of 2^63 pairs', 'bb 8000000000000000'),
  refuses('CBOR_TRUNCATED', 'a key of 2^53 bytes', 'a1 7b 0020000000000000'),
  refuses('CBOR_TRUNCATED', 'a link of 2^32 bytes', 'd82a 5b 0000000100000000'),
  invalid('CBOR_TRAILING', 'a byte after the map', { body: Buffer.concat([POST, hex('00')]) }),
  invalid('CBOR_TRAILING', 'a second map', { body: Buffer.concat([POST, POST]) }),
  refuses('CBOR_INDEFINITE', 'a byte string', '5f 41 00 ff'),
  refuses('CBOR_INDEFINITE', 'a text', '7f 61 61 ff'),
  refuses('CBOR_INDEFINITE', 'an array', '9f ff'),
  refuses('CBOR_INDEFINITE', 'a map', 'bf ff'),
  refuses('CBOR_INDEFINITE', 'an end without a beginning', 'ff'),
  accepts('depth 16', repeat('81', 14, '80')),
  refuses('CBOR_DEPTH', 'depth 17', repeat('81', 15, '80')),
  accepts('depth 16 in maps', repeat('a1 60', 14, 'a0')),
  refuses('CBOR_DEPTH', 'depth 17 in maps', repeat('a1 60', 15, 'a0')),
  refuses('CBOR_DEPTH', 'depth 1,001', repeat('81', 999, '80')),
  accepts('4,096 items', `99 0ff9 ${'00'.repeat(0xff9)}`),
  refuses('CBOR_ITEMS', '4,097 items', `99 0ffa ${'00'.repeat(0xffa)}`),
  refuses('CBOR_ITEMS', '4,097 items, by keys and values', `82 b9 07fc ${manyPairs(0x7fc)} 00`)
]

const keys: Vector[] = [
  accepts('the empty key', 'a1 60 00'),
  accepts('keys by length, then by bytes', 'a4 61 62 00 61 7a 00 62 6161 00 62 6162 00'),
  accepts('keys by their bytes in UTF-8, not by UTF-16', 'a2 64 efbfbd61 00 64 f0908080 00'),
  accepts(
    'keys that are names of JavaScript',
    `a3 68 746f537472696e67 00 69 5f5f70726f746f5f5f a1 65 61646d696e f5 6b 636f6e7374727563746f72 00`
  ),
  accepts('a map that resembles a link in JSON', 'a2 61 2f 61 78 65 6279746573 61 78'),
  refuses('CBOR_KEY_TYPE', 'an integer', 'a1 01 00'),
  refuses('CBOR_KEY_TYPE', 'a byte string', 'a1 41 61 00'),
  refuses('CBOR_KEY_TYPE', 'null', 'a1 f6 00'),
  refuses('CBOR_KEY_ORDER', 'a greater key first', 'a2 61 62 00 61 61 00'),
  refuses('CBOR_KEY_ORDER', 'a longer key first', 'a2 62 6161 00 61 62 00'),
  refuses('CBOR_KEY_ORDER', 'keys by UTF-16', 'a2 64 f0908080 00 64 efbfbd61 00'),
  refuses('CBOR_KEY_ORDER', 'a greater key first, after a map between them', 'a2 61 62 a1 61 7a 00 61 61 00'),
  invalid('CBOR_KEY_ORDER', 'type before salt', { body: bodyOf(2, TYPE_PAIR, SALT_PAIR) }),
  refuses('CBOR_DUPLICATE_KEY', 'a key twice', 'a2 61 61 00 61 61 00'),
  refuses('CBOR_DUPLICATE_KEY', 'the empty key twice', 'a2 60 00 60 00'),
  refuses('CBOR_DUPLICATE_KEY', '__proto__ twice', 'a2 69 5f5f70726f746f5f5f a0 69 5f5f70726f746f5f5f a0'),
  invalid('CBOR_DUPLICATE_KEY', 'type twice', { body: bodyOf(3, SALT_PAIR, TYPE_PAIR, TYPE_PAIR) })
]

const links: Vector[] = [
  accepts('a link to raw bytes by sha256', `d82a 58 25 00 01551220 ${digest}`),
  accepts('a link of version 0', `d82a 58 23 00 1220 ${digest}`),
  accepts('a link with a codec of two bytes', `d82a 58 26 00 01a9021220 ${digest}`),
  accepts('a link whose hash is the identity, of nothing', 'd82a 45 00 01550000'),
  refuses('CBOR_TAG', 'a date', 'c0 60'),
  refuses('CBOR_TAG', 'a big integer', 'c2 49 010000000000000000'),
  refuses('CBOR_TAG', 'tag 43', 'd82b 40'),
  refuses('CBOR_TAG', 'self-described CBOR', 'd9d9f7 00'),
  refuses('CBOR_TAG', 'the greatest tag', 'db ffffffffffffffff 00'),
  refuses('CBOR_TAG', 'a link of text', 'd82a 61 00'),
  refuses('CBOR_TAG', 'a link in a link', `d82a d82a 58 25 00 01551220 ${digest}`),
  refuses('CBOR_TAG', 'a link of no bytes', 'd82a 40'),
  refuses('CBOR_TAG', 'a link of nothing but its zero', 'd82a 41 00'),
  refuses('CBOR_TAG', 'a link without its zero', `d82a 58 24 01551220 ${digest}`),
  refuses('CBOR_TAG', 'a link of version 2', `d82a 58 25 00 02551220 ${digest}`),
  refuses('CBOR_TAG', 'a link with a digest too short', `d82a 58 24 00 01551220 ${digest.slice(2)}`),
  refuses('CBOR_TAG', 'a link with a byte too many', `d82a 58 26 00 01551220 ${digest} 00`),
  refuses('CBOR_TAG', 'a link of version 0 with a digest too short', `d82a 58 22 00 121f ${digest.slice(2)}`),
  refuses('CBOR_TAG', 'a link of version 0 that says another length than it has', `d82a 58 23 00 121f ${digest}`),
  refuses('CBOR_TAG', 'a link of version 0 with a byte too many', `d82a 58 24 00 1220 ${digest} 00`),
  refuses('CBOR_TAG', 'a link that ends within its codec', 'd82a 43 00 0181'),
  refuses('CBOR_TAG', 'a link that ends before its digest', 'd82a 45 00 01551220'),
  refuses('CBOR_TAG', 'a link whose codec is not in its shortest form', `d82a 58 26 00 01d5001220 ${digest}`),
  refuses('CBOR_TAG', 'a link whose codec has more than 49 bits', `d82a 58 2c 00 01 8080808080808001 1220 ${digest}`)
]

export const cborCases: Vector[] = [...text, ...numbers, ...simple, ...lengths, ...keys, ...links]

/** That many pairs of a two-letter key in order and 0. */
function manyPairs(count: number): string {
  return Array.from({ length: count }, (_, i) => `62 ${byte(i >> 7)}${byte(i & 0x7f)} 00`).join('')
}

function byte(value: number): string {
  return value.toString(16).padStart(2, '0')
}
