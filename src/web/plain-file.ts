// A file as it is handed over: pictures without what cameras and programs write beside what is seen.
import { plainPicture } from '../blobs/plain-picture.ts'
import { HEAD_SIZE, kindOf } from './file-kind.ts'

export interface PlainFile {
  file: Blob
  name: string
  /** It is a picture or a film, and may hold hidden data still. */
  mayHide: boolean
}

/** Of pictures that are drawn anew. */
const QUALITY = 0.92
/** Pictures that would lose their movement, or what makes them drawings, when they are drawn anew. */
const LEFT_ALONE: ReadonlySet<string> = new Set(['image/gif', 'image/svg+xml'])

/** @throws DOMException when the file cannot be read */
export async function plainFile(file: File): Promise<PlainFile> {
  const { name } = file
  const type = kindOf(new Uint8Array(await file.slice(0, HEAD_SIZE).arrayBuffer())) ?? file.type
  const isPicture = type.startsWith('image/')
  if (!isPicture || LEFT_ALONE.has(type)) return { file, name, mayHide: isPicture || type.startsWith('video/') }
  const plain = plainPicture(new Uint8Array(await file.arrayBuffer()))
  if (plain !== undefined) return { file: new Blob([plain], { type }), name, mayHide: false }
  const drawn = await drawnAnew(file).catch(() => undefined)
  if (drawn === undefined) return { file, name, mayHide: true }
  return { file: drawn, name: `${name.replace(/\.\w+$/, '')}.webp`, mayHide: false }
}

/** For kinds whose parts are not known here. @throws when the browser cannot draw it */
async function drawnAnew(file: File): Promise<Blob> {
  const picture = await createImageBitmap(file)
  const canvas = new OffscreenCanvas(picture.width, picture.height)
  canvas.getContext('2d')!.drawImage(picture, 0, 0)
  picture.close()
  const drawn = await canvas.convertToBlob({ type: 'image/webp', quality: QUALITY })
  if (drawn.type !== 'image/webp') throw new Error('this browser writes no WebP')
  return drawn
}
