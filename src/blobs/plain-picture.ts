// A picture without what its maker wrote beside it: the place and time at which it was taken, the camera, programs, names,
// small copies from before it was cropped. What is seen stays as it is, bit for bit; so do its colours and how it is turned.
// What is kept is listed, and all else is left out. This file runs in browsers too.
import type { Bytes } from './plain-jpeg.ts'
import { plainJpeg } from './plain-jpeg.ts'

/** Chunks of a PNG that say how it looks, as its specification (W3C, third edition) names them. */
const PNG_CHUNKS: ReadonlySet<string> = new Set([
  ...['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'acTL', 'fcTL', 'fdAT'],
  ...['cHRM', 'cICP', 'gAMA', 'iCCP', 'sBIT', 'sRGB', 'bKGD', 'pHYs', 'mDCV', 'cLLI']
])
/** The same of WebP (RFC 9649). */
const WEBP_CHUNKS: ReadonlySet<string> = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'ICCP'])
/** In the flags of VP8X: there is EXIF, there is XMP. */
const WEBP_HIDDEN_FLAGS = 0x0c

/**
 * The same picture without hidden data.
 * @returns undefined when it is no JPEG, PNG or WebP, or is damaged
 */
export function plainPicture(bytes: Bytes): Bytes | undefined {
  if (textAt(bytes, 1, 3) === 'PNG') return plainPng(bytes)
  if (textAt(bytes, 0, 4) === 'RIFF' && textAt(bytes, 8, 4) === 'WEBP') return plainWebp(bytes)
  return plainJpeg(bytes)
}

/** Signature, then chunks: length u32, four letters, data, checksum. What follows the last one is left out. */
function plainPng(bytes: Bytes): Bytes | undefined {
  const view = viewOf(bytes)
  const kept = [bytes.subarray(0, 8)]
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 12 + view.getUint32(at)
    if (end > bytes.length) return undefined
    const name = textAt(bytes, at + 4, 4)
    if (PNG_CHUNKS.has(name)) kept.push(bytes.subarray(at, end))
    if (name === 'IEND') return joined(kept)
    at = end
  }
  return undefined
}

/** RIFF, size u32, WEBP, then chunks: four letters, length u32, data, a zero when the length is odd. */
function plainWebp(bytes: Bytes): Bytes | undefined {
  const view = viewOf(bytes)
  const end = Math.min(bytes.length, 8 + view.getUint32(4, true))
  const kept = [bytes.slice(0, 12)]
  let at = 12
  while (at + 8 <= end) {
    const size = view.getUint32(at + 4, true)
    const next = at + 8 + size + (size % 2)
    if (next > bytes.length) return undefined
    const name = textAt(bytes, at, 4)
    if (WEBP_CHUNKS.has(name))
      kept.push(name === 'VP8X' ? withoutFlags(bytes.slice(at, next)) : bytes.subarray(at, next))
    at = next
  }
  if (kept.length === 1) return undefined
  const whole = joined(kept)
  viewOf(whole).setUint32(4, whole.length - 8, true)
  return whole
}

function withoutFlags(chunk: Bytes): Bytes {
  chunk[8] &= ~WEBP_HIDDEN_FLAGS
  return chunk
}

function joined(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function viewOf(bytes: Bytes): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function textAt(bytes: Bytes, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}
