// Files that go with what one writes: chosen, dropped or pasted, seen small, described, and taken away again.
import { useSignal } from '@preact/signals'
import { useEffect, useId, useRef } from 'preact/hooks'
import { ApiError } from '../api.ts'
import { Failure } from './basics.tsx'
import { Icon } from './icon.tsx'
import { MAX_FILE_SIZE, MAX_FILES, type PickedFile, type Uploads } from '../state/uploads.ts'
import { line } from '../text.ts'
import { t } from '../words/index.ts'
import { size } from '../words/quantities.ts'

/** Side of a small picture, in pixels of the screen twice as fine as those of the page. */
const SIDE = 128
/** A larger picture is not drawn small: that takes too long. Bytes. */
const MAX_DRAWN_SIZE = 32 * 2 ** 20
/** Characters of a picture's description. */
const MAX_ALT = 1_000

/** Opens the system's choice of files. */
export function AttachButton({ uploads }: { uploads: Uploads }) {
  const input = useRef<HTMLInputElement>(null)
  const choose = (): void => {
    uploads.add(input.current!.files ?? [])
    input.current!.value = '' // so that the same file can be chosen again
  }
  return (
    <>
      <button
        type="button"
        class="quiet attach"
        title={t('attach')}
        aria-label={t('attach')}
        onClick={() => input.current!.click()}
      >
        <Icon name="clip" />
      </button>
      <input ref={input} type="file" multiple hidden onChange={choose} />
    </>
  )
}

/** What a place takes that is dropped or pasted on it. */
export function takesFiles(uploads: Uploads) {
  return {
    onDragOver: (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files') === true) event.preventDefault()
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault()
      uploads.add(event.dataTransfer?.files ?? [])
    },
    onPaste: (event: ClipboardEvent) => {
      const { files, types } = event.clipboardData ?? {}
      // Office programs put a picture of what was copied beside its text.
      if (files === undefined || files.length === 0 || types?.includes('text/plain') === true) return
      event.preventDefault()
      uploads.add(files)
    }
  }
}

/** A file that misses its place would take the page's: the browser opens what is dropped elsewhere. */
export function keepFromLeaving(): void {
  for (const event of ['dragover', 'drop']) addEventListener(event, (dropped) => dropped.preventDefault())
}

export function AttachedFiles({ uploads }: { uploads: Uploads }) {
  const files = uploads.files.value
  useEffect(() => () => uploads.clear(), [])
  return (
    <>
      {uploads.areTooMany.value && (
        <p class="failure" role="alert">
          {t('tooManyFiles', { count: MAX_FILES })}
        </p>
      )}
      {files.length > 0 && (
        <ul class="picked" aria-label={t('attachedFiles')}>
          {files.map((file) => (
            <li key={file.file}>
              <Picked file={file} uploads={uploads} />
            </li>
          ))}
        </ul>
      )}
      {files.some(({ isPicture }) => isPicture) && (
        <label class="check hint">
          <input
            type="checkbox"
            checked={uploads.isPlain.value}
            onChange={({ currentTarget }) => uploads.setPlain(currentTarget.checked)}
          />
          {t('hiddenData')}
        </label>
      )}
    </>
  )
}

function Picked({ file, uploads }: { file: PickedFile; uploads: Uploads }) {
  const { file: chosen, isPicture, alt } = file
  const name = line(chosen.name)
  const id = useId()
  return (
    <div class="picked-file">
      <Small file={chosen} isPicture={isPicture} />
      <div class="grow">
        <p>
          <span class="picked-name">{name}</span> <span class="hint">{size(chosen.size)}</span>
          {file.mayHide.value && <span class="warn">{t('mayHide')}</span>}
        </p>
        {file.state.value === 'coming' && <progress value={file.part.value} aria-label={t('uploadOf', { name })} />}
        {file.state.value === 'failed' && <WhyNot file={file} isPlain={uploads.isPlain.value} />}
        {isPicture && file.state.value !== 'failed' && (
          <>
            <label class="hidden" for={id}>
              {t('describePicture', { name })}
            </label>
            <input
              id={id}
              maxLength={MAX_ALT}
              placeholder={t('describeHint')}
              value={alt.value}
              onInput={({ currentTarget: { value } }) => (alt.value = value)}
            />
          </>
        )}
      </div>
      <button
        type="button"
        class="quiet"
        aria-label={t('removeFile', { name })}
        title={t('remove')}
        onClick={({ currentTarget }) => {
          currentTarget.form?.querySelector('textarea')?.focus() // the button goes, and the focus is not to go with it
          uploads.remove(file)
        }}
      >
        <Icon name="cross" />
      </button>
    </div>
  )
}

function WhyNot({ file, isPlain }: { file: PickedFile; isPlain: boolean }) {
  const error = file.error.value
  const code = error instanceof ApiError ? error.code : undefined
  const limit = size(MAX_FILE_SIZE)
  if (code === 'TOO_LARGE')
    return (
      <p class="failure" role="alert">
        {t('fileTooLarge', { limit })}
      </p>
    )
  if (code === 'EMPTY')
    return (
      <p class="failure" role="alert">
        {t('fileEmpty')}
      </p>
    )
  return (
    <div class="row">
      {error instanceof DOMException ? (
        <p class="failure" role="alert">
          {t('fileUnread')}
        </p>
      ) : (
        <Failure error={error} />
      )}
      <button type="button" class="quiet" onClick={() => file.again(isPlain)}>
        {t('tryAgain')}
      </button>
    </div>
  )
}

/** A picture drawn small, as its file is: nothing but the own node may be an address of pictures here. Else the kind of file. */
function Small({ file, isPicture }: { file: File; isPicture: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const isDrawn = useSignal(isPicture && file.size <= MAX_DRAWN_SIZE)
  useEffect(() => {
    if (canvas.current !== null) drawSmall(file, canvas.current).catch(() => (isDrawn.value = false))
  }, [file])
  if (isDrawn.value) return <canvas ref={canvas} class="small-picture" width={SIDE} height={SIDE} aria-hidden="true" />
  const [, kind = ''] = /\.(\w{1,4})$/.exec(file.name) ?? []
  return (
    <span class="small-picture" aria-hidden="true">
      {kind}
    </span>
  )
}

/** Fills the square, cut at the longer sides. */
async function drawSmall(file: File, canvas: HTMLCanvasElement): Promise<void> {
  const picture = await createImageBitmap(file)
  const scale = SIDE / Math.min(picture.width, picture.height)
  const [width, height] = [picture.width * scale, picture.height * scale]
  canvas.getContext('2d')!.drawImage(picture, (SIDE - width) / 2, (SIDE - height) / 2, width, height)
  picture.close()
}
