// One person: what they are called, what they are to this user, what they wrote.
import { useSignal } from '@preact/signals'
import { post } from '../api.ts'
import { Action, Copyable, Empty, Question, Title, When } from '../parts/basics.tsx'
import { Form, NameField } from '../parts/fields.tsx'
import { Name, Sign, Warnings } from '../parts/person.tsx'
import { isMe, profile } from '../state/me.ts'
import { change, contacts, friends, personOf } from '../state/people.ts'
import { at } from '../state/route.ts'
import { line } from '../text.ts'
import type { ContactShape } from '../shapes.ts'
import { t } from '../words/index.ts'
import { Posts } from './feed.tsx'
import { RELATIONS, vouchWords } from './people.tsx'

export function PersonView({ about: did }: { about: string }) {
  const person = personOf(did)
  const name = isMe(did) ? (profile.value?.name ?? '') : (person?.name ?? `#${did.slice(-8)}`)
  const relation = person?.relation ?? (isMe(did) ? 'self' : 'none')
  return (
    <>
      <Title>
        <span class="with-sign">
          <Sign did={did} name={name} />
          <Name did={did} name={name} />
        </span>
      </Title>
      <p class="hint">
        {t(RELATIONS[relation])}
        {typeof person?.claimed === 'string' &&
          !name.startsWith(person.claimed) &&
          ` · ${t('callsThemself', { name: line(person.claimed) })}`}
        {typeof person?.lastSeen === 'string' && (
          <>
            {' · '}
            {t('seen')} <When time={person.lastSeen} />
          </>
        )}
        {person !== undefined && person.groups > 0 && ` · ${vouchWords(person.vouches, person.groups)}`}
      </p>
      <Warnings warnings={person?.warnings} />
      {relation === 'self' ? (
        <p>
          <a href={at('settings')}>{t('settings')}</a>
        </p>
      ) : (
        <Decisions did={did} relation={relation} />
      )}
      <details>
        <summary>{t('key')}</summary>
        <Copyable text={did} label={t('key')} />
      </details>
      {relation !== 'blocked' && contacts.value !== undefined && (
        <Posts
          key={did}
          query={{ who: did }}
          fits={({ author, group }) => author === did && group === null}
          empty={<Empty>{relation === 'none' ? t('personEmptyUnknown') : t('personEmpty')}</Empty>}
        />
      )}
    </>
  )
}

/** What one can decide about somebody. */
function Decisions({ did, relation }: { did: string; relation: ContactShape['relation'] }) {
  const isBlocking = useSignal(false)
  if (relation === 'blocked') return <Action run={() => change('unblock', did)}>{t('unblock')}</Action>
  const isFollowed = relation === 'friend' || relation === 'followed'
  return (
    <>
      <p class="row">
        {relation === 'friend' && (
          <a class="button main" href={at('conversation', did)}>
            {t('writeMessage')}
          </a>
        )}
        {isFollowed ? (
          <Action run={() => change('unfollow', did)}>{t('unfollow')}</Action>
        ) : (
          <Action kind="main" run={() => change('follow', did)}>
            {t('follow')}
          </Action>
        )}
        <button type="button" class="plain" onClick={() => (isBlocking.value = true)}>
          {t('block')}
        </button>
      </p>
      {isFollowed && <Petname key={did} did={did} />}
      {relation === 'friend' && <Introduce did={did} />}
      {isBlocking.value && (
        <Question
          title={t('blockTitle')}
          yes={t('block')}
          run={() => change('block', did)}
          onClose={() => (isBlocking.value = false)}
        >
          <p>{t('blockAbout')}</p>
        </Question>
      )}
    </>
  )
}

function Petname({ did }: { did: string }) {
  const petname = useSignal('')
  const save = async (): Promise<void> => {
    await change('name', did, { petname: petname.value.trim() })
    petname.value = ''
  }
  return (
    <details>
      <summary>{t('givePetname')}</summary>
      <Form>
        <NameField label={t('petnameFor')} name={petname} />
        <p class="hint">{t('petnameAbout')}</p>
        <Action isSubmit run={save} isDisabled={petname.value.trim() === ''}>
          {t('save')}
        </Action>
      </Form>
    </details>
  )
}

/** Hands two friends each other's key; each of them decides. */
function Introduce({ did }: { did: string }) {
  const other = useSignal('')
  const isDone = useSignal(false)
  const others = friends.value.filter((friend) => friend.did !== did)
  if (others.length === 0) return null
  const introduce = async (): Promise<void> => {
    await post('meet/introduce', { one: did, other: other.value })
    isDone.value = true
  }
  return (
    <details>
      <summary>{t('introduce')}</summary>
      <p class="hint">{t('introduceAbout')}</p>
      <p class="row">
        <select
          aria-label={t('introduceTo')}
          value={other.value}
          onChange={({ currentTarget }) => (other.value = currentTarget.value)}
        >
          <option value="">{t('introduceTo')}</option>
          {others.map((friend) => (
            <option key={friend.did} value={friend.did}>
              {line(friend.name)}
            </option>
          ))}
        </select>
        <Action run={introduce} isDisabled={other.value === ''}>
          {t('introduce')}
        </Action>
      </p>
      <p role="status">{isDone.value && t('introduced')}</p>
    </details>
  )
}
