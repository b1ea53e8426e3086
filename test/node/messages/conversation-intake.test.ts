// What a device does with what comes in conversations, in whatever order it comes.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { migrate } from '../../../src/feeds/index.ts'
import {
  type Content,
  ConversationBook,
  Conversations,
  type ConversationState,
  EMPTY_STATE,
  fromFields,
  membersOf,
  MESSAGE_MIGRATIONS,
  newContent,
  Outbox,
  receive,
  shownTo,
  standingOf,
  toFields,
  viewOf,
  withMember,
  withName,
  withoutMember
} from '../../../src/messages/index.ts'
import { ConversationIntake, type Judgement } from '../../../src/node/messages/conversation-intake.ts'
import { Vault } from '../../../src/node/vault.ts'

const ID = new Uint8Array(randomBytes(16))
const keyOf = (name: string): Uint8Array => new Uint8Array(createHash('sha256').update(name).digest())
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const deviceOf = (name: string) => ({ device: keyOf(`${name}'s device`), person: keyOf(name) })

function stateWith(...names: string[]): ConversationState {
  return names.reduce((state, name) => withMember(state, hex(keyOf(name))), withName(EMPTY_STATE, 'hive'))
}

const stateContent = (state: ConversationState): Content =>
  newContent({ type: 'conversation', conversation: ID, ...toFields(state) })

/** What Bob tells of a state to oneself. */
const SELF_TO_BOB = { person: hex(keyOf('self')), self: hex(keyOf('bob')) }

const text = (state: ConversationState): Content =>
  newContent({ type: 'text', text: 'hello', conversation: ID, view: viewOf(state) })

/** A device of one's own, whose contacts have one each. */
class Setting implements Disposable {
  readonly told: { to: string; type: string }[] = []
  /** What each was told last. */
  readonly last = new Map<string, Content>()
  #written: string[] = []
  readonly #database = new DatabaseSync(':memory:')
  readonly #book: ConversationBook
  readonly #intake: ConversationIntake
  readonly #conversations: Conversations
  readonly #outbox: Outbox

  constructor(...contacts: string[]) {
    const vault = new Vault(new Uint8Array(32))
    migrate(this.#database, 'messages', MESSAGE_MIGRATIONS)
    this.#book = new ConversationBook(this.#database, vault)
    const names = new Map(contacts.map((name) => [hex(keyOf(name)), deviceOf(name).device]))
    this.#conversations = new Conversations(this.#database, vault)
    this.#outbox = new Outbox(this.#database)
    this.#intake = new ConversationIntake({
      book: this.#book,
      conversations: this.#conversations,
      outbox: this.#outbox,
      self: keyOf('self'),
      devicesOf: (person) => [names.get(hex(person))].filter((device) => device !== undefined),
      tell: (device, content) => {
        const to = contacts.find((name) => hex(deviceOf(name).device) === hex(device))!
        this.told.push({ to, type: content.type })
        this.last.set(to, content)
      }
    })
  }

  get state(): ConversationState | undefined {
    return this.#book.find(ID)
  }

  take(from: string, content: Content): Judgement {
    const judgement = this.#intake.judge(content, deviceOf(from))
    this.#intake.follow(judgement, deviceOf(from))
    return judgement
  }

  /** Takes something, and keeps it as it is to be kept. */
  keep(from: string, content: Content): void {
    const { peer, ...judgement } = this.take(from, content)
    const author = { author: keyOf(from), device: deviceOf(from).device, timeMs: content.at }
    this.#conversations.add({ ...author, peer: peer!, content: judgement.content, state: 'delivered' })
  }

  /** Writes to these people. @returns the message's number */
  write(...names: string[]): number {
    const content = text(this.state!)
    const own = { author: keyOf('self'), device: keyOf("self's device"), peer: ID, timeMs: content.at }
    const num = this.#conversations.add({ ...own, content, state: 'queued' })!
    for (const name of names) {
      this.#conversations.recipients.add(num, { person: keyOf(name), state: 'queued' })
      this.#outbox.add(num, deviceOf(name).device, randomBytes(16))
    }
    this.#written = names
    return num
  }

  /** How far it has come with each of them; only what is in the outbox is still sent. */
  waiting(num: number): string[] {
    return this.#written.map((name) => {
      const { state } = this.#conversations.recipients.of(num).find(({ person }) => hex(person) === hex(keyOf(name)))!
      assert.equal(this.#outbox.numsOf(deviceOf(name).device).has(num), state === 'queued')
      return state
    })
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}

describe('what comes in a conversation of several', () => {
  it('waits until its author has said what conversation it is, and is asked for again then', () => {
    using here = new Setting('alice')
    const state = stateWith('self', 'alice')
    const early = here.take('alice', text(state))
    assert.deepEqual([early.peer, early.isAcknowledged], [undefined, false])
    assert.deepEqual(here.told.splice(0), [{ to: 'alice', type: 'conversation' }])
    here.take('alice', text(state))
    assert.deepEqual(here.told, [], 'the same is not asked twice in a minute')
    here.take('alice', stateContent(state))
    assert.deepEqual(here.told, [{ to: 'alice', type: 'resend' }])
    const late = here.take('alice', text(state))
    assert.deepEqual([late.peer, late.isAcknowledged, late.news], [ID, true, []])
  })

  it('waits until others have said who its author is, and is asked for again then', () => {
    using here = new Setting('alice', 'bob', 'dora')
    const before = stateWith('self', 'alice', 'bob')
    const after = withMember(before, hex(keyOf('dora')))
    here.take('alice', stateContent(before))
    assert.equal(here.take('dora', text(after)).isAcknowledged, false)
    assert.deepEqual(
      here.told
        .splice(0)
        .map(({ to }) => to)
        .toSorted(),
      ['alice', 'bob']
    )
    assert.equal(here.take('dora', stateContent(after)).peer, undefined, 'not from herself')
    assert.equal(standingOf(here.state!, hex(keyOf('dora'))), 'unknown')
    here.take('bob', stateContent(after))
    assert.deepEqual(here.told, [{ to: 'dora', type: 'resend' }])
    assert.equal(here.take('dora', text(after)).isAcknowledged, true)
  })

  it('is not taken when its author was removed, who is told so, and others are asked', () => {
    using here = new Setting('alice', 'bob')
    const before = stateWith('self', 'alice', 'bob')
    here.take('alice', stateContent(before))
    here.take('bob', stateContent(withoutMember(before, hex(keyOf('alice')))))
    const late = here.take('alice', text(before))
    assert.deepEqual([late.peer, late.isAcknowledged], [undefined, false])
    const told = ['alice', 'bob'].map((to) => ({ to, type: 'conversation' }))
    assert.deepEqual(here.told, told)
    here.take('alice', stateContent(withName(before, 'mine')))
    assert.equal(here.state!.name.value, 'hive')
  })

  it('is asked for again when its author turns out to belong to it again', () => {
    using here = new Setting('alice', 'bob')
    const before = stateWith('self', 'alice', 'bob')
    const without = withoutMember(before, hex(keyOf('alice')))
    const again = withMember(without, hex(keyOf('alice')))
    here.take('bob', stateContent(without))
    assert.equal(here.take('alice', text(again)).isAcknowledged, false)
    here.told.splice(0)
    here.take('bob', stateContent(again))
    assert.deepEqual(here.told, [{ to: 'alice', type: 'resend' }])
    assert.equal(here.take('alice', text(again)).peer, ID)
  })

  it('is let go by who hears from whom it is for that they are out', () => {
    using here = new Setting('alice', 'bob')
    const state = stateWith('self', 'alice', 'bob')
    here.take('alice', stateContent(state))
    const num = here.write('alice', 'bob')
    here.take('alice', stateContent(withoutMember(state, hex(keyOf('self')))))
    assert.deepEqual(here.waiting(num), ['unreachable', 'queued'])
    here.take('bob', stateContent(withoutMember(EMPTY_STATE, hex(keyOf('self')))))
    assert.deepEqual(here.waiting(num), ['unreachable', 'queued'], 'which does not say so')
    here.take('bob', stateContent(shownTo(withoutMember(state, hex(keyOf('self'))), SELF_TO_BOB)))
    assert.deepEqual(here.waiting(num), ['unreachable', 'unreachable'])
  })

  it('does not bring its author what was agreed since they were removed', () => {
    using here = new Setting('alice', 'bob', 'eve')
    const before = stateWith('self', 'alice', 'bob')
    const after = withMember(withoutMember(before, hex(keyOf('alice'))), hex(keyOf('dora')))
    here.take('bob', stateContent(withName(after, 'without Alice')))
    here.take('alice', text(before))
    const told = fromFields(here.last.get('alice') as never)
    assert.equal(standingOf(told, hex(keyOf('alice'))), 'former')
    assert.deepEqual(membersOf(told), [hex(keyOf('self'))])
    assert.equal(told.name.count, 0)
    const own = receive(before, told, { from: hex(keyOf('self')), self: hex(keyOf('alice')) })!
    assert.equal(standingOf(own, hex(keyOf('alice'))), 'former', 'she hears that she is out')
  })

  it('is not told of to strangers by who has left', () => {
    using here = new Setting('bob', 'eve')
    const state = stateWith('self', 'bob')
    here.take('bob', stateContent(state))
    here.take('bob', stateContent(withoutMember(state, hex(keyOf('self')))))
    here.take('eve', text(state))
    assert.deepEqual(membersOf(fromFields(here.last.get('eve') as never)), [])
    here.take('bob', text(state))
    assert.deepEqual(membersOf(fromFields(here.last.get('bob') as never)), [hex(keyOf('bob'))])
  })

  it('makes two devices tell each other what they know, until both know the same', () => {
    using here = new Setting('alice')
    const state = stateWith('self', 'alice')
    here.take('alice', stateContent(withName(state, 'old hive')))
    const behind = here.take('alice', text(state))
    assert.deepEqual([behind.isAcknowledged, behind.news.length], [true, 1])
    assert.equal(here.take('alice', stateContent(state)).news.length, 1)
    const same = here.take('alice', stateContent(withName(state, 'old hive')))
    assert.deepEqual([same.news, same.isShown], [[], false])
  })

  it('shows what has become different here, whatever its author says that is', () => {
    using here = new Setting('alice')
    const state = stateWith('self', 'alice')
    const lie = { added: [keyOf('eve')], removed: [keyOf('self')] }
    const { content } = here.take('alice', { ...stateContent(state), changes: lie })
    const { added, removed, name } = content.changes as { added: Uint8Array[]; removed: Uint8Array[]; name?: string }
    assert.deepEqual(added.map(hex).toSorted(), [keyOf('self'), keyOf('alice')].map(hex).toSorted())
    assert.deepEqual([removed, name], [[], 'hive'])
  })

  it('is not taken from who invites to more conversations than anybody needs, and others are heard', () => {
    using here = new Setting('alice', 'bob')
    const state = stateWith('self', 'alice')
    for (let i = 0; i < 100; i++)
      here.keep('alice', { ...stateContent(state), conversation: new Uint8Array(randomBytes(16)) })
    assert.equal(here.take('alice', stateContent(state)).peer, undefined)
    assert.equal(here.state, undefined)
    assert.equal(here.take('bob', stateContent(stateWith('self', 'bob'))).peer, ID)
  })
})
