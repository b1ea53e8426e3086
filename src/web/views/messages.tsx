// Private messages: with whom one writes, and with whom one could.
import { useSignal } from '@preact/signals'
import { Action, Empty, Title, When } from '../parts/basics.tsx'
import { Form, NameField } from '../parts/fields.tsx'
import { Name, Sign } from '../parts/person.tsx'
import { isMe, status } from '../state/me.ts'
import { areLoaded, beginConversation, conversations, type Conversation, several } from '../state/messages.ts'
import { friends, personOf } from '../state/people.ts'
import { at, go } from '../state/route.ts'
import { line } from '../text.ts'
import { t } from '../words/index.ts'
import { said } from '../words/sentence.ts'

export function MessagesView() {
  const known = new Set(conversations.value.map(({ whom }) => whom))
  const others = [
    ...[...several.value.values()].filter(({ id, isMember }) => isMember && !known.has(id)).map(({ id }) => id),
    ...friends.value.filter(({ did }) => !known.has(did)).map(({ did }) => did)
  ]
  const unavailable = status.value?.messages.sentence
  return (
    <>
      <Title>{t('messages')}</Title>
      {unavailable !== undefined && <p class="notice bad">{t('messagesUnavailable', { reason: said(unavailable) })}</p>}
      {areLoaded.value && known.size === 0 && others.length === 0 && (
        <Empty
          next={
            <a class="button main" href={at('meet', 'invite')}>
              {t('inviteSomebody')}
            </a>
          }
        >
          {t('messagesEmpty')}
        </Empty>
      )}
      <ul class="rows">
        {conversations.value.map((conversation) => (
          <li key={conversation.whom}>
            <ConversationLink conversation={conversation} />
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <section>
          <h2>{t('writeTo')}</h2>
          <ul class="rows">
            {others.map((whom) => (
              <li key={whom}>
                <a class="row-entry" href={at('conversation', whom)}>
                  <WhomSign whom={whom} />
                  <Whom whom={whom} />
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {friends.value.length > 1 && <BeginConversation />}
    </>
  )
}

/** A person, or a conversation of several with a + before its name. */
export function Whom({ whom }: { whom: string }) {
  const name = nameOf(whom)
  return several.value.has(whom) ? <bdi>{name}</bdi> : <Name did={whom} name={name} />
}

export function nameOf(whom: string): string {
  const conversation = several.value.get(whom)
  if (conversation !== undefined) return `+${line(conversation.name === '' ? whom.slice(0, 6) : conversation.name)}`
  return personOf(whom)?.name ?? `#${whom.slice(-8)}`
}

function WhomSign({ whom }: { whom: string }) {
  return <Sign did={whom} name={nameOf(whom)} />
}

function ConversationLink({ conversation: { whom, last, unread } }: { conversation: Conversation }) {
  const words = last.type === 'erased' ? t('erased') : line((last.text ?? last.attachment?.name ?? '').slice(0, 100))
  return (
    <a class="row-entry" href={at('conversation', whom)}>
      <WhomSign whom={whom} />
      <span class="grow">
        <span class="row between">
          <strong>
            <Whom whom={whom} />
          </strong>
          <When time={last.time} />
        </span>
        <span class="row between">
          <span class="excerpt">
            {isMe(last.from) && words !== '' && `${t('you')}: `}
            {words}
          </span>
          {unread > 0 && (
            <span class="badge" aria-label={t('newCount', { count: unread })}>
              {unread}
            </span>
          )}
        </span>
      </span>
    </a>
  )
}

function BeginConversation() {
  const name = useSignal('')
  const people = useSignal<readonly string[]>([])
  const choose = (did: string, isChosen: boolean): void => {
    people.value = isChosen ? [...people.value, did] : people.value.filter((each) => each !== did)
  }
  const begin = async (): Promise<void> => go('conversation', await beginConversation(name.value.trim(), people.value))
  return (
    <details>
      <summary>{t('beginSeveral')}</summary>
      <p class="hint">{t('beginSeveralAbout')}</p>
      <Form>
        <NameField label={t('conversationName')} name={name} />
        <fieldset>
          <legend>{t('withWhom')}</legend>
          {friends.value.map((friend) => (
            <label key={friend.did} class="check">
              <input
                type="checkbox"
                checked={people.value.includes(friend.did)}
                onChange={({ currentTarget }) => choose(friend.did, currentTarget.checked)}
              />
              <Name did={friend.did} name={friend.name} />
            </label>
          ))}
        </fieldset>
        <Action kind="main" isSubmit run={begin} isDisabled={name.value.trim() === '' || people.value.length === 0}>
          {t('begin')}
        </Action>
      </Form>
    </details>
  )
}
