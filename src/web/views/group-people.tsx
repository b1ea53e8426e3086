// Who is in a group, who wants in, what is voted about, and why it is so.
import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get } from '../api.ts'
import { Action, Failure, Question } from '../parts/basics.tsx'
import { PersonChoice } from '../parts/fields.tsx'
import { Name, PersonLink, Sign } from '../parts/person.tsx'
import { act, groupChanges } from '../state/groups.ts'
import { isMe } from '../state/me.ts'
import { contacts } from '../state/people.ts'
import { line } from '../text.ts'
import type { CandidateShape, GroupShape, MotionShape, StandingShape } from '../shapes.ts'
import { t, tn } from '../words/index.ts'
import { said } from '../words/sentence.ts'

/** Below this many who can vouch or vote, whose it is can be guessed. */
const SMALL_RING = 5

/** What the node says of a group, asked again whenever something has happened there. */
export function useGroupList<T>(verb: string, group: string): Signal<T[]> {
  const found = useSignal<T[]>([])
  useEffect(() => {
    void get<T[]>(`group/${verb}`, { group })
      .then((answer) => (found.value = answer))
      .catch(() => {})
  }, [group, groupChanges.value])
  return found
}

export function Candidates({ group: { id, you } }: { group: GroupShape }) {
  const candidates = useGroupList<CandidateShape>('candidates', id)
  if (candidates.value.length === 0) return null
  return (
    <section>
      <h2>{t('candidates')}</h2>
      <ul class="rows">
        {candidates.value.map((candidate) => (
          <li key={candidate.motion} class="row-entry">
            <Sign did={candidate.did} name={candidate.name} />
            <div class="grow">
              <p>
                <PersonLink {...candidate} />
              </p>
              <Count count={candidate.vouches} needed={candidate.needed} word="vouchesOf" />
              {you === 'member' && !isMe(candidate.did) && (
                <Nameless
                  ring={candidate.ring}
                  yes={t('vouch')}
                  title={t('vouchTitle', { name: line(candidate.name) })}
                  run={() => act('vouch', { group: id, who: candidate.did })}
                />
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** How many of how many, in words and as a bar. */
function Count({ count, needed, word }: { count: number; needed: number; word: 'vouchesOf' | 'ballotsOf' }) {
  return (
    <p class="hint">
      <progress value={Math.min(count, needed)} max={Math.max(1, needed)} aria-hidden="true" />{' '}
      {t(word, { count, needed })}
    </p>
  )
}

interface NamelessProps {
  ring: number
  title: string
  yes: string
  run: () => Promise<unknown>
}

/** A vouch or a ballot. Where so few can give it that it is not nameless, one is told before. */
function Nameless({ ring, title, yes, run }: NamelessProps) {
  const isAsking = useSignal(false)
  const isDone = useSignal(false)
  const give = async (): Promise<void> => {
    await run()
    isDone.value = true
  }
  if (isDone.value) return <p role="status">{t('givenSoon')}</p>
  if (ring >= SMALL_RING) return <Action run={give}>{yes}</Action>
  return (
    <>
      <button type="button" class="plain" onClick={() => (isAsking.value = true)}>
        {yes}
      </button>
      {isAsking.value && (
        <Question title={title} yes={yes} run={give} onClose={() => (isAsking.value = false)}>
          <p>{tn('smallRing', ring)}</p>
        </Question>
      )}
    </>
  )
}

/** Proposes somebody who has not asked. */
export function Propose({ group: { id, members } }: { group: GroupShape }) {
  const who = useSignal('')
  const candidates = useGroupList<CandidateShape>('candidates', id)
  const known = new Set([...candidates.value, ...members].map(({ did }) => did))
  const others = (contacts.value ?? []).filter(
    ({ did, relation }) => !known.has(did) && relation !== 'self' && relation !== 'blocked'
  )
  if (others.length === 0) return null
  const propose = async (): Promise<void> => {
    await act('propose', { group: id, who: who.value })
    who.value = ''
  }
  return (
    <details>
      <summary>{t('propose')}</summary>
      <p class="row">
        <PersonChoice label={t('propose')} people={others} who={who} />
        <Action run={propose} isDisabled={who.value === ''}>
          {t('propose')}
        </Action>
      </p>
    </details>
  )
}

export function Motions({ group: { id, you } }: { group: GroupShape }) {
  const motions = useGroupList<MotionShape>('motions', id).value.filter(({ isCarried }) => !isCarried)
  if (motions.length === 0) return null
  return (
    <section>
      <h2>{t('motions')}</h2>
      <ul class="rows">
        {motions.map(({ motion, kind, name, rule, ballots, needed, ring }) => {
          const title =
            kind === 'expel'
              ? t('motionExpel', { name: line(name ?? '') })
              : t('motionRule', { rule: line(rule ?? '') })
          return (
            <li key={motion}>
              <p>{title}</p>
              <Count count={ballots} needed={needed} word="ballotsOf" />
              {you === 'member' && (
                <Nameless
                  ring={ring}
                  yes={t('ballot')}
                  title={title}
                  run={() => act('ballot', { group: id, motion })}
                />
              )}
            </li>
          )
        })}
      </ul>
    </section>
  )
}

export function Members({ group: { id, members, you } }: { group: GroupShape }) {
  const expelling = useSignal<string | undefined>(undefined)
  return (
    <ul class="rows">
      {members.map(({ did, name, warnings, vouches, atLeastNow }) => (
        <li key={did} class="row-entry">
          <Sign did={did} name={name} isSmall />
          <span class="grow">
            <PersonLink did={did} name={name} warnings={warnings} />
            <span class="hint">
              {' '}
              {vouches === 0 ? t('founder') : tn('vouched', vouches)}
              {vouches > 0 && `, ${t('atLeastNow', { count: atLeastNow })}`}
            </span>
          </span>
          {you === 'member' && !isMe(did) && (
            <button type="button" class="quiet" onClick={() => (expelling.value = did)}>
              {t('expel')}
            </button>
          )}
          {expelling.value === did && (
            <Question
              title={t('motionExpel', { name: line(name) })}
              yes={t('expel')}
              run={() => act('expel', { group: id, who: did })}
              onClose={() => (expelling.value = undefined)}
            >
              <p>{t('expelAbout')}</p>
              {members.length < SMALL_RING && <p>{tn('smallRing', members.length)}</p>}
            </Question>
          )}
        </li>
      ))}
    </ul>
  )
}

/** Why each person is a member or is not, in sentences; fetched when it is opened. */
export function Standing({ group: { id } }: { group: GroupShape }) {
  const log = useSignal<StandingShape[]>([])
  const failure = useSignal<unknown>(undefined)
  const load = (): void => {
    get<StandingShape[]>('group/log', { group: id })
      .then((answer) => (log.value = answer))
      .catch((error: unknown) => (failure.value = error))
  }
  return (
    <details onToggle={({ currentTarget }) => currentTarget.open && load()}>
      <summary>{t('why')}</summary>
      <Failure error={failure.value} />
      {log.value.map(({ did, name, sentences }) => (
        <div key={did}>
          <h3>
            <Name did={did} name={name} />
          </h3>
          <ul>
            {sentences.map((sentence, index) => (
              <li key={index}>{said(sentence)}</li>
            ))}
          </ul>
        </div>
      ))}
    </details>
  )
}
