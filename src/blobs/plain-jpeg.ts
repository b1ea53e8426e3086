// A JPEG without what its maker wrote beside it: see plain-picture.ts. Its segments are looked through as ITU-T T.81, annex B,
// orders them; the picture itself is copied and never decoded.

/** Bytes in memory of their own, as browsers take them. */
export type Bytes = Uint8Array<ArrayBuffer>

/** Frames, tables and scans are told from here to {@link LAST_TABLE}; what is outside is kept only when it is listed. */
const FIRST_FRAME = 0xc0
const LAST_TABLE = 0xdf
const SOI = 0xd8
const EOI = 0xd9
const SOS = 0xda
const APP0 = 0xe0
const APP1 = 0xe1
/** Application segments that say how the picture looks. JFIF only without a small copy of it, which makes it longer. */
const KEPT: Readonly<Record<number, { name: string; size?: number }>> = {
  [APP0]: { name: 'JFIF\0', size: 16 },
  0xe2: { name: 'ICC_PROFILE\0' },
  0xee: { name: 'Adobe' }
}
const EXIF = 'Exif\0\0'
/** Tag of the field that says how the picture is turned; its values are 1 to 8, and 1 is upright. */
const ORIENTATION = 0x0112
const MAX_FIELDS = 1_000

/** @returns undefined when it is none, or is damaged */
export function plainJpeg(bytes: Bytes): Bytes | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== SOI) return undefined
  const kept: Bytes[] = []
  let turned = 1
  for (let at = 2; ;) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at += 1 // any number may stand before a marker
    const marker = bytes[at + 1]
    if (bytes[at] !== 0xff || marker === undefined) return undefined
    if (marker === EOI) break // what follows are other pictures, or anything
    const end = at + 2 + (bytes[at + 2] << 8) + bytes[at + 3]
    if (!(end >= at + 4 && end <= bytes.length)) return undefined
    const segment = bytes.subarray(at, end)
    if (marker === APP1 && turned === 1) turned = orientationOf(segment)
    const next = marker === SOS ? endOfScan(bytes, end) : end
    if (isKept(marker, segment)) kept.push(bytes.subarray(at, next))
    at = next
  }
  return assembled(turned, kept)
}

function isKept(marker: number, segment: Bytes): boolean {
  if (marker >= FIRST_FRAME && marker <= LAST_TABLE) return true
  const rule = KEPT[marker]
  if (rule === undefined || segment.length - 2 !== (rule.size ?? segment.length - 2)) return false
  return rule.name === String.fromCharCode(...segment.subarray(4, 4 + rule.name.length))
}

/** Where the marker after a scan begins: in a scan an 0xff is followed by zero or by the marker of a restart. */
function endOfScan(bytes: Bytes, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1]
    if (next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at
  }
  return bytes.length
}

/** How an EXIF segment says that the picture is turned; 1 when it does not, or is none. */
function orientationOf(segment: Bytes): number {
  if (String.fromCharCode(...segment.subarray(4, 10)) !== EXIF) return 1
  const view = new DataView(segment.buffer, segment.byteOffset + 10, segment.length - 10)
  try {
    const isLittle = view.getUint16(0) === 0x4949
    const first = view.getUint32(4, isLittle)
    const count = Math.min(view.getUint16(first, isLittle), MAX_FIELDS)
    for (let field = 0; field < count; field++) {
      const at = first + 2 + field * 12
      if (view.getUint16(at, isLittle) === ORIENTATION) return view.getUint16(at + 8, isLittle)
    }
  } catch {
    // it ends before it should
  }
  return 1
}

/** An EXIF segment that says how the picture is turned, and nothing else: one field, an unsigned 16-bit number. */
function orientation(value: number): number[] {
  const exif = [...EXIF].map((character) => character.charCodeAt(0))
  const field = [ORIENTATION >> 8, ORIENTATION & 0xff, 0, 3, 0, 0, 0, 1, 0, value, 0, 0]
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, ...field, 0, 0, 0, 0]
  return [0xff, APP1, 0, 2 + exif.length + tiff.length, ...exif, ...tiff]
}

function assembled(turned: number, kept: readonly Bytes[]): Bytes {
  const begin = [0xff, SOI, ...(turned >= 2 && turned <= 8 ? orientation(turned) : [])]
  const size = kept.reduce((sum, part) => sum + part.length, begin.length + 2)
  const whole = new Uint8Array(size)
  whole.set(begin)
  let at = begin.length
  for (const part of kept) {
    whole.set(part, at)
    at += part.length
  }
  whole.set([0xff, EOI], at)
  return whole
}
