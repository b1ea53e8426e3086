// Whether what fills up cells and contents is zeros: looked at for every one that comes.

const ZEROS = Buffer.alloc(4_096)

export function isZeros(bytes: Uint8Array): boolean {
  for (let start = 0; start < bytes.length; start += ZEROS.length) {
    const part = bytes.subarray(start, start + ZEROS.length)
    if (ZEROS.compare(part, 0, part.length, 0, part.length) !== 0) return false
  }
  return true
}
