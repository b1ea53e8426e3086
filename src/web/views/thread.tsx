// A post with all that was said in the same thread, oldest first, and in the place of what is missing why it is.
import { Fragment } from 'preact'
import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { ApiError, get } from '../api.ts'
import { Failure, Title } from '../parts/basics.tsx'
import { Compose } from '../parts/compose.tsx'
import { Post } from '../parts/post.tsx'
import { muted, noteVisit, visits } from '../state/choices.ts'
import { learn } from '../state/entries.ts'
import { onEvent } from '../state/live.ts'
import { isMe } from '../state/me.ts'
import { personOf } from '../state/people.ts'
import { at } from '../state/route.ts'
import { line } from '../text.ts'
import type { EntryShape, MissingShape, ThreadEntryShape } from '../shapes.ts'
import { inTurns } from '../turns.ts'
import { t, type Word } from '../words/index.ts'

/** While friends are being asked, it is looked again so soon, in ms. */
const LOOK_AGAIN_MS = 700

export function ThreadView({ about: id }: { about: string }) {
  const posts = useSignal<ThreadEntryShape[] | undefined>(undefined)
  const failure = useSignal<unknown>(undefined)
  const answered = useSignal<EntryShape | undefined>(undefined)
  const load = useMemo(
    () =>
      inTurns(async () => {
        try {
          const found = await get<ThreadEntryShape[]>('thread', { id, waitMs: 0 })
          for (const entry of found) learn(entry)
          posts.value = found
          failure.value = undefined
        } catch (error) {
          failure.value = error
        }
      }),
    [id]
  )
  useEffect(() => {
    void load()
    const arrived = (line: Record<string, unknown>): void => {
      const known = posts.value?.some((post) => post.id === line.reply || post.id === line.root)
      if (known === true || line.id === id) void load()
    }
    const ends = [onEvent('entry', arrived), onEvent('open', () => void load())]
    return () => ends.forEach((end) => end())
  }, [id])
  const shown = posts.value ?? []
  const isFetching = shown.some(({ missing }) => missing.some(({ reason }) => reason === 'fetching'))
  useEffect(() => {
    if (!isFetching) return
    const timer = setTimeout(() => void load(), LOOK_AGAIN_MS)
    return () => clearTimeout(timer)
  }, [isFetching, posts.value])
  const since = useSeen(shown)

  const isMissing = failure.value instanceof ApiError && failure.value.code === 'NOT_FOUND'
  const target = answered.value ?? shown.find((post) => post.id === id) ?? shown.at(0)
  const firstNew = shown.findIndex(({ time, author }) => since !== '' && time > since && !isMe(author))
  const holes = holesBefore(shown)
  return (
    <>
      <Title aside={shown.length > 0 && <Mute root={rootOf(shown[0])} />}>{t('thread')}</Title>
      <div role="status">
        {posts.value === undefined && failure.value === undefined && <p class="absent">{t('threadLooking')}</p>}
      </div>
      {isMissing ? (
        <p class="absent">
          {t('absentPost')} <LookAgain run={load} />
        </p>
      ) : (
        <Failure error={failure.value} />
      )}
      {shown.map((entry, index) => (
        <Fragment key={entry.id}>
          {holes[index].map((missing) => (
            <Hole key={missing.id} missing={missing} look={load} />
          ))}
          {index === firstNew && index > 0 && <p class="border">{t('newSince')}</p>}
          <Post
            entry={entry}
            isFocus={entry.id === id && entry.reply !== null}
            isInThread
            onReply={(to) => (answered.value = to)}
          />
          <StrayMark entry={entry} />
        </Fragment>
      ))}
      {target !== undefined && (
        <Compose
          key={target.id}
          reply={target.id}
          label={t('replyTo', { name: line(target.name) })}
          isEager={answered.value !== undefined}
          onDone={() => void load()}
        />
      )}
    </>
  )
}

function rootOf({ root, id }: EntryShape): string {
  return root ?? id
}

/** Remembers what was seen of the thread. @returns how far it was seen before, as an ISO 8601 time; empty: not at all */
function useSeen(posts: readonly EntryShape[]): string {
  const root = posts.length === 0 ? undefined : rootOf(posts[0])
  const since = useMemo(() => (root === undefined ? '' : (visits.value[root] ?? '')), [root])
  const newest = posts.reduce((last, { time }) => (time > last ? time : last), '')
  useEffect(() => {
    if (root !== undefined) noteVisit(root, newest)
  }, [root, newest])
  return since
}

/** What is missing is said once, before the first post that names it. */
function holesBefore(posts: readonly ThreadEntryShape[]): MissingShape[][] {
  const said = new Set<string>()
  return posts.map(({ missing }) =>
    missing.filter(({ id }) => {
      const isNew = !said.has(id)
      said.add(id)
      return isNew
    })
  )
}

const REASONS: Readonly<Record<MissingShape['reason'], Word>> = {
  fetching: 'missingFetching',
  absent: 'missingAbsent',
  unfollowed: 'missingUnfollowed',
  blocked: 'missingBlocked',
  erased: 'missingErased',
  expired: 'missingExpired',
  sealed: 'missingSealed',
  revoked: 'missingRevoked',
  store: 'missingStore',
  quota: 'missingQuota'
}

/** Why something is not here, and what one can do. */
function Hole({ missing: { reason, author, name }, look }: { missing: MissingShape; look: () => Promise<void> }) {
  const called = line(name ?? t('somebody'))
  return (
    <p class="absent">
      {t(REASONS[reason], { name: called })}{' '}
      {(reason === 'unfollowed' || reason === 'blocked') && author !== null && (
        <a href={at('person', author)}>{t('seePerson', { name: called })}</a>
      )}
      {(reason === 'store' || reason === 'quota') && <a href={at('health')}>{t('seeStorage')}</a>}
      {reason === 'absent' && <LookAgain run={look} />}
    </p>
  )
}

function LookAgain({ run }: { run: () => Promise<void> }) {
  return (
    <button type="button" class="quiet" onClick={() => void run()}>
      {t('checkAgain')}
    </button>
  )
}

/** Of somebody whom one does not follow: why it is here, and where one can follow them. */
function StrayMark({ entry: { author, name, group, type } }: { entry: EntryShape }) {
  const relation = personOf(author)?.relation ?? 'none'
  if (group !== null || isMe(author) || relation !== 'none' || type === 'erased') return null
  return (
    <p class="hint stray">
      {t('strayAbout', { name: line(name) })} <a href={at('person', author)}>{t('seePerson', { name: line(name) })}</a>
    </p>
  )
}

function Mute({ root }: { root: string }) {
  const isMuted = muted.value.includes(root)
  const toggle = (): void => {
    muted.value = isMuted ? muted.value.filter((id) => id !== root) : [...muted.value, root]
  }
  return (
    <button type="button" class="quiet" aria-pressed={isMuted} onClick={toggle}>
      {isMuted ? t('unmute') : t('mute')}
    </button>
  )
}
