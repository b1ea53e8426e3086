// Pictures to attach, painted point by point and written as PNG: here hills under an evening sky.
import { crc32, deflateSync } from 'node:zlib'

export const WIDTH = 640
export const HEIGHT = 360
const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
/** Colours of sky and hills, from far to near. */
const SKY = [
  [246, 214, 175],
  [108, 132, 160]
] as const
const HILLS = [
  [142, 150, 150],
  [96, 116, 110],
  [58, 80, 70]
] as const

/** Red, green and blue of a point, from 0 to 255. */
export type Painter = (x: number, y: number) => number[]

/** The same picture for the same number. */
export function picture(seed: number): Buffer {
  return png((x, y) => pixel(x, y, seed))
}

/** @returns a PNG of 640 × 360 points */
export function png(paint: Painter): Buffer {
  const rows = Array.from({ length: HEIGHT }, (_, y) => Buffer.from([0, ...row(y, paint)]))
  const head = Buffer.alloc(13)
  head.writeUInt32BE(WIDTH, 0)
  head.writeUInt32BE(HEIGHT, 4)
  head.set([8, 2, 0, 0, 0], 8) // eight bits a colour, red, green and blue
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0))
  ])
}

function row(y: number, paint: Painter): number[] {
  return Array.from({ length: WIDTH }, (_, x) => paint(x, y)).flat()
}

function pixel(x: number, y: number, seed: number): number[] {
  const hill = HILLS.findLastIndex((_, index) => y > ridge(x, index, seed))
  if (hill >= 0) return [...HILLS[hill]]
  const part = y / HEIGHT
  return SKY[0].map((low, index) => Math.round(low * part + SKY[1][index] * (1 - part)))
}

function ridge(x: number, index: number, seed: number): number {
  const wave = Math.sin(x / (90 - 20 * index) + seed * (index + 1)) + Math.sin(x / (37 + 11 * index) + seed) / 2
  return HEIGHT * (0.45 + 0.17 * index) + 18 * wave
}

/** @see https://www.w3.org/TR/png-3/#5Chunk-layout */
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const whole = Buffer.alloc(body.length + 8)
  whole.writeUInt32BE(data.length, 0)
  body.copy(whole, 4)
  whole.writeUInt32BE(crc32(body), body.length + 4)
  return whole
}
