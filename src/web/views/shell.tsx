// The frame of the page: where one can go, how the node does, and the place where one is.
import type { JSX } from 'preact'
import { Icon, type IconName } from '../parts/icon.tsx'
import { connection } from '../state/live.ts'
import { phraseWaits, profile } from '../state/me.ts'
import { unread } from '../state/messages.ts'
import { freshNotices } from '../state/notices.ts'
import { contacts, waiting } from '../state/people.ts'
import { at, focusHeading, route } from '../state/route.ts'
import { freshWarnings } from '../state/warnings.ts'
import { welcomed } from '../state/choices.ts'
import { t, type Word } from '../words/index.ts'
import { number } from '../words/quantities.ts'
import { FeedView, TagView } from './feed.tsx'
import { GroupView } from './group.tsx'
import { GroupsView } from './groups.tsx'
import { HealthView } from './health.tsx'
import { MeetView } from './meet.tsx'
import { ConversationView } from './conversation.tsx'
import { MessagesView } from './messages.tsx'
import { NoticesView } from './notices.tsx'
import { PeopleView } from './people.tsx'
import { PersonView } from './person.tsx'
import { SettingsView } from './settings.tsx'
import { ThreadView } from './thread.tsx'
import { Welcome } from './welcome.tsx'

/** The places of the page, by the first part of their address. */
const VIEWS: Readonly<Record<string, (props: { about: string }) => JSX.Element>> = {
  feed: FeedView,
  tag: TagView,
  thread: ThreadView,
  people: PeopleView,
  person: PersonView,
  meet: MeetView,
  messages: MessagesView,
  conversation: ConversationView,
  groups: GroupsView,
  group: GroupView,
  notices: NoticesView,
  health: HealthView,
  settings: SettingsView
}

interface Place {
  name: string
  icon: IconName
  word: Word
  /** Names of the places that belong to it. */
  also?: readonly string[]
  count?: () => number
}

const PLACES: readonly Place[] = [
  { name: 'feed', icon: 'feed', word: 'feed', also: ['thread', 'tag'] },
  { name: 'notices', icon: 'bell', word: 'notices', count: () => freshNotices.value },
  { name: 'messages', icon: 'envelope', word: 'messages', also: ['conversation'], count: () => unread.value },
  { name: 'people', icon: 'people', word: 'people', also: ['person', 'meet'], count: () => waiting.value.length },
  { name: 'groups', icon: 'circle', word: 'groups', also: ['group'] },
  { name: 'health', icon: 'pulse', word: 'health', also: ['settings'], count: () => freshWarnings.value }
]

export function Shell() {
  if (connection.value === 'shut') return <ShutOut />
  // What arrives is judged by whom one follows: that is known before anything is shown.
  if (profile.value === undefined || contacts.value === undefined) return <Beginning />
  const [name, about = ''] = route.value
  if (profile.value.name === null || welcomed.value === 'begun' || name === 'welcome') return <Welcome />
  const View = VIEWS[name] ?? FeedView
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        {t('skip')}
      </a>
      <Places here={name} />
      <main id="content">
        <Away />
        {name === 'feed' && <PhraseWaits />}
        <View key={`${name}/${about}`} about={about} />
      </main>
    </>
  )
}

/** To the heading, without another address. */
function skip(event: Event): void {
  event.preventDefault()
  focusHeading()
}

function Places({ here }: { here: string }) {
  return (
    <nav class="places" aria-label={t('places')}>
      <p class="brand">Comrade</p>
      {PLACES.map(({ name, icon, word, also = [], count }) => {
        const fresh = count?.() ?? 0
        return (
          <a key={name} href={at(name)} aria-current={here === name || also.includes(here) ? 'page' : undefined}>
            <Icon name={icon} />
            <span class="place-name">{t(word)}</span>
            {fresh > 0 && (
              <span class="badge">
                <span aria-hidden="true">{number(fresh)}</span>
                <span class="hidden">{t('newCount', { count: fresh })}</span>
              </span>
            )}
          </a>
        )
      })}
    </nav>
  )
}

/** Said as long as it is so; the page goes on when the node is back. */
function Away() {
  return <div role="status">{connection.value === 'away' && <p class="notice">{t('awayAbout')}</p>}</div>
}

/** Said on the feed as long as it is so. */
function PhraseWaits() {
  if (!phraseWaits.value) return null
  return (
    <p class="notice row between">
      {t('phraseWaits')}
      <a href={at('welcome')}>{t('phraseShow')}</a>
    </p>
  )
}

function ShutOut() {
  return (
    <main class="alone">
      <h1 tabIndex={-1}>{t('shutTitle')}</h1>
      <p>{t('shutAbout')}</p>
      <p>
        <code>comrade open</code>
      </p>
    </main>
  )
}

function Beginning() {
  if (connection.value !== 'away')
    return (
      <main class="alone" aria-busy="true">
        <p class="brand">Comrade</p>
      </main>
    )
  return (
    <main class="alone">
      <h1 tabIndex={-1}>{t('nodeAway')}</h1>
      <p>{t('awayAbout')}</p>
    </main>
  )
}
