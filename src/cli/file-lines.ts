// How files of posts and messages look to a person.
import type { FileShape } from '../api/shapes.ts'
import { dim, type Line } from './output.ts'
import { formatSize } from './quantity.ts'

/** Its name and size, whether it is here, and what it shows. */
export function fileLines({ name, size, alt, isHere }: FileShape): Line[] {
  const note = `  file, ${formatSize(size)}${isHere ? '' : ', not here yet'}`
  const shows = alt === null ? [] : alt.split(/\r?\n/).map((line): Line => [dim(`    ${line}`)])
  return [[`  ${name}`, dim(note)], ...shows]
}
