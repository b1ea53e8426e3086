// What was written with one person, or in a conversation of several, oldest first; and how far it has come.
import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks'
import { Action, Title } from '../parts/basics.tsx'
import { PersonChoice } from '../parts/fields.tsx'
import { Lifetime, Writing } from '../parts/compose.tsx'
import { Files } from '../parts/files.tsx'
import { PersonLink } from '../parts/person.tsx'
import { Text } from '../parts/text.tsx'
import { isMe } from '../state/me.ts'
import { changeConversation, conversations, eraseMessage, markRead, send, several } from '../state/messages.ts'
import { friends, personOf } from '../state/people.ts'
import { at, go } from '../state/route.ts'
import { type AttachedFile, Uploads } from '../state/uploads.ts'
import { line } from '../text.ts'
import type { ConversationShape, MessageShape } from '../shapes.ts'
import { t, tn, type Word } from '../words/index.ts'
import { clock, duration, moment } from '../words/quantities.ts'
import { nameOf, Whom } from './messages.tsx'

/** So near to its end one reads a conversation at its end, in pixels. */
const NEAR_END = 150

const STATES: Readonly<Record<MessageShape['state'], Word>> = {
  queued: 'stateQueued',
  mailed: 'stateMailed',
  delivered: 'stateDelivered',
  read: 'stateRead'
}

export function ConversationView({ about: whom }: { about: string }) {
  const conversation = conversations.value.find((each) => each.whom === whom)
  const messages = conversation?.messages ?? []
  const group = several.value.get(whom)
  useEffect(() => {
    if (conversation !== undefined && conversation.unread > 0) void markRead(conversation).catch(() => {})
  }, [conversation?.unread])
  useLayoutEffect(() => scrollTo(0, document.documentElement.scrollHeight), [messages.length])
  return (
    <>
      <Title aside={group === undefined && <a href={at('person', whom)}>{t('profile')}</a>}>
        <Whom whom={whom} />
      </Title>
      {group !== undefined && <People key={whom} conversation={group} />}
      {messages.length === 0 && <p class="hint">{t('conversationEmpty')}</p>}
      {/* What comes is read out; how far one's own has come, and what was there before, is not. */}
      <div role="log" aria-relevant="additions" aria-label={t('messages')}>
        <ol class="messages" onLoadCapture={stayAtEnd}>
          {messages
            .filter(({ type }) => type !== 'reaction')
            .map((message) => (
              <li key={message.id} class={classOf(message)}>
                <Message message={message} reactions={messages.filter(({ about }) => about === message.id)} />
              </li>
            ))}
        </ol>
      </div>
      {mayWrite(whom, group) ? <Answer key={whom} whom={whom} /> : <p class="notice">{t('messagesOnlyFriends')}</p>}
    </>
  )
}

/** A picture takes its room when it has come: who reads at the end stays there. */
function stayAtEnd({ target }: Event): void {
  const { scrollHeight } = document.documentElement
  const below = scrollHeight - innerHeight - scrollY
  if (below <= (target as HTMLElement).offsetHeight + NEAR_END) scrollTo(0, scrollHeight)
}

function mayWrite(whom: string, group: ConversationShape | undefined): boolean {
  return group?.isMember ?? personOf(whom)?.relation === 'friend'
}

function classOf({ type, from }: MessageShape): string {
  if (type === 'conversation') return 'message agreed'
  return isMe(from) ? 'message own' : 'message'
}

function Answer({ whom }: { whom: string }) {
  const text = useSignal('')
  const lifetime = useSignal<number | undefined>(undefined)
  const uploads = useMemo(() => new Uploads(), [])
  /** One file goes with a message: the words go with the first. What has gone stays gone when another fails. */
  const submit = async (): Promise<void> => {
    const take = async (file?: AttachedFile): Promise<void> => {
      await send(whom, { text: text.value.trim() === '' ? undefined : text.value, file, expiresInMs: lifetime.value })
      text.value = ''
    }
    if (uploads.files.value.length === 0) return take()
    for (const file of uploads.files.value) await uploads.attach([file], ([attached]) => take(attached))
  }
  return (
    <div class="answer">
      <Writing
        text={text}
        label={t('messageTo', { name: line(nameOf(whom)) })}
        button={t('send')}
        uploads={uploads}
        isEager
        send={submit}
      >
        <Lifetime lifetime={lifetime} />
      </Writing>
    </div>
  )
}

interface MessageProps {
  message: MessageShape
  reactions: readonly MessageShape[]
}

function Message({ message, reactions }: MessageProps) {
  const { id, from, name, warnings, type, time, state, conversation, expires, isAfterGap } = message
  const isOwn = isMe(from)
  return (
    <>
      {isAfterGap && <p class="gap">{t('gap')}</p>}
      {conversation !== null && !isOwn && (
        <p class="hint">
          <PersonLink did={from} name={name} warnings={warnings} />
        </p>
      )}
      <div class="said">
        <Content message={message} />
        {reactions.length > 0 && <p class="given">{reactions.map(({ emoji }) => line(emoji ?? '')).join(' ')}</p>}
      </div>
      <p class="said-foot">
        <time dateTime={time} title={moment(time)}>
          {clock(time)}
        </time>
        {isOwn && <span class={`state ${state}`}>{t(STATES[state])}</span>}
        {expires !== null && type !== 'erased' && (
          <span>
            {t('expires')} {moment(expires)}
          </span>
        )}
        {type !== 'erased' && type !== 'conversation' && (
          <Action kind="quiet" run={() => eraseMessage(id)}>
            {t('erase')}
          </Action>
        )}
      </p>
    </>
  )
}

/** The words, and the file that belongs to them. */
function Content({ message }: { message: MessageShape }) {
  const { id, type, text, attachment, change } = message
  if (type === 'erased') return <p class="gone">{t('erased')}</p>
  if (type === 'conversation' && change !== null) return <p class="hint">{agreed(message, change)}</p>
  if (attachment === null && type !== 'text') return <p class="gone">{t('unknownMessage')}</p>
  const files = attachment === null ? [] : [attachment]
  return (
    <>
      {text !== null && <Text text={text} />}
      <Files files={files} of={{ give: 'messages/file', fetch: 'messages/attachment', id }} />
    </>
  )
}

/** What somebody changed about the conversation, in a sentence for each thing. */
function agreed({ from, name }: MessageShape, change: NonNullable<MessageShape['change']>): string {
  const names = (people: readonly { name: string }[]): string => people.map((person) => line(person.name)).join(', ')
  const parts = [
    change.added.length > 0 && t('agreedAdded', { names: names(change.added) }),
    change.removed.length > 0 && t('agreedRemoved', { names: names(change.removed) }),
    change.name !== null && t('agreedName', { name: line(change.name) }),
    change.timerMs !== null && t('agreedTimer', { time: duration(change.timerMs) })
  ].filter((part) => part !== false)
  return `${isMe(from) ? t('you') : line(name)}: ${parts.length === 0 ? t('agreed') : parts.join('; ')}`
}

/** Who belongs to a conversation of several; whoever does may change it. */
function People({ conversation: { id, members, isMember } }: { conversation: ConversationShape }) {
  const who = useSignal('')
  const inside = new Set(members.map(({ did }) => did))
  const others = friends.value.filter(({ did }) => !inside.has(did))
  const add = async (): Promise<void> => {
    await changeConversation('add', id, { who: who.value })
    who.value = ''
  }
  const leave = async (): Promise<void> => {
    await changeConversation('leave', id)
    go('messages')
  }
  return (
    <details>
      <summary>{tn('members', members.length)}</summary>
      <ul class="rows">
        {members.map(({ did, name, warnings, isReached }) => (
          <li key={did}>
            <PersonLink did={did} name={name} warnings={warnings} />
            {!isReached && !isMe(did) && <span class="hint"> {t('notReached')}</span>}
          </li>
        ))}
      </ul>
      {isMember && (
        <p class="row">
          {others.length > 0 && (
            <>
              <PersonChoice label={t('choosePerson')} people={others} who={who} />
              <Action run={add} isDisabled={who.value === ''}>
                {t('add')}
              </Action>
            </>
          )}
          <Action run={leave}>{t('leave')}</Action>
        </p>
      )}
    </details>
  )
}
