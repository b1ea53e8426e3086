// A post with all that was said in the same thread, oldest first.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ApiError, get } from '../api.ts'
import { Failure, Title } from '../parts/basics.tsx'
import { Compose } from '../parts/compose.tsx'
import { Post } from '../parts/post.tsx'
import { muted } from '../state/choices.ts'
import { learn } from '../state/entries.ts'
import { onEvent } from '../state/live.ts'
import { line } from '../text.ts'
import type { EntryShape } from '../shapes.ts'
import { t } from '../words/index.ts'

export function ThreadView({ about: id }: { about: string }) {
  const posts = useSignal<EntryShape[] | undefined>(undefined)
  const failure = useSignal<unknown>(undefined)
  const answered = useSignal<EntryShape | undefined>(undefined)
  const load = async (): Promise<void> => {
    try {
      const found = await get<EntryShape[]>('thread', { id })
      for (const entry of found) learn(entry)
      posts.value = found
      failure.value = undefined
    } catch (error) {
      failure.value = error
    }
  }
  useEffect(() => {
    void load()
    const arrived = (line: Record<string, unknown>): void => {
      const known = posts.value?.some((post) => post.id === line.reply || post.id === line.root)
      if (known === true || line.id === id) void load()
    }
    const ends = [onEvent('entry', arrived), onEvent('open', () => void load())]
    return () => ends.forEach((end) => end())
  }, [id])

  const isMissing = failure.value instanceof ApiError && failure.value.code === 'NOT_FOUND'
  const shown = posts.value ?? []
  const target = answered.value ?? shown.find((post) => post.id === id) ?? shown.at(0)
  return (
    <>
      <Title aside={shown.length > 0 && <Mute root={rootOf(shown[0])} />}>{t('thread')}</Title>
      {isMissing ? <p class="absent">{t('absentPost')}</p> : <Failure error={failure.value} />}
      {shown.length > 0 && <Missing posts={shown} />}
      {shown.map((entry) => (
        <Post
          key={entry.id}
          entry={entry}
          isFocus={entry.id === id && entry.reply !== null}
          isInThread
          onReply={(to) => (answered.value = to)}
        />
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

/** Says when the beginning, or something in between, is not here. */
function Missing({ posts }: { posts: readonly EntryShape[] }) {
  const here = new Set(posts.map(({ id }) => id))
  const isHole = posts.some(({ reply }) => reply !== null && !here.has(reply))
  return isHole ? <p class="absent">{t('absentParent')}</p> : null
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
