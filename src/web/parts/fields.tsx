// What one fills in at several places.
import type { Signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { line } from '../text.ts'
import { t } from '../words/index.ts'

/** UTF-16 units of a name, as the node takes it. */
const MAX_NAME_LENGTH = 64

/** Fields that are sent together, by the button among them or by Enter. */
export function Form({ children }: { children: ComponentChildren }) {
  return (
    <form class="fields" onSubmit={(event) => event.preventDefault()}>
      {children}
    </form>
  )
}

/** A name, of a person, a group or a conversation. */
export function NameField({ label, name }: { label: string; name: Signal<string> }) {
  return (
    <label class="field">
      {label}
      <input
        type="text"
        maxLength={MAX_NAME_LENGTH}
        value={name.value}
        onInput={(event) => (name.value = event.currentTarget.value)}
      />
    </label>
  )
}

/** One of these people, by their did; '' while nobody is chosen. */
export function PersonChoice({
  label,
  people,
  who
}: {
  label: string
  people: readonly { did: string; name: string }[]
  who: Signal<string>
}) {
  return (
    <select aria-label={label} value={who.value} onChange={({ currentTarget }) => (who.value = currentTarget.value)}>
      <option value="">{t('choosePerson')}</option>
      {people.map(({ did, name }) => (
        <option key={did} value={did}>
          {line(name)}
        </option>
      ))}
    </select>
  )
}
