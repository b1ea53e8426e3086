// The pictures of the demo by name: made at run time, so that no binary is in the repository.
import { type Painter, picture, png } from './picture.ts'

const PAINTINGS = { ridge: () => picture(3), map: () => png(map) }
export type PictureName = keyof typeof PAINTINGS

/** @returns a PNG */
export function painted(name: PictureName): Buffer {
  return PAINTINGS[name]()
}

/** The way from the road to the gate: a stream, a road, a house among trees. */
const map: Painter = (x, y) => {
  const stream = 80 + 30 * Math.sin(x / 80)
  if (Math.abs(y - stream) < 9) return [140, 186, 214]
  if (Math.abs(x - 150 - y / 6) < 12) return [250, 250, 246]
  const way = 280 - 50 * Math.sin((x - 190) / 170)
  if (x > 205 && x < 530 && Math.abs(y - way) < 4 && x % 22 < 14) return [196, 52, 40]
  if (Math.max(Math.abs(x - 548), Math.abs(y - 236)) < 28) return [120, 92, 74]
  if (x > 405 && y > 135 && Math.hypot((x % 45) - 22, (y % 45) - 22) < 12) return [128, 164, 96]
  return [222, 227, 202]
}
