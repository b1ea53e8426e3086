// Small things that the page is made of.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { at, focusHeading } from '../state/route.ts'
import { t } from '../words/index.ts'
import { ago, moment } from '../words/quantities.ts'
import { explained } from '../words/sentence.ts'

/** The heading of a place, which is the document's title as well; it takes the focus when one comes there. */
export function Title({ children, aside }: { children: ComponentChildren; aside?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const words = heading.current?.cloneNode(true) as HTMLElement
    for (const sign of words.querySelectorAll('[aria-hidden]')) sign.remove()
    document.title = `${words.textContent} · Comrade`
  })
  return (
    <header class="title">
      <h1 ref={heading} tabIndex={-1}>
        {children}
      </h1>
      {aside}
    </header>
  )
}

/** How long ago something was; pointed at, the exact time. */
export function When({ time }: { time: string }) {
  return (
    <time class="when" dateTime={time} title={moment(time)}>
      {ago(time, t('justNow'))}
    </time>
  )
}

/** Why something did not work. */
export function Failure({ error }: { error: unknown }) {
  if (error === undefined) return null
  const { text, detail } = explained(error)
  return (
    <p class="failure" role="alert">
      {text}
      {detail !== undefined && (
        <span class="hint" lang="en">
          {' '}
          {detail}
        </span>
      )}
    </p>
  )
}

interface ActionProps {
  /** What a click does; the button waits for it. */
  run: () => Promise<unknown>
  kind?: 'main' | 'plain' | 'danger' | 'quiet'
  isDisabled?: boolean
  /** Whether Enter in a field of the same {@link Form} does it as well. */
  isSubmit?: boolean
  label?: string
  children: ComponentChildren
}

/** A button that waits for what it began, and says why it failed. */
export function Action({ run, kind = 'plain', isDisabled = false, isSubmit = false, label, children }: ActionProps) {
  const isBusy = useSignal(false)
  const error = useSignal<unknown>(undefined)
  const click = async (): Promise<void> => {
    if (isBusy.value) return
    isBusy.value = true
    error.value = undefined
    try {
      await run()
    } catch (failure) {
      error.value = failure
    } finally {
      isBusy.value = false
    }
  }
  return (
    <span class="action">
      <button
        type={isSubmit ? 'submit' : 'button'}
        class={kind}
        disabled={isDisabled}
        aria-disabled={isBusy.value || undefined /* a button that is disabled would lose the focus */}
        aria-busy={isBusy.value}
        aria-label={label}
        onClick={() => void click()}
      >
        {children}
      </button>
      <Failure error={error.value} />
    </span>
  )
}

/** Says that there is nothing, and what one can do about it. */
export function Empty({ children, next }: { children: ComponentChildren; next?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>{children}</p>
      {next !== undefined && <p class="row">{next}</p>}
    </div>
  )
}

/** A text that is handed on: shown in full, copied by a click. */
export function Copyable({ text, label }: { text: string; label: string }) {
  const isCopied = useSignal(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    isCopied.value = true
  }
  return (
    <div class="copyable">
      <code tabIndex={0} role="group" aria-label={label}>
        {text}
      </code>
      <Action run={copy}>{isCopied.value ? t('copied') : t('copy')}</Action>
      <span role="status" class="hidden">
        {isCopied.value && t('copied')}
      </span>
    </div>
  )
}

interface QuestionProps {
  title: string
  children: ComponentChildren
  /** What the button says that does it. */
  yes: string
  run: () => Promise<unknown>
  onClose: () => void
}

/** Asks before something that cannot be undone. The focus goes back to where it was, or to the heading when that is gone. */
export function Question({ title, children, yes, run, onClose }: QuestionProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
    return () => requestAnimationFrame(() => document.activeElement === document.body && focusHeading())
  }, [])
  const act = async (): Promise<void> => {
    await run()
    dialog.current?.close()
  }
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="question" aria-describedby="asked">
      <h2 id="question">{title}</h2>
      <div id="asked">{children}</div>
      <p class="row">
        <Action kind="danger" run={act}>
          {yes}
        </Action>
        <button type="button" class="plain" onClick={() => dialog.current?.close()}>
          {t('cancel')}
        </button>
      </p>
    </dialog>
  )
}

/** The two ways to come to know somebody: the next step of whoever knows nobody. */
export function MeetLinks({ onLeave }: { onLeave?: () => void }) {
  return (
    <>
      <a class="button main" href={at('meet', 'invite')} onClick={onLeave}>
        {t('inviteSomebody')}
      </a>
      <a class="button plain" href={at('meet', 'link')} onClick={onLeave}>
        {t('haveInvite')}
      </a>
    </>
  )
}
