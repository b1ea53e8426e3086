// Takes an invite from a QR code: by the camera, or from a picture of it, chosen or pasted.
import { useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { codeIn, codeSeen, openCamera } from '../code-scanner.ts'
import { line } from '../text.ts'
import { t, type Word } from '../words/index.ts'
import { Failure } from './basics.tsx'

/** What a code may hold to be taken: a link of this program, or somebody's key. */
const INVITE = /^(comrade:|did:key:)/
const MAX_SHOWN = 80

const CAMERA_FAILURES: Readonly<Record<string, Word>> = {
  NotAllowedError: 'cameraRefused',
  SecurityError: 'cameraRefused',
  NotFoundError: 'cameraNone',
  OverconstrainedError: 'cameraNone',
  NotReadableError: 'cameraBusy'
}

/** @param onFound given the text of a code that may be an invite */
export function Scan({ onFound }: { onFound: (text: string) => Promise<void> }) {
  const video = useRef<HTMLVideoElement>(null)
  const input = useRef<HTMLInputElement>(null)
  /** Its signal ends what the camera does. */
  const camera = useSignal<AbortController | undefined>(undefined)
  const failure = useSignal<unknown>(undefined)

  const stop = (): void => {
    camera.value?.abort()
    camera.value = undefined
  }
  const take = async (text: string | undefined): Promise<void> => {
    if (text === undefined) throw new Error(t('noCode'))
    if (!INVITE.test(text)) throw new Error(t('notAnInvite', { text: line(text.slice(0, MAX_SHOWN)) }))
    await onFound(text)
  }
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    failure.value = undefined
    try {
      await work()
    } catch (error) {
      failure.value = told(error)
    }
  }
  const scan = async (): Promise<void> => {
    const turn = (camera.value = new AbortController())
    await attempt(async () => {
      const text = await seen(video, turn.signal)
      if (camera.value === turn) stop()
      if (text !== undefined) await take(text)
    })
    if (camera.value === turn) stop()
  }
  const look = (picture: Blob | undefined): void => {
    if (picture !== undefined) void attempt(async () => take(await codeIn(picture)))
  }
  useEffect(() => {
    const paste = ({ clipboardData }: ClipboardEvent): void => {
      const picture = [...(clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'))
      look(picture)
    }
    addEventListener('paste', paste)
    return () => {
      removeEventListener('paste', paste)
      stop()
    }
  }, [])

  const isOn = camera.value !== undefined
  return (
    <div class="scan">
      <p class="row">
        <button type="button" class="plain" onClick={() => (isOn ? stop() : void scan())}>
          {isOn ? t('cameraStop') : t('cameraScan')}
        </button>
        <button type="button" class="plain" onClick={() => input.current?.click()}>
          {t('openPicture')}
        </button>
      </p>
      <input
        ref={input}
        type="file"
        accept="image/*"
        class="hidden"
        tabIndex={-1}
        aria-label={t('openPicture')}
        onChange={({ currentTarget }) => {
          look(currentTarget.files?.[0])
          currentTarget.value = ''
        }}
      />
      <p role="status" class={isOn ? 'hint' : 'hidden'}>
        {isOn && t('cameraHold')}
      </p>
      {isOn && <video ref={video} muted playsInline aria-label={t('cameraScan')} />}
      <Failure error={failure.value} />
    </div>
  )
}

/** What the camera shows, until there is a code in it. @returns undefined when the signal fires first */
async function seen(video: RefObject<HTMLVideoElement | null>, signal: AbortSignal): Promise<string | undefined> {
  try {
    const stream = await openCamera(signal)
    signal.throwIfAborted()
    video.current!.srcObject = stream
    await video.current!.play()
    return await codeSeen(video.current!, stream, signal)
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

function told(error: unknown): unknown {
  const word = error instanceof DOMException ? CAMERA_FAILURES[error.name] : undefined
  return word === undefined ? error : new Error(t(word))
}
