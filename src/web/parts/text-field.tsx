// The field in which one writes: it grows with its text, and offers people when one writes an `@`.
import { type Signal, useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { type Begun, begunAt, type Candidate, offeredFor, spokenTo } from '../mentions.ts'
import { line } from '../text.ts'
import { t, tn } from '../words/index.ts'
import { Name, Sign, Warnings } from './person.tsx'

interface TextFieldProps {
  field: RefObject<HTMLTextAreaElement | null>
  text: Pick<Signal<string>, 'value'>
  label: string
  /** Who may be spoken to. @default nobody: an `@` is text */
  people?: readonly Candidate[]
  /** Ctrl and Enter. */
  onSubmit: (event: Event) => void
}

/**
 * An editable combobox with a list, after the pattern of the ARIA practices: the focus stays in the text, and the list says
 * which of its people is chosen.
 *
 * @see https://www.w3.org/WAI/ARIA/apg/patterns/combobox/
 */
export function TextField({ field, text, label, people = [], onSubmit }: TextFieldProps) {
  const id = useId()
  const begun = useSignal<Begun | undefined>(undefined)
  const at = useSignal(0)
  const closedAt = useSignal(-1)
  const offered = begun.value === undefined ? [] : offeredFor(begun.value.words, people)
  const chosen = offered.at(Math.min(at.value, offered.length - 1))

  const look = (): void => {
    const { selectionStart: place, selectionEnd, value } = field.current!
    const found = people.length === 0 || place !== selectionEnd ? undefined : begunAt(value, place)
    if (found?.from !== closedAt.value) closedAt.value = -1
    if (found?.words !== begun.value?.words) at.value = 0
    begun.value = found === undefined || found.from === closedAt.value ? undefined : found
  }
  const choose = ({ name }: Candidate): void => {
    const { from, to } = begun.value!
    field.current!.setRangeText(`@${name} `, from, to, 'end')
    text.value = field.current!.value
    begun.value = undefined
    field.current!.focus()
  }
  /** Keys that mean the list, as long as it is there. */
  const keys: Record<string, () => void> = {
    ArrowDown: () => (at.value = (at.value + 1) % offered.length),
    ArrowUp: () => (at.value = (at.value + offered.length - 1) % offered.length),
    Enter: () => choose(chosen!),
    Tab: () => choose(chosen!),
    Escape: () => {
      closedAt.value = begun.value!.from
      begun.value = undefined
    }
  }
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) return onSubmit(event)
    const isPlain = !event.isComposing && !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey
    if (chosen === undefined || !isPlain || keys[event.key] === undefined) return
    event.preventDefault()
    keys[event.key]()
  }
  const combobox =
    people.length === 0
      ? {}
      : ({
          'aria-autocomplete': 'list',
          'aria-haspopup': 'listbox',
          'aria-controls': offered.length === 0 ? undefined : `${id}list`,
          'aria-activedescendant': chosen === undefined ? undefined : `${id}${chosen.did}`
        } as const)
  return (
    <>
      <textarea
        ref={field}
        rows={2}
        aria-label={label}
        placeholder={label}
        value={text.value}
        {...combobox}
        onInput={(event) => {
          text.value = event.currentTarget.value
          look()
        }}
        onKeyDown={press}
        onKeyUp={look}
        onClick={look}
        onBlur={() => (begun.value = undefined)}
      />
      {people.length > 0 && (
        <>
          {chosen !== undefined && (
            <Offer id={id} people={offered} chosen={chosen} choose={choose} onPoint={(index) => (at.value = index)} />
          )}
          <p role="status" class="hidden">
            {offered.length > 0 && tn('mentionsOffered', offered.length)}
          </p>
          {chosen === undefined && <SpokenTo text={text.value} people={people} />}
        </>
      )}
    </>
  )
}

interface OfferProps {
  id: string
  people: readonly Candidate[]
  chosen: Candidate
  choose: (person: Candidate) => void
  onPoint: (index: number) => void
}

function Offer({ id, people, chosen, choose, onPoint }: OfferProps) {
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => list.current?.scrollIntoView({ block: 'nearest' }), [people.length])
  return (
    <ul ref={list} role="listbox" id={`${id}list`} class="offer" aria-label={t('mentionWhom')}>
      {people.map((person, index) => (
        <li
          key={person.did}
          role="option"
          id={`${id}${person.did}`}
          aria-selected={person === chosen}
          // The focus stays in the text: where it goes, a phone's keyboard goes.
          onMouseDown={(event) => event.preventDefault()}
          onPointerMove={() => onPoint(index)}
          onClick={() => choose(person)}
        >
          <Sign {...person} isSmall />
          <span>
            <Name {...person} />
            <Warnings {...person} />
          </span>
        </li>
      ))}
    </ul>
  )
}

/** Before it is sent one sees who will hear of it. */
function SpokenTo({ text, people }: { text: string; people: readonly Candidate[] }) {
  const named = spokenTo(text, people)
  if (named.length === 0) return null
  return <p class="hint">{t('mentionsWhom', { names: named.map(({ name }) => line(name)).join(', ') })}</p>
}
