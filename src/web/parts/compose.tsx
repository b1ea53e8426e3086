// Where one writes: to all who follow, to a group, or in answer to a post.
import { useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { post } from '../api.ts'
import { AttachButton, AttachedFiles, takesFiles } from './attach.tsx'
import { Failure } from './basics.tsx'
import { TextField } from './text-field.tsx'
import { type Candidate, spokenTo, withoutNames } from '../mentions.ts'
import { candidatesFor } from '../state/candidates.ts'
import { groups } from '../state/groups.ts'
import { Uploads } from '../state/uploads.ts'
import { line, tagsIn } from '../text.ts'
import { t, type Word } from '../words/index.ts'

const DAY_MS = 86_400_000
export const LIFETIMES: readonly { ms: number | undefined; word: Word }[] = [
  { ms: undefined, word: 'keepAlways' },
  { ms: DAY_MS, word: 'keepDay' },
  { ms: 7 * DAY_MS, word: 'keepWeek' },
  { ms: 30 * DAY_MS, word: 'keepMonth' }
]

interface ComposeProps {
  /** Id of the post that is answered. */
  reply?: string
  /** Id of the group it goes to; what answers goes where the answered post is. */
  group?: string
  label: string
  /** Take the focus at once. */
  isEager?: boolean
  onDone?: (id: string) => void
}

export function Compose({ reply, group, label, isEager = false, onDone }: ComposeProps) {
  const text = useSignal('')
  const to = useSignal(group ?? '')
  const lifetime = useSignal<number | undefined>(undefined)
  const uploads = useMemo(() => new Uploads(), [])
  const people = candidatesFor({ reply, group: to.value === '' ? undefined : to.value })
  const publish = async (): Promise<void> => {
    const body = {
      text: text.value.trim() === '' ? undefined : text.value,
      ...{ reply, tags: tagsIn(withoutNames(text.value, people)) },
      ...{ mentions: spokenTo(text.value, people).map(({ did }) => did) },
      ...(reply === undefined && to.value !== '' ? { to: to.value } : {}),
      ...(lifetime.value !== undefined && to.value === '' ? { expiresInMs: lifetime.value } : {})
    }
    const { id } = await uploads.attach(uploads.files.value, (files) =>
      post<{ id: string }>('post', { ...body, files })
    )
    text.value = ''
    onDone?.(id)
  }
  const choices = reply === undefined && (
    <>
      {group === undefined && <Audience to={to} />}
      {to.value === '' && <Lifetime lifetime={lifetime} />}
    </>
  )
  return (
    <Writing
      text={text}
      label={label}
      button={reply === undefined ? t('publish') : t('reply')}
      people={people}
      uploads={uploads}
      isEager={isEager}
      send={publish}
    >
      {choices}
    </Writing>
  )
}

interface WritingProps {
  text: { value: string }
  label: string
  button: string
  /** Who may be mentioned. @default nobody */
  people?: readonly Candidate[]
  /** The files that go with it. */
  uploads: Uploads
  isEager?: boolean
  send: () => Promise<void>
  children?: preact.ComponentChildren
}

/** A field that grows with its text, and sends by its button or Ctrl and Enter. Text and files stay when sending fails. */
export function Writing({ text, label, button, people, uploads, isEager = false, send, children }: WritingProps) {
  const field = useRef<HTMLTextAreaElement>(null)
  const isBusy = useSignal(false)
  const error = useSignal<unknown>(undefined)
  const hasFiles = uploads.files.value.length > 0
  const isReady = text.value.trim() !== '' || hasFiles
  useEffect(() => {
    if (isEager) field.current?.focus()
  }, [])
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!isReady || isBusy.value) return
    isBusy.value = true
    error.value = undefined
    try {
      await send()
      field.current?.focus()
    } catch (failure) {
      error.value = failure
    } finally {
      isBusy.value = false
    }
  }
  return (
    <form class="compose" onSubmit={(event) => void submit(event)} {...takesFiles(uploads)}>
      <TextField field={field} text={text} label={label} people={people} onSubmit={(event) => void submit(event)} />
      <AttachedFiles uploads={uploads} />
      <div class="compose-foot">
        <AttachButton uploads={uploads} />
        {children}
        <button type="submit" class="main" disabled={!isReady || isBusy.value} aria-busy={isBusy.value}>
          {button}
        </button>
      </div>
      <Failure error={error.value} />
    </form>
  )
}

function Audience({ to }: { to: { value: string } }) {
  const own = (groups.value ?? []).filter(({ you }) => you === 'member')
  if (own.length === 0) return null
  return (
    <select aria-label={t('audience')} value={to.value} onChange={(event) => (to.value = event.currentTarget.value)}>
      <option value="">{t('audienceAll')}</option>
      {own.map(({ id, name }) => (
        <option key={id} value={id}>
          @{line(name)}
        </option>
      ))}
    </select>
  )
}

export function Lifetime({ lifetime }: { lifetime: { value: number | undefined } }) {
  return (
    <select
      aria-label={t('lifetime')}
      value={String(lifetime.value ?? '')}
      onChange={({ currentTarget: { value } }) => (lifetime.value = value === '' ? undefined : Number(value))}
    >
      {LIFETIMES.map(({ ms, word }) => (
        <option key={word} value={String(ms ?? '')}>
          {t(word)}
        </option>
      ))}
    </select>
  )
}
