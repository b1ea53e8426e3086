// Pictures as cameras and programs write them, and as somebody hostile would.
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import { plainPicture } from '../../src/blobs/plain-picture.ts'

type Bytes = Uint8Array<ArrayBuffer>

const PLACE = 'GPS 48.2082N 16.3738E'
const SCAN = [0x12, 0xff, 0x00, 0x34, 0xff, 0xd3, 0x56]

function bytesOf(...parts: (string | readonly number[] | Uint8Array)[]): Bytes {
  return new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))))
  )
}

function segment(marker: number, ...parts: (string | readonly number[] | Uint8Array)[]): Bytes {
  const data = bytesOf(...parts)
  return bytesOf([0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 0xff], data)
}

/** EXIF of one camera: how the picture is turned, and where it was taken. */
function exif(turned: number, isLittle: boolean): Bytes {
  const tiff = Buffer.alloc(8 + 2 + 12 + 4)
  const [u16, u32] = isLittle
    ? [tiff.writeUInt16LE.bind(tiff), tiff.writeUInt32LE.bind(tiff)]
    : [tiff.writeUInt16BE.bind(tiff), tiff.writeUInt32BE.bind(tiff)]
  tiff.write(isLittle ? 'II' : 'MM')
  u16(42, 2)
  u32(8, 4)
  u16(1, 8)
  u16(0x0112, 10)
  u16(3, 12)
  u32(1, 14)
  u16(turned, 18)
  return segment(0xe1, 'Exif\0\0', tiff, PLACE)
}

function jpeg(...segments: Uint8Array[]): Bytes {
  return bytesOf([0xff, 0xd8], ...segments, segment(0xdb, 'quantisation'), segment(0xda, 'scan'), SCAN, [0xff, 0xd9])
}

function chunk(name: string, data: string): Bytes {
  const body = Buffer.from(name + data, 'latin1')
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  checksum.writeUInt32BE(crc32(body))
  return bytesOf(length, body, checksum)
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

function webp(...chunks: [string, string][]): Bytes {
  const body = chunks.map(([name, data]) => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(data.length)
    return bytesOf(name, size, data, data.length % 2 === 1 ? [0] : [])
  })
  const whole = bytesOf('RIFF', [0, 0, 0, 0], 'WEBP', ...body)
  new DataView(whole.buffer).setUint32(4, whole.length - 8, true)
  return whole
}

const tells = (bytes: Bytes | undefined): boolean => Buffer.from(bytes!).includes('48.2082')

describe('a picture without hidden data', () => {
  it('does not tell where it was taken, nor by which camera or program', () => {
    const hidden = [
      segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', PLACE),
      segment(0xe2, 'MPF\0', PLACE),
      segment(0xed, 'Photoshop 3.0\0', PLACE),
      segment(0xe0, 'JFXX\0', PLACE),
      segment(0xe4, PLACE),
      ...[0x02, 0xbf, 0xf0, 0xfd, 0xfe].map((marker) => segment(marker, PLACE))
    ]
    const before = jpeg(exif(1, true), ...hidden)
    assert.ok(tells(before))
    assert.deepEqual(plainPicture(before), jpeg())
    const second = bytesOf(before, exif(1, false), PLACE)
    assert.deepEqual(plainPicture(second), jpeg(), 'what follows its end is left out')
  })

  it('looks as before: colours, and how it is turned', () => {
    const looks = [
      segment(0xe0, 'JFIF\0', [1, 1, 0, 0, 1, 0, 1, 0, 0]),
      segment(0xe2, 'ICC_PROFILE\0', 'colours'),
      segment(0xee, 'Adobe', 'x')
    ]
    assert.deepEqual(plainPicture(jpeg(...looks)), jpeg(...looks))
    for (const isLittle of [true, false])
      for (const turned of [2, 3, 6, 8]) {
        const plain = plainPicture(jpeg(exif(turned, isLittle)))
        assert.ok(!tells(plain))
        assert.deepEqual(plain, plainPicture(jpeg(exif(turned, !isLittle))))
        assert.equal(plain![31], turned)
      }
    for (const turned of [0, 1, 9, 65_535]) assert.deepEqual(plainPicture(jpeg(exif(turned, true))), jpeg())
  })

  it('keeps of PNG and WebP what is seen', () => {
    const seen = [chunk('IHDR', 'size'), chunk('sRGB', '0'), chunk('IDAT', 'pixels')]
    const hidden = ['tEXt', 'zTXt', 'iTXt', 'eXIf', 'tIME', 'prVt'].map((name) => chunk(name, PLACE))
    const plain = bytesOf(PNG, ...seen, chunk('IEND', ''))
    assert.deepEqual(plainPicture(bytesOf(PNG, ...seen, ...hidden, chunk('IEND', ''), PLACE)), plain)
    const flags = (value: number): string => `${String.fromCharCode(value)}\0\0\0size..`
    assert.deepEqual(
      plainPicture(webp(['VP8X', flags(0x3c)], ['VP8 ', 'pixel'], ['EXIF', PLACE], ['XMP ', PLACE], ['odd!', PLACE])),
      webp(['VP8X', flags(0x30)], ['VP8 ', 'pixel'])
    )
  })

  it('is none where nothing is known of its form, or it is damaged', () => {
    const whole = jpeg(exif(6, true))
    assert.equal(plainPicture(bytesOf('GIF89a')), undefined)
    assert.equal(plainPicture(bytesOf('%PDF-1.7 ', PLACE)), undefined)
    assert.equal(plainPicture(bytesOf()), undefined)
    for (let end = 0; end < whole.length - 1; end++)
      assert.equal(plainPicture(whole.slice(0, end)), undefined, `${end}`)
    const lying = bytesOf(PNG, [0xff, 0xff, 0xff, 0xff], 'IDAT')
    assert.equal(plainPicture(lying), undefined)
  })

  it('never tells, grows or throws, whatever stands in it', () => {
    const parts = fc.array(
      fc.oneof(
        fc
          .tuple(fc.integer({ min: 0xc0, max: 0xfe }), fc.string({ maxLength: 40 }))
          .map(([marker, text]) => segment(marker, Buffer.from(text))),
        fc
          .tuple(fc.integer({ min: 0xe0, max: 0xef }), fc.constantFrom('Exif\0\0', 'JFIF\0', 'x'))
          .map(([marker, name]) => segment(marker, name, PLACE)),
        fc.uint8Array({ maxLength: 30 }),
        fc.integer({ min: 0, max: 9 }).map((turned) => exif(turned, true))
      ),
      { maxLength: 8 }
    )
    const begin = fc.constantFrom<readonly number[] | string>([0xff, 0xd8], PNG, 'RIFF\xff\xff\0\0WEBP', [])
    fc.assert(
      fc.property(begin, parts, (first, rest) => {
        const before = bytesOf(first, ...rest, [0xff, 0xd9])
        const plain = plainPicture(before)
        if (plain === undefined) return
        assert.ok(plain.length <= before.length)
        assert.deepEqual(plainPicture(plain), plain, 'there is nothing more to take out')
        if (first !== PNG) assert.ok(!Buffer.from(plain).includes('Exif\0\0') || plain[3] === 0xe1)
      }),
      { numRuns: 500 }
    )
  })
})
