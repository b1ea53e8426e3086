// Coming to know somebody: by a link that one hands out, or that one was given.
import { useSignal } from '@preact/signals'
import { post } from '../api.ts'
import { Action, Copyable, Title } from '../parts/basics.tsx'
import { Form, NameField } from '../parts/fields.tsx'
import { PersonLink, Warnings } from '../parts/person.tsx'
import { Qr } from '../parts/qr.tsx'
import { Scan } from '../parts/scan.tsx'
import { loadPeople, met } from '../state/people.ts'
import { at, go } from '../state/route.ts'
import { line } from '../text.ts'
import type { ContactShape, InviteShape, MeetingShape } from '../shapes.ts'
import { t } from '../words/index.ts'
import { moment } from '../words/quantities.ts'

export function MeetView({ about }: { about: string }) {
  return (
    <>
      <Title>{t('meetTitle')}</Title>
      <nav class="tabs" aria-label={t('meetTitle')}>
        <a href={at('meet', 'invite')} aria-current={about !== 'link' ? 'page' : undefined}>
          {t('inviteSomebody')}
        </a>
        <a href={at('meet', 'link')} aria-current={about === 'link' ? 'page' : undefined}>
          {t('haveInvite')}
        </a>
      </nav>
      {about === 'link' ? <TakeInvite /> : <MakeInvite />}
    </>
  )
}

/** Makes a link, and says who came by it. */
function MakeInvite() {
  const invite = useSignal<InviteShape | undefined>(undefined)
  const before = useSignal(met.value.length)
  const make = async (): Promise<void> => {
    before.value = met.value.length
    invite.value = await post<InviteShape>('meet/invite')
  }
  const come = met.value.slice(0, met.value.length - before.value)
  return (
    <section>
      <p>{t('inviteAbout')}</p>
      <div role="status">
        {come.map((person) => (
          <p class="notice good" key={person.did}>
            {t('metBefore')} <PersonLink {...person} />. {t('metAfter')}
          </p>
        ))}
      </div>
      {invite.value !== undefined && come.length === 0 && (
        <>
          <Qr text={invite.value.link} label={t('qrLabel')} />
          <Copyable text={invite.value.link} label={t('inviteLink')} />
          <p class="hint">{t('inviteExpires', { time: moment(invite.value.expires) })}</p>
        </>
      )}
      <Action kind={invite.value === undefined ? 'main' : 'plain'} run={make}>
        {invite.value === undefined ? t('makeInvite') : t('makeAnother')}
      </Action>
    </section>
  )
}

/** Takes a link or a did, also from a QR code: shows whom it is about, and asks before the key is given. */
function TakeInvite() {
  const link = useSignal('')
  const petname = useSignal('')
  const person = useSignal<ContactShape | undefined>(undefined)
  const look = async (): Promise<void> => {
    person.value = undefined
    person.value = await post<ContactShape>('meet/look', { with: link.value.trim() })
  }
  const takeCode = (text: string): Promise<void> => {
    link.value = text
    return look()
  }
  const meet = async (): Promise<void> => {
    const name = petname.value.trim()
    const body = { with: link.value.trim(), ...(name === '' ? {} : { name }) }
    const { did } = await post<MeetingShape>('meet', body)
    await loadPeople()
    go('person', did)
  }
  const found = person.value
  return (
    <section>
      <p>{t('haveInviteAbout')}</p>
      <Scan onFound={takeCode} />
      <label class="field">
        {t('pasteLink')}
        <textarea
          rows={3}
          spellcheck={false}
          value={link.value}
          onInput={({ currentTarget: { value } }) => {
            link.value = value
            person.value = undefined
          }}
        />
      </label>
      <div role="status">
        {found !== undefined && (
          <>
            <p>
              {t('thisIs')} <strong>{line(found.name)}</strong> <Warnings warnings={found.warnings} />
            </p>
            <p class="hint did">{found.did}</p>
          </>
        )}
      </div>
      {found === undefined ? (
        <Action kind="main" run={look} isDisabled={link.value.trim() === ''}>
          {t('lookWho')}
        </Action>
      ) : (
        <Form>
          <NameField label={t('petnameFor')} name={petname} />
          <p class="hint">{t('petnameAbout')}</p>
          <p class="hint">{t('meetAbout')}</p>
          <Action kind="main" isSubmit run={meet}>
            {t('meetNow')}
          </Action>
        </Form>
      )}
    </section>
  )
}
