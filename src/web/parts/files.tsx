// Files that belong to a post or a message: pictures are shown, all can be kept. Their bytes come from the own node, which
// fetches them from whoever has them, and never sends them as a page.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { begin } from '../api.ts'
import { Action } from './basics.tsx'
import { fileState } from '../state/files.ts'
import { line } from '../text.ts'
import type { FileProgressShape, FileShape } from '../shapes.ts'
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
/** The node begins to fetch what belongs to a new post a moment after it, in ms. */
const SETTLE_MS = 2_000

/** What files belong to: the routes that give and fetch them, and what these take. */
export interface FilesOf {
  give: string
  fetch: string
  id: string
}

interface FilesProps {
  files: readonly FileShape[]
  of: FilesOf
  /** Whether they are told apart by their places. @default there is one */
  isList?: boolean
}

export function Files({ files, of, isList = false }: FilesProps) {
  if (files.length === 0) return null
  return (
    <ul class="files">
      {files.map((file, index) => (
        <li key={index}>
          <File file={file} of={of} query={{ id: of.id, ...(isList ? { index } : {}) }} />
        </li>
      ))}
    </ul>
  )
}

interface FileProps {
  file: FileShape
  of: FilesOf
  query: { id: string; index?: number }
}

function File({ file, of, query }: FileProps) {
  const { id, name, size: bytes, mime, alt } = file
  const isWanted = useSignal(bytes <= LARGE)
  const isAbsent = useSignal(false)
  const progress = fileState(id).value
  const isHere = !isAbsent.value && (file.isHere || progress?.state === 'here')
  const isPicture = PICTURES.has(mime)
  const address = `/api/${of.give}?${new URLSearchParams(Object.entries(query).map(([field, value]) => [field, String(value)])).toString()}`
  return (
    <>
      {isPicture && isHere && isWanted.value && (
        <img src={address} alt={line(alt ?? name)} loading="lazy" onError={() => (isAbsent.value = true)} />
      )}
      {isPicture && isHere && !isWanted.value && (
        <button type="button" class="plain" onClick={() => (isWanted.value = true)}>
          {t('showPicture')}
          <span class="hidden">: {line(alt ?? name)}</span>
        </button>
      )}
      <p class="hint">
        {isHere ? (
          <a href={address} download={line(name)}>
            {line(name)}
          </a>
        ) : (
          line(name)
        )}{' '}
        {size(bytes)}
      </p>
      {!isHere && (
        <OnItsWay
          file={file}
          progress={progress}
          fetch={async () => {
            await begin(of.fetch, query)
            isAbsent.value = false
          }}
        />
      )}
    </>
  )
}

interface OnItsWayProps {
  file: FileShape
  progress: FileProgressShape | undefined
  fetch: () => Promise<void>
}

/** How far it has come, or what it waits for; what does not come by itself can be asked for. */
function OnItsWay({ file, progress, fetch }: OnItsWayProps) {
  const isSettled = useSignal(false)
  useEffect(() => {
    const timer = setTimeout(() => (isSettled.value = true), SETTLE_MS)
    return () => clearTimeout(timer)
  }, [])
  if (progress === undefined || progress.state === 'dropped' || progress.state === 'here')
    return !isSettled.value ? null : (
      <p class="row hint">
        {t('fileNotFetched')}
        <Action run={fetch}>{t('fetchFile')}</Action>
      </p>
    )
  const part = progress.size === 0 ? 0 : progress.have / progress.size
  const have = t('fileComing', { have: size(Math.round(part * file.size)), size: size(file.size) })
  return (
    <p class="row hint">
      {(progress.state === 'coming' || part > 0) && (
        <>
          <progress value={part} aria-label={t('fetchingOf', { name: line(file.name) })} /> {have}
        </>
      )}
      {progress.state === 'waiting' && <span>{t('fileWaiting')}</span>}
    </p>
  )
}
