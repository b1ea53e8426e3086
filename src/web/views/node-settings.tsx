// What the node does for others, and what it tells them: each setting with what choosing it means.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, post } from '../api.ts'
import { Failure } from '../parts/basics.tsx'
import type { SettingShape } from '../shapes.ts'
import { t, type Word } from '../words/index.ts'

type Key = SettingShape['key']

/** What it is called and what it means, in the order in which they are shown. */
const SETTINGS: readonly (readonly [key: Key, name: Word, about: Word])[] = [
  ['privacy', 'setPrivacy', 'setPrivacyAbout'],
  ['shareContacts', 'setShareContacts', 'setShareContactsAbout'],
  ['readReceipts', 'setReadReceipts', 'setReadReceiptsAbout'],
  ['mailboxes', 'setMailboxes', 'setMailboxesAbout'],
  ['relay', 'setRelay', 'setRelayAbout'],
  ['directory', 'setDirectory', 'setDirectoryAbout']
]
const LEVELS: Readonly<Record<string, Word>> = {
  convenience: 'privacyConvenience',
  guarded: 'privacyGuarded',
  safety: 'privacySafety'
}
/** What is on or off, and how the setting says so. */
const ON: Partial<Record<Key, string | boolean>> = {
  shareContacts: true,
  readReceipts: true,
  mailboxes: 'friends',
  relay: 'friends',
  directory: true
}
const OFF: Partial<Record<Key, string | boolean>> = { mailboxes: 'off', relay: 'off' }

export function NodeSettings() {
  const settings = useSignal<SettingShape[]>([])
  const failure = useSignal<unknown>(undefined)
  useEffect(() => {
    void get<SettingShape[]>('config')
      .then((all) => (settings.value = all))
      .catch((error: unknown) => (failure.value = error))
  }, [])
  const change = async (key: Key, value: string | boolean): Promise<void> => {
    failure.value = undefined
    try {
      const changed = await post<SettingShape>('config', { key, value })
      settings.value = settings.value.map((each) => (each.key === key ? changed : each))
    } catch (error) {
      failure.value = error
      settings.value = [...settings.value] // what was chosen and did not take is shown as it is
    }
  }
  const known = new Map(settings.value.map((each) => [each.key, each]))
  return (
    <section>
      <h2>{t('nodeSettings')}</h2>
      <Failure error={failure.value} />
      {SETTINGS.map(([key, name, about]) => {
        const setting = known.get(key)
        return setting && <Setting key={key} {...{ setting, name, about, change }} />
      })}
    </section>
  )
}

interface SettingProps {
  setting: SettingShape
  name: Word
  about: Word
  change: (key: Key, value: string | boolean) => Promise<void>
}

function Setting({ setting: { key, value, inUse, choices }, name, about, change }: SettingProps) {
  const on = ON[key]
  return (
    <div class="setting">
      {on === undefined ? (
        <label class="strong">
          {t(name)}{' '}
          <select
            value={String(value)}
            aria-describedby={`about-${key}`}
            onChange={(event) => void change(key, event.currentTarget.value)}
          >
            {choices.map((choice) => (
              <option key={String(choice)} value={String(choice)}>
                {t(LEVELS[String(choice)])}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <label class="check strong">
          <input
            type="checkbox"
            checked={value === on}
            aria-describedby={`about-${key}`}
            onChange={(event) => void change(key, event.currentTarget.checked ? on : (OFF[key] ?? false))}
          />
          {t(name)}
        </label>
      )}
      <p class="hint" id={`about-${key}`}>
        {t(about)}
      </p>
      <p role="status">{value !== inUse && <span class="notice block">{t('holdsFromNextStart')}</span>}</p>
    </div>
  )
}
