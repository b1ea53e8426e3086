// One post: who, when, what, and what one can do with it.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { post as change } from '../api.ts'
import { Files } from './files.tsx'
import { Action, Question, When } from './basics.tsx'
import { Name, PersonLink, Sign } from './person.tsx'
import { Text } from './text.tsx'
import { countAnew, countsOf, isErased, knownEntry, noteErased } from '../state/entries.ts'
import { groupOf } from '../state/groups.ts'
import { isMe, profile } from '../state/me.ts'
import { personOf } from '../state/people.ts'
import { at, go, route } from '../state/route.ts'
import { line, withNames } from '../text.ts'
import type { EntryShape } from '../shapes.ts'
import { t, tn, type Word } from '../words/index.ts'
import { isPast, moment } from '../words/quantities.ts'

/** What can be given with one click; others come from whoever gives them. */
const OFFERED = ['❤️', '👍', '😂', '😮', '🙏']

interface PostProps {
  entry: EntryShape
  /** In a thread: it is the one that was asked for. */
  isFocus?: boolean
  /** In a thread all posts are in one place: nothing has to lead there. */
  isInThread?: boolean
  /** Called when one wants to answer it. */
  onReply?: (entry: EntryShape) => void
}

export function Post({ entry, isFocus = false, isInThread = false, onReply }: PostProps) {
  const { id, author, time, reply, group } = entry
  // The name of now: it may have come, or been given, after the entry.
  const { name, warnings } = personOf(author) ?? entry
  const isGone = isErased(id) || entry.type === 'erased' || isPast(entry.expires)
  return (
    <article class={isFocus ? 'post focus' : 'post'} aria-label={t('postBy', { name: line(name) })} data-id={id}>
      <Sign did={author} name={name} />
      <div class="post-body">
        <p class="post-head">
          <PersonLink did={author} name={name} warnings={warnings} />
          {group !== null && route.value[0] !== 'group' && <GroupMark id={group} />}
          <a class="quiet-link" href={at('thread', id)}>
            <span class="hidden">{t('openThread')}: </span>
            <When time={time} />
          </a>
        </p>
        {reply !== null && !isInThread && <Context id={id} reply={reply} />}
        {isGone ? (
          <p class="gone">
            {t(wordOfGone(entry))} {wordOfGone(entry) === 'erasedByYou' && <ErasedAt entry={entry} />}
          </p>
        ) : (
          <Text text={entry.text ?? ''} tags={entry.tags} mentions={entry.mentions} />
        )}
        {!isGone && <Files files={entry.files} of={{ give: 'file', fetch: 'save', id }} isList />}
        {!isGone && entry.expires !== null && <p class="hint">{t('keptUntil', { time: moment(entry.expires) })}</p>}
        {!isGone && <PostActions entry={entry} isInThread={isInThread} onReply={onReply} />}
      </div>
    </article>
  )
}

/** Why there is no text. */
function wordOfGone({ id, author, gone, expires }: EntryShape): Word {
  if (isErased(id) || gone === 'erased') return isMe(author) ? 'erasedByYou' : 'erased'
  if (gone === 'expired' || isPast(expires)) return 'goneExpired'
  return 'goneDropped'
}

/** How many others say that they have dropped an own post. To ask for it again asks nobody anew. */
function ErasedAt({ entry: { id, feed } }: { entry: EntryShape }) {
  const holders = useSignal<number | undefined>(undefined)
  useEffect(() => {
    if (feed !== profile.value?.device) return
    void change<{ at: number }>('erase', { id }).then(
      ({ at: count }) => (holders.value = count),
      () => {}
    )
  }, [id])
  return holders.value === undefined ? null : <>{tn('erasedAt', holders.value)}</>
}

/** What is answered, when it is known: by whom, and how it begins. */
function Context({ id, reply }: { id: string; reply: string }) {
  const answered = knownEntry(reply)
  if (answered === undefined) return <ContextLink id={id}>{t('inReply')}</ContextLink>
  const { author, name } = answered
  return (
    <ContextLink id={id}>
      <span class="hidden">{t('inReply')}: </span>
      <Name did={author} name={personOf(author)?.name ?? name} />:{' '}
      {line(withNames(answered, profile.value?.did).slice(0, 100))}
    </ContextLink>
  )
}

function ContextLink({ id, children }: { id: string; children: ComponentChildren }) {
  return (
    <p class="context">
      <a href={at('thread', id)}>{children}</a>
    </p>
  )
}

function GroupMark({ id }: { id: string }) {
  return (
    <a class="group-mark" href={at('group', id)}>
      @{line(groupOf(id)?.name ?? id.slice(-6))}
    </a>
  )
}

function PostActions({ entry, isInThread, onReply }: Omit<PostProps, 'isFocus'>) {
  const { id, feed } = entry // only the device that wrote it can erase it
  const isErasing = useSignal(false)
  const count = countsOf(id).value.replies
  const answer = (): void => (onReply === undefined ? go('thread', id) : onReply(entry))
  return (
    <div class="post-actions">
      <button type="button" class="quiet" onClick={answer}>
        {count > 0 && isInThread !== true ? tn('replies', count) : t('reply')}
      </button>
      <Reactions entry={entry} />
      {feed === profile.value?.device && (
        <button type="button" class="quiet" onClick={() => (isErasing.value = true)}>
          {t('erase')}
        </button>
      )}
      {isErasing.value && (
        <Question
          title={t('eraseTitle')}
          yes={t('erase')}
          run={() => erase(id)}
          onClose={() => (isErasing.value = false)}
        >
          <p>{t('eraseAbout')}</p>
        </Question>
      )}
    </div>
  )
}

async function erase(id: string): Promise<void> {
  await change('erase', { id })
  noteErased(id)
}

/** Reactions that were given, and a choice of some to give. */
function Reactions({ entry: { id } }: { entry: EntryShape }) {
  const isOpen = useSignal(false)
  const react = async (emoji: string): Promise<void> => {
    isOpen.value = false
    await change('react', { id, emoji })
    countAnew(id)
  }
  return (
    <>
      {countsOf(id).value.reactions.map(({ emoji, count, isOwn }) => (
        <Action
          key={emoji}
          kind="quiet"
          run={() => react(emoji)}
          isDisabled={isOwn}
          label={t('reactionsOf', { emoji: line(emoji), count })}
        >
          <span class={isOwn ? 'reaction own' : 'reaction'}>
            {line(emoji)} {count}
          </span>
        </Action>
      ))}
      <button
        type="button"
        class="quiet"
        aria-expanded={isOpen.value}
        aria-label={t('react')}
        title={t('react')}
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        ☺
      </button>
      {isOpen.value && (
        <span class="choice" role="group" aria-label={t('react')}>
          {OFFERED.map((emoji) => (
            <Action key={emoji} kind="quiet" run={() => react(emoji)} label={t('reactWith', { emoji })}>
              {emoji}
            </Action>
          ))}
        </span>
      )}
    </>
  )
}
