// Oneself, one's devices, and how the page looks in this browser.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, post } from '../api.ts'
import { Action, Copyable, Title } from '../parts/basics.tsx'
import { Form, NameField } from '../parts/fields.tsx'
import { Qr } from '../parts/qr.tsx'
import { chosenLanguage, theme, type Theme } from '../state/choices.ts'
import { changeProfile, profile } from '../state/me.ts'
import { connection } from '../state/live.ts'
import { line } from '../text.ts'
import { NodeSettings } from './node-settings.tsx'
import { language, LANGUAGES, t, type Word } from '../words/index.ts'

const THEMES: Readonly<Record<Theme, Word>> = { system: 'themeSystem', light: 'themeLight', dark: 'themeDark' }

export function SettingsView() {
  return (
    <>
      <Title>{t('settings')}</Title>
      <ProfileForm />
      <section>
        <h2>{t('thisPage')}</h2>
        <p class="row">
          <LanguageChoice />
          <label>
            {t('theme')}{' '}
            <select value={theme.value} onChange={({ currentTarget: { value } }) => (theme.value = value as Theme)}>
              {Object.entries(THEMES).map(([each, word]) => (
                <option key={each} value={each}>
                  {t(word)}
                </option>
              ))}
            </select>
          </label>
        </p>
      </section>
      <NodeSettings />
      <DeviceList />
      <section>
        <h2>{t('thisBrowser')}</h2>
        <p class="hint">{t('endSessionAbout')}</p>
        <Action run={endSession}>{t('endSession')}</Action>
      </section>
    </>
  )
}

async function endSession(): Promise<void> {
  await post('session/end')
  connection.value = 'shut'
}

export function LanguageChoice() {
  return (
    <label>
      {t('language')}{' '}
      <select value={language.value} onChange={({ currentTarget: { value } }) => (chosenLanguage.value = value)}>
        {Object.entries(LANGUAGES).map(([code, { name }]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

function ProfileForm() {
  const me = profile.value
  const name = useSignal(me?.name ?? '')
  const about = useSignal(me?.about ?? '')
  const isSaved = useSignal(false)
  const save = async (): Promise<void> => {
    await changeProfile({ name: name.value.trim(), about: about.value.trim() })
    isSaved.value = true
  }
  return (
    <section>
      <h2>{t('profile')}</h2>
      <p class="hint">{t('profileAbout')}</p>
      <Form>
        <NameField label={t('yourName')} name={name} />
        <label class="field">
          {t('about')}
          <textarea rows={2} value={about.value} onInput={(event) => (about.value = event.currentTarget.value)} />
        </label>
        <p class="row">
          <Action kind="main" isSubmit run={save} isDisabled={name.value.trim() === ''}>
            {t('save')}
          </Action>
          <span role="status">{isSaved.value && t('saved')}</span>
        </p>
      </Form>
      {me !== undefined && (
        <details>
          <summary>{t('yourKey')}</summary>
          <Copyable text={me.did} label={t('yourKey')} />
          <Qr text={me.did} label={t('yourKey')} />
        </details>
      )}
    </section>
  )
}

interface Device {
  device: string
  name: string
  state: 'this' | 'active' | 'revoked'
}
const DEVICE_STATES: Readonly<Record<Device['state'], Word>> = {
  this: 'deviceThis',
  active: 'deviceActive',
  revoked: 'deviceRevoked'
}

function DeviceList() {
  const devices = useSignal<Device[]>([])
  const invite = useSignal<string | undefined>(undefined)
  useEffect(() => {
    void get<Device[]>('device/list')
      .then((all) => (devices.value = all))
      .catch(() => {})
  }, [])
  const make = async (): Promise<void> => {
    invite.value = (await post<{ link: string }>('device/invite')).link
  }
  return (
    <section>
      <h2>{t('devices')}</h2>
      <ul class="rows">
        {devices.value.map(({ device, name, state }) => (
          <li key={device} class="row between">
            <span>
              {line(name)} <span class="tag">#{device.slice(-8)}</span>
            </span>
            <span class="hint">{t(DEVICE_STATES[state])}</span>
          </li>
        ))}
      </ul>
      {invite.value === undefined ? (
        <Action run={make}>{t('inviteDevice')}</Action>
      ) : (
        <>
          <p class="notice bad">{t('inviteDeviceAbout')}</p>
          <Qr text={invite.value} label={t('qrLabel')} />
          <Copyable text={invite.value} label={t('inviteDevice')} />
          <p class="hint">
            <code>comrade device join &lt;link&gt;</code>
          </p>
        </>
      )}
    </section>
  )
}
