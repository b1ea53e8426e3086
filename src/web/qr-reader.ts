// Reads QR codes, for browsers that do not. A file of its own, which is loaded when somebody first scans.
import { decodeQR } from 'qr/decode.js'

/** How long one picture may take, in ms: a frame of a camera is followed by another one. */
const LIMIT_MS = 100

/** The text of the QR code in a picture, or undefined. */
export function readQr({ data, width, height }: ImageData): string | undefined {
  try {
    return decodeQR({ data, width, height }, { timeLimit: LIMIT_MS })
  } catch {
    return undefined // that is how it says that there is none
  }
}
