// What a file is called that somebody else has named: one name, which every file system takes and no terminal obeys.
import { harmless } from '../../trust/index.ts'

/** Of UTF-8, as most file systems have it. */
const MAX_SIZE = 255
const NAMELESS = 'attachment'
/** Separators of every system, what Windows does not take, and control characters. */
const UNUSABLE = /[/\\:*?"<>|\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu
/** Names that Windows has for devices, whatever their extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** What Windows drops from the end of a name. */
const UNKEPT = /[.\s]+$/

/** A name that can be used in a directory: never empty, never hidden, never a path. */
export function fileNameOf(claimed: string): string {
  const last = claimed.split(/[/\\]/).at(-1)!
  const plain = harmless(last.replace(UNUSABLE, '_')).replace(UNUSABLE, '_')
  const visible = plain.replace(/^[.\s]+/, '').replace(UNKEPT, '')
  if (visible === '') return NAMELESS
  return shortened(DEVICE.test(visible) ? `_${visible}` : visible)
}

/** Cut before its extension, at a character's end. */
function shortened(name: string): string {
  const dot = name.lastIndexOf('.')
  const extension = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : ''
  let [stem, room] = ['', MAX_SIZE - Buffer.byteLength(extension)]
  for (const character of name.slice(0, name.length - extension.length)) {
    room -= Buffer.byteLength(character)
    if (room < 0) break
    stem += character
  }
  return extension === '' ? stem.replace(UNKEPT, '') : stem + extension
}
