// What is agreed in a conversation: who belongs to it, what it is called, and after which time its messages are erased. Each
// device has a state; two are merged into one, so that all come to the same in whatever order they hear of changes.
import { createHash } from 'node:crypto'
import { encodeCbor } from '../feeds/index.ts'
import { MessageError } from './errors.ts'

/** Of a conversation's id, which is random. */
export const CONVERSATION_ID_SIZE = 16
/** Of the digest by which two devices see that their states differ. */
export const VIEW_SIZE = 16
/** Most people who belong to a conversation at once. */
export const MAX_MEMBERS = 32
/** Most people who ever belonged to one: who has left is remembered, so that older news does not bring them back. */
export const MAX_PEOPLE = 256
/** Largest name, in bytes of UTF-8. */
export const MAX_CONVERSATION_NAME_SIZE = 256
/** Longest timer, in ms: ten years. */
export const MAX_TIMER_MS = 315_360_000_000

/** Something that is changed now and then: the higher count holds. */
export interface Counted<T> {
  value: T
  /** Rises by one with each change; 0: never set. */
  count: number
}

export interface ConversationState {
  /** Whether somebody belongs to it, by their root key in hexadecimal. None: the conversation of two people. */
  people: ReadonlyMap<string, Counted<boolean>>
  /** Empty: it has none. */
  name: Counted<string>
  /** In ms; 0: messages are not erased by themselves. */
  timer: Counted<number>
}

/** What has become different, as people are told. */
export interface ConversationChanges {
  /** Root keys in hexadecimal. */
  added: string[]
  removed: string[]
  name?: string
  /** In ms; 0: taken away. */
  timer?: number
}

/** A state as a content of type `conversation` has it: lists are sorted, so that one state is one sequence of bytes. */
export interface StateFields {
  members: [key: Uint8Array, count: number][]
  former: [key: Uint8Array, count: number][]
  name: [value: string, count: number]
  timer: [value: number, count: number]
}

/** Nothing was agreed yet. */
export const EMPTY_STATE: ConversationState = {
  people: new Map(),
  name: { value: '', count: 0 },
  timer: { value: 0, count: 0 }
}

/** Which of two counts as more when both have the same count; the order is total. */
const isMore = {
  // Who was removed and added at the same time is out: adding somebody again is easier than taking back what they read.
  person: (a: boolean, b: boolean): boolean => !a && b,
  name: (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0,
  // The shorter time: what was written in the trust that it goes away does.
  timer: (a: number, b: number): boolean => (a || Infinity) < (b || Infinity)
}

/** Commutative, associative, idempotent. Too many people make it one of the two: see {@link isTooLarge}. */
export function merge(a: ConversationState, b: ConversationState): ConversationState {
  const people = new Map(a.people)
  for (const [key, standing] of b.people) people.set(key, later(people.get(key), standing, isMore.person))
  return { people, name: later(a.name, b.name, isMore.name), timer: later(a.timer, b.timer, isMore.timer) }
}

function later<T>(a: Counted<T> | undefined, b: Counted<T>, isMoreThan: (a: T, b: T) => boolean): Counted<T> {
  if (a === undefined || b.count > a.count) return b
  return b.count === a.count && isMoreThan(b.value, a.value) ? b : a
}

export function isTooLarge({ people }: ConversationState): boolean {
  return people.size > MAX_PEOPLE
}

/** Root keys in hexadecimal. Where several people were added at the same time and are too many, the first of a fixed order. */
export function membersOf({ people }: ConversationState): string[] {
  return [...people]
    .filter(([, { value }]) => value)
    .toSorted(([key, a], [other, b]) => a.count - b.count || (key < other ? -1 : 1))
    .slice(0, MAX_MEMBERS)
    .map(([key]) => key)
}

/** 'former': they belonged to it. 'unknown': it was never heard of them. */
export function standingOf(state: ConversationState, person: string): 'member' | 'former' | 'unknown' {
  if (membersOf(state).includes(person)) return 'member'
  return state.people.has(person) ? 'former' : 'unknown'
}

/**
 * What a device holds after it has heard of somebody's state. Whoever belongs to a conversation may change it, and so may tell
 * of what others have changed.
 * @param own undefined: this conversation was not known here
 * @returns undefined when it is nothing that `from` may say
 */
export function receive(
  own: ConversationState | undefined,
  received: ConversationState,
  { from, self }: { from: string; self: string }
): ConversationState | undefined {
  const isInvited = [from, self].every((person) => standingOf(received, person) === 'member')
  const isIn = own !== undefined && standingOf(own, self) === 'member'
  const isHeard = from === self || (isIn ? standingOf(own, from) === 'member' : isInvited)
  const merged = merge(own ?? EMPTY_STATE, received)
  return isHeard && !isTooLarge(merged) ? merged : undefined
}

/**
 * What somebody is told of a state: all of it who belongs to the conversation, others only who of the two is in it.
 * @param of.person, of.self root keys in hexadecimal
 */
export function shownTo(
  state: ConversationState,
  { person, self }: { person: string; self: string }
): ConversationState {
  if (standingOf(state, person) === 'member') return state
  return { ...EMPTY_STATE, people: new Map([...state.people].filter(([key]) => key === person || key === self)) }
}

/** @throws MessageError CONTENT when there are too many */
export function withMember(state: ConversationState, person: string): ConversationState {
  const members = membersOf(state)
  if (members.includes(person)) return state
  if (members.length >= MAX_MEMBERS)
    throw new MessageError('CONTENT', `a conversation has at most ${MAX_MEMBERS} people: make a group for more`)
  const changed = withStanding(state, person, true)
  if (isTooLarge(changed))
    throw new MessageError('CONTENT', `${MAX_PEOPLE} people have been in this conversation: begin another one`)
  return changed
}

export function withoutMember(state: ConversationState, person: string): ConversationState {
  return state.people.get(person)?.value === true ? withStanding(state, person, false) : state
}

function withStanding(state: ConversationState, person: string, value: boolean): ConversationState {
  const [people, before] = [new Map(state.people), state.people.get(person)]
  // With the highest count there is, who is out counts as more: nobody makes it so that they cannot be removed.
  const isLast = !value && before?.count === Number.MAX_SAFE_INTEGER
  return { ...state, people: people.set(person, { value, count: isLast ? before.count : next(before) }) }
}

export function withName(state: ConversationState, value: string): ConversationState {
  return { ...state, name: { value, count: next(state.name) } }
}

/** @param value in ms, 0: none */
export function withTimer(state: ConversationState, value: number): ConversationState {
  return { ...state, timer: { value, count: next(state.timer) } }
}

function next(before: Counted<unknown> | undefined): number {
  const count = (before?.count ?? 0) + 1
  if (Number.isSafeInteger(count)) return count
  throw new MessageError(
    'CONTENT',
    'somebody has set this so that it cannot be changed any more: begin another conversation'
  )
}

/** What is to be told of a change; undefined when nothing is different. */
export function changesOf(before: ConversationState, after: ConversationState): ConversationChanges | undefined {
  const [were, are] = [membersOf(before), membersOf(after)]
  const changes: ConversationChanges = {
    added: are.filter((person) => !were.includes(person)),
    removed: were.filter((person) => !are.includes(person)),
    ...(before.name.value === after.name.value ? {} : { name: after.name.value }),
    ...(before.timer.value === after.timer.value ? {} : { timer: after.timer.value })
  }
  const { added, removed, name, timer } = changes
  return added.length + removed.length === 0 && name === undefined && timer === undefined ? undefined : changes
}

export function toFields({ people, name, timer }: ConversationState): StateFields {
  const sorted = [...people].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const list = (isIn: boolean): [Uint8Array, number][] =>
    sorted.filter(([, { value }]) => value === isIn).map(([key, { count }]) => [fromHex(key), count])
  return { members: list(true), former: list(false), name: [name.value, name.count], timer: [timer.value, timer.count] }
}

/** Somebody who stands there twice counts as in {@link merge}. */
export function fromFields({ members, former, name, timer }: StateFields): ConversationState {
  const empty = {
    ...EMPTY_STATE,
    name: { value: name[0], count: name[1] },
    timer: { value: timer[0], count: timer[1] }
  }
  const all = [
    ...members.map(([key, count]) => [key, { value: true, count }] as const),
    ...former.map(([key, count]) => [key, { value: false, count }] as const)
  ]
  return all.reduce(
    (state, [key, standing]) => merge(state, { ...empty, people: new Map([[toHex(key), standing]]) }),
    empty
  )
}

/** By which two devices see that their states differ. */
export function viewOf(state: ConversationState): Uint8Array {
  return new Uint8Array(
    createHash('sha256')
      .update(encodeCbor(toFields(state)))
      .digest()
      .subarray(0, VIEW_SIZE)
  )
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}
