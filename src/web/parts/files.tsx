// Files that belong to a post or a message: pictures are shown, all can be kept. Their bytes come from the own node, which
// fetches them from whoever has them, and never sends them as a page.
import { useSignal } from '@preact/signals'
import { line } from '../text.ts'
import { t } from '../words/index.ts'
import { size } from '../words/quantities.ts'

/** What the node sends as a picture. */
const PICTURES: ReadonlySet<string | null> = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif'
])
/** A larger picture is shown only when one asks for it, in bytes. */
const LARGE = 8 * 2 ** 20

interface Attached {
  name: string
  size: number
  mime: string | null
  /** Where its bytes are: a route of the API. */
  address: string
}

export function Files({ files }: { files: readonly Attached[] }) {
  if (files.length === 0) return null
  return (
    <ul class="files">
      {files.map((file) => (
        <li key={file.address}>
          <File file={file} />
        </li>
      ))}
    </ul>
  )
}

function File({ file: { name, size: bytes, mime, address } }: { file: Attached }) {
  const isAbsent = useSignal(false)
  const isShown = useSignal(PICTURES.has(mime) && bytes <= LARGE)
  return (
    <>
      {isShown.value && !isAbsent.value && (
        <img src={address} alt={line(name)} loading="lazy" onError={() => (isAbsent.value = true)} />
      )}
      <p class="hint">
        <a href={address} download={line(name)}>
          {line(name)}
        </a>{' '}
        {size(bytes)}
        {isAbsent.value && ` · ${t('fileAbsent')}`}
      </p>
    </>
  )
}
