// People: who waits for an answer, and whom one knows.
import { useSignal } from '@preact/signals'
import { Action, Empty, MeetLinks, Title, When } from '../parts/basics.tsx'
import { PersonLink, Sign } from '../parts/person.tsx'
import { change, contacts, requests, waiting } from '../state/people.ts'
import { at } from '../state/route.ts'
import type { ContactShape, RequestShape } from '../shapes.ts'
import { t, tn, type Word } from '../words/index.ts'
import { number } from '../words/quantities.ts'

export const RELATIONS: Readonly<Record<ContactShape['relation'], Word>> = {
  self: 'relationSelf',
  friend: 'relationFriend',
  followed: 'relationFollowed',
  blocked: 'relationBlocked',
  none: 'relationNone'
}
const ORDER: readonly ContactShape['relation'][] = ['friend', 'followed', 'none', 'blocked']

export function PeopleView() {
  const words = useSignal('')
  const known = (contacts.value ?? []).filter(({ relation }) => relation !== 'self')
  const fits = ({ name, claimed, did }: ContactShape): boolean =>
    `${name} ${claimed ?? ''} ${did}`.toLowerCase().includes(words.value.trim().toLowerCase())
  const shown = known.filter(fits)
  const asked = requests.value.filter(({ kind }) => kind === 'asked')
  return (
    <>
      <Title
        aside={
          <a class="button main" href={at('meet', 'invite')}>
            {t('meetTitle')}
          </a>
        }
      >
        {t('people')}
      </Title>
      {waiting.value.length > 0 && (
        <section>
          <h2>{t('requests')}</h2>
          <ul class="rows">
            {waiting.value.map((request) => (
              <li key={request.did}>
                <Request request={request} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {known.length > 8 && (
        <input
          type="search"
          class="wide"
          aria-label={t('searchPeople')}
          placeholder={t('searchPeople')}
          onInput={(event) => (words.value = event.currentTarget.value)}
        />
      )}
      {contacts.value !== undefined && known.length === 0 && <Empty next={<MeetLinks />}>{t('peopleEmpty')}</Empty>}
      {ORDER.map((relation) => (
        <Section key={relation} relation={relation} people={shown.filter((each) => each.relation === relation)} />
      ))}
      {asked.length > 0 && (
        <section>
          <h2>{t('askedByYou')}</h2>
          <ul class="rows">
            {asked.map(({ did, name, warnings, time }) => (
              <li key={did} class="row-entry">
                <Sign did={did} name={name} />
                <p>
                  <PersonLink did={did} name={name} warnings={warnings} /> <When time={time} />
                </p>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

function Section({ relation, people }: { relation: ContactShape['relation']; people: readonly ContactShape[] }) {
  if (people.length === 0) return null
  return (
    <section>
      <h2>
        {t(RELATIONS[relation])} <span class="count">{number(people.length)}</span>
      </h2>
      <ul class="rows">
        {people.slice(0, 500).map(({ did, name, warnings, lastSeen, groups, vouches }) => (
          <li key={did} class="row-entry">
            <Sign did={did} name={name} />
            <div>
              <p>
                <PersonLink did={did} name={name} warnings={warnings} />
              </p>
              <p class="hint">
                {lastSeen === null ? (
                  t('neverSeen')
                ) : (
                  <>
                    {t('seen')} <When time={lastSeen} />
                  </>
                )}
                {groups > 0 && ` · ${vouchWords(vouches, groups)}`}
              </p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** How often somebody was vouched for, never by whom. */
export function vouchWords(vouches: number, groups: number): string {
  const where = tn('inGroups', groups)
  return vouches === 0 ? where : `${tn('vouched', vouches)} ${where}`
}

function Request({ request: { did, name, warnings, kind, inCommon, by, time } }: { request: RequestShape }) {
  return (
    <div class="row-entry">
      <Sign did={did} name={name} />
      <div>
        <p>
          <PersonLink did={did} name={name} warnings={warnings} />{' '}
          {kind === 'introduced' ? t('introducedBy', { names: by.join(', ') }) : t('asksToMeet')} <When time={time} />
        </p>
        <p class="hint">{tn('inCommon', inCommon)}</p>
        <p class="row">
          <Action kind="main" run={() => change('meet/accept', did)}>
            {t('accept')}
          </Action>
          <Action run={() => change('meet/decline', did)}>{t('decline')}</Action>
        </p>
      </div>
    </div>
  )
}
