// One group: what its members write, who they are, who wants in, and what is voted about.
import { Copyable, Action, Empty, Question, Title } from '../parts/basics.tsx'
import { useSignal } from '@preact/signals'
import { Compose } from '../parts/compose.tsx'
import { PersonLink } from '../parts/person.tsx'
import { act, groupOf, groups } from '../state/groups.ts'
import { isMe } from '../state/me.ts'
import { go } from '../state/route.ts'
import { line } from '../text.ts'
import type { CandidateShape, GroupShape } from '../shapes.ts'
import { t, tn } from '../words/index.ts'
import { number } from '../words/quantities.ts'
import { said } from '../words/sentence.ts'
import { Posts } from './feed.tsx'
import { Candidates, Members, Motions, Propose, Standing, useGroupList } from './group-people.tsx'
import { ROLES } from './groups.tsx'

export function GroupView({ about: id }: { about: string }) {
  const group = groupOf(id)
  if (group === undefined)
    return (
      <>
        <Title>{t('groups')}</Title>
        {groups.value !== undefined && <Empty>{t('groupUnknown')}</Empty>}
      </>
    )
  return <KnownGroup group={group} />
}

function KnownGroup({ group }: { group: GroupShape }) {
  const { id, name, size, quorum, you, reading, representative, sentences } = group
  const hasArrived = name !== ''
  return (
    <>
      <Title>@{line(hasArrived ? name : id.slice(-8))}</Title>
      {!hasArrived && <p class="notice">{t('groupArrivingAbout')}</p>}
      <p class="hint">
        {tn('members', size)} · {t(ROLES[you])} · {t(reading === 'open' ? 'readByAll' : 'readByMembers')} ·{' '}
        {tn('needsVouches', quorum)}
        {representative !== null && (
          <>
            {' · '}
            {t('representative')} <PersonLink {...representative} />
          </>
        )}
      </p>
      {hasArrived && sentences.length > 0 && (
        <ul class="notice">
          {sentences.map((sentence) => (
            <li key={sentence.code}>{said(sentence)}</li>
          ))}
        </ul>
      )}
      {hasArrived && you !== 'member' && <Membership group={group} />}
      <Candidates group={group} />
      <Motions group={group} />
      <details>
        <summary>{t('aboutGroup')}</summary>
        <h3>
          {t('memberList')} <span class="count">{number(size)}</span>
        </h3>
        <Members group={group} />
        {you === 'member' && <Propose group={group} />}
        <h3>{t('groupLink')}</h3>
        <p class="hint">{t('groupLinkAbout')}</p>
        <Copyable text={group.link} label={t('groupLink')} />
        <Standing group={group} />
        {you === 'member' && <Membership group={group} />}
      </details>
      <h2>{t('posts')}</h2>
      {you === 'member' && <Compose group={id} label={t('composeGroup', { name: line(name) })} />}
      <Posts
        key={id}
        query={{ in: id }}
        place={id}
        fits={(entry) => entry.group === id}
        empty={<Empty>{t('groupPostsEmpty')}</Empty>}
      />
    </>
  )
}

/** What one is in the group, and can do about it. */
function Membership({ group: { id, you } }: { group: GroupShape }) {
  const isLeaving = useSignal(false)
  const forget = async (): Promise<void> => {
    await act('forget', { group: id })
    go('groups')
  }
  return (
    <p class="row">
      {you === 'outside' && (
        <>
          <Action kind="main" run={() => act('apply', { group: id })}>
            {t('apply')}
          </Action>
          <Action run={forget}>{t('forget')}</Action>
        </>
      )}
      {you === 'candidate' && <Join group={id} />}
      {you === 'member' && (
        <button type="button" class="plain" onClick={() => (isLeaving.value = true)}>
          {t('leave')}
        </button>
      )}
      {isLeaving.value && (
        <Question
          title={t('leaveTitle')}
          yes={t('leave')}
          run={() => act('leave', { group: id })}
          onClose={() => (isLeaving.value = false)}
        >
          <p>{t('leaveAbout')}</p>
        </Question>
      )}
    </p>
  )
}

/** Becomes a member, when the vouches are enough. */
function Join({ group }: { group: string }) {
  const own = useGroupList<CandidateShape>('candidates', group).value.find(({ did }) => isMe(did))
  const isEnough = own !== undefined && own.vouches >= own.needed
  return (
    <>
      <Action kind="main" run={() => act('join', { group })} isDisabled={!isEnough}>
        {t('join')}
      </Action>
      {!isEnough && <span class="hint">{t('joinAbout')}</span>}
    </>
  )
}
