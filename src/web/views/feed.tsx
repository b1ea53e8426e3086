// What oneself and all whom one follows have written, newest first.
import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { Empty, Failure, MeetLinks, Title } from '../parts/basics.tsx'
import { Compose } from '../parts/compose.tsx'
import { Post } from '../parts/post.tsx'
import { VirtualList } from '../parts/virtual-list.tsx'
import { noteVisit, visits } from '../state/choices.ts'
import { FeedList, type FeedQuery } from '../state/feed-list.ts'
import { isMe } from '../state/me.ts'
import { contacts, followed, personOf } from '../state/people.ts'
import { line } from '../text.ts'
import type { EntryShape } from '../shapes.ts'
import { t, tn } from '../words/index.ts'

/** How long nothing new may have come before its number is read out again, in ms: who listens is not to be interrupted. */
const STILL_MS = 10_000

/** Whose posts belong into the feed. */
function isNear({ author, group }: EntryShape): boolean {
  const relation = personOf(author)?.relation
  return group === null && (isMe(author) || relation === 'friend' || relation === 'followed')
}

export function FeedView() {
  const search = useSignal('')
  const words = search.value.trim()
  return (
    <>
      <Title aside={<Search words={search} />}>{t('feed')}</Title>
      {words === '' ? (
        <>
          <Compose label={t('composeLabel')} />
          {/* What somebody wrote whom one follows since a moment may have arrived before: the list begins anew. */}
          <Posts key={`all ${followed.value}`} query={{}} fits={isNear} empty={<FirstSteps />} place="feed" />
        </>
      ) : (
        <Posts key={words} query={{ search: words }} fits={() => false} empty={<Empty>{t('nothingFound')}</Empty>} />
      )}
    </>
  )
}

export function TagView({ about: tag }: { about: string }) {
  return (
    <>
      <Title>#{line(tag)}</Title>
      <Posts
        query={{ tag }}
        fits={(entry) => isNear(entry) && entry.tags.includes(tag)}
        empty={<Empty>{t('nothingFound')}</Empty>}
      />
    </>
  )
}

function Search({ words }: { words: { value: string } }) {
  return (
    <form role="search" onSubmit={(event) => event.preventDefault()}>
      <input
        type="search"
        aria-label={t('search')}
        placeholder={t('search')}
        onChange={(event) => (words.value = event.currentTarget.value)}
        onInput={({ currentTarget: { value } }) => value === '' && (words.value = '')}
      />
    </form>
  )
}

function FirstSteps() {
  const isAlone = (contacts.value ?? []).every(({ relation }) => relation === 'none')
  return <Empty next={isAlone ? <MeetLinks /> : undefined}>{isAlone ? t('feedEmptyAlone') : t('feedEmpty')}</Empty>
}

interface PostsProps {
  query: FeedQuery
  fits: (entry: EntryShape) => boolean
  empty: preact.JSX.Element
  /** Under this name it is remembered what was seen: a line is drawn between what is new since then and the rest. */
  place?: string
}

/** Posts that fit a question; what arrives comes on top, or waits there when one reads further down. */
export function Posts({ query, fits, empty, place }: PostsProps) {
  const feed = useMemo(() => new FeedList(query, fits), [])
  const since = useMemo(() => (place === undefined ? '' : (visits.value[place] ?? '')), [])
  useEffect(() => {
    feed.start()
    return () => feed.stop()
  }, [])
  useAtTop(feed)
  const posts = feed.posts.value
  const newest = posts.at(0)?.time
  useEffect(() => {
    if (place !== undefined && newest !== undefined) noteVisit(place, newest)
  }, [newest])
  const border = since !== '' ? posts.findIndex(({ time }) => time <= since) : -1
  return (
    <>
      <Fresh feed={feed} />
      <Failure error={feed.failure.value} />
      {posts.length === 0 && feed.isDone.value && empty}
      <VirtualList
        items={posts}
        label={t('posts')}
        onEnd={() => void feed.loadMore()}
        render={(entry) => (
          <>
            {border > 0 && entry === posts[border] && <p class="border">{t('readBefore')}</p>}
            <Post entry={entry} />
          </>
        )}
      />
      {posts.length > 8 && feed.isDone.value && <p class="end">{t('theEnd')}</p>}
    </>
  )
}

/** What comes goes on top at once as long as the top is on the screen. */
function useAtTop(feed: FeedList): void {
  useEffect(() => {
    const look = (): void => {
      feed.isAtTop = scrollY < 300
    }
    look()
    addEventListener('scroll', look, { passive: true })
    return () => removeEventListener('scroll', look)
  }, [])
}

function Fresh({ feed }: { feed: FeedList }) {
  const count = feed.fresh.value.length
  const told = useTold(count)
  const show = (): void => {
    feed.showFresh()
    scrollTo(0, 0)
  }
  return (
    <div class="fresh">
      {count > 0 && (
        <button type="button" class="main" onClick={show}>
          {tn('freshPosts', count)}
        </button>
      )}
      <p class="hidden" role="status">
        {told > 0 && tn('freshPosts', told)}
      </p>
    </div>
  )
}

/** The number as it is read out: the first at once, further ones when it has been still for a while. */
function useTold(count: number): number {
  const told = useSignal(0)
  useEffect(() => {
    if (count === 0 || told.value === 0) {
      told.value = count
      return
    }
    const timer = setTimeout(() => (told.value = count), STILL_MS)
    return () => clearTimeout(timer)
  }, [count])
  return told.value
}
