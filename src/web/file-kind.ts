// What a file is, by how it begins: browsers go by its name, know nothing of one without an ending, and of few kinds of
// pictures that phones make.

/** As much as has to be read of it, in bytes. */
export const HEAD_SIZE = 12

/** In Latin letters; `.` stands for any byte. */
const KINDS: readonly (readonly [begin: RegExp, type: string])[] = [
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^\x89PNG/, 'image/png'],
  [/^GIF8/, 'image/gif'],
  [/^RIFF....WEBP/s, 'image/webp'],
  [/^(II\*\0|MM\0\*)/, 'image/tiff'],
  [/^....ftypavi[fs]/s, 'image/avif'],
  [/^....ftyp(he[ivx][cmsx]|mif1|msf1)/s, 'image/heic'],
  [/^....ftyp/s, 'video/mp4'],
  [/^\x1aE\xdf\xa3/, 'video/webm'],
  [/^RIFF....AVI /s, 'video/x-msvideo']
]

/** @returns the media type of a picture or a film; undefined for other files */
export function kindOf(head: Uint8Array): string | undefined {
  const text = String.fromCharCode(...head.subarray(0, HEAD_SIZE))
  return KINDS.find(([begin]) => begin.test(text))?.[1]
}
