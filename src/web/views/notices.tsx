// What others did that concerns this user, newest first.
import { useEffect } from 'preact/hooks'
import { Empty, Title, When } from '../parts/basics.tsx'
import { PersonLink, Sign } from '../parts/person.tsx'
import { profile } from '../state/me.ts'
import { noticesSeen } from '../state/choices.ts'
import { isForMe, notices, ownPost } from '../state/notices.ts'
import { waiting } from '../state/people.ts'
import { at } from '../state/route.ts'
import { line, withNames } from '../text.ts'
import type { EntryShape } from '../shapes.ts'
import { t, tn } from '../words/index.ts'

export function NoticesView() {
  const all = notices.value
  const newest = all.at(0)?.time ?? ''
  useEffect(() => {
    if (newest > noticesSeen.value) noticesSeen.value = newest
  }, [newest])
  return (
    <>
      <Title>{t('notices')}</Title>
      {waiting.value.length > 0 && (
        <p class="notice">
          <a class="hint" href={at('people')}>
            {tn('requestsWait', waiting.value.length)}
          </a>
        </p>
      )}
      {all.length === 0 && <Empty>{t('noticesEmpty')}</Empty>}
      <ul class="rows">
        {all.slice(0, 200).map((entry) => (
          <li key={entry.id}>
            <Notice entry={entry} />
          </li>
        ))}
      </ul>
    </>
  )
}

function Notice({ entry }: { entry: EntryShape }) {
  const { author, name, warnings, type, text, reply, id, time } = entry
  const about = ownPost(reply)
  return (
    <div class="row-entry">
      <Sign did={author} name={name} />
      <div>
        <p>
          <PersonLink did={author} name={name} warnings={warnings} />{' '}
          {type === 'reaction'
            ? t('reacted', { emoji: line(text ?? '') })
            : isForMe(entry)
              ? t('mentionedYou')
              : t('replied')}{' '}
          <When time={time} />
        </p>
        <a class="excerpts" href={at('thread', type === 'reaction' ? (reply ?? id) : id)}>
          <span class="hidden">{t('openThread')}: </span>
          {type === 'post' && <span class="excerpt">{line(withNames(entry, profile.value?.did).slice(0, 240))}</span>}
          {about !== undefined && (
            <span class="excerpt about">{line(withNames(about, profile.value?.did).slice(0, 120))}</span>
          )}
        </a>
      </div>
    </div>
  )
}
