// What kind of picture a file is that is to be attached.
import { extname } from 'node:path'

/** Pictures that browsers draw, by how their files' names end. Of other files nothing is said but their names. */
const PICTURE_TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif'
}

/** The media type of a picture by its name; undefined for other files. */
export function pictureType(name: string): string | undefined {
  return PICTURE_TYPES[extname(name).toLowerCase()]
}
