// What a message says: a map in canonical DAG-CBOR. Types that this program does not know are kept, and so are fields of
// known types that it does not know.
import { randomBytes } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as v from 'valibot'
import { cidToBlobId, FILE_KEY_SIZE, MAX_FILE_SIZE } from '../blobs/index.ts'
import { decodeCbor, encodeCbor } from '../feeds/index.ts'
import {
  CONVERSATION_ID_SIZE,
  MAX_CONVERSATION_NAME_SIZE,
  MAX_PEOPLE,
  MAX_TIMER_MS,
  type StateFields,
  VIEW_SIZE
} from './conversation-state.ts'
import { MessageError } from './errors.ts'
import { MESSAGE_STATES, type MessageState } from './message-state.ts'
import { MAX_PLAINTEXT_SIZE } from './padding.ts'
import { RECIPIENT_STATES, type RecipientState } from './recipients.ts'

/** Of a message's id, which is random. */
export const MESSAGE_ID_SIZE = 16
/** Most bytes of UTF-8 in a text. */
export const MAX_TEXT_SIZE = 28_000
const MAX_TYPE_LENGTH = 64
/** UTF-16 code units of a reaction. */
const MAX_EMOJI_LENGTH = 32
/** Most bytes of UTF-8 in a file's name. */
export const MAX_FILE_NAME_SIZE = 255
/** Largest description of a picture, in bytes: 1,000 characters. */
const MAX_ALT_SIZE = 4_000
/** Of a file: type and subtype (RFC 6838), at most 127 characters, without parameters. */
const MEDIA_TYPE = /^(?=.{3,127}$)[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/
/** Most messages that one receipt is about. */
export const MAX_RECEIPT_IDS = 32
/** Most messages of whose states one content tells. */
export const MAX_STATES = 64
/** Of keys and descriptors. */
const MAX_BYTES = 4_096

interface Common {
  v: 1
  /** 16 random bytes. */
  id: Uint8Array
  /** When it was written, in ms since 1970, by the clock of who wrote it. */
  at: number
  /** To whom, the person's root key: in the copies for the author's own other devices only. */
  to?: Uint8Array
  /** Id of the message that the same device wrote in this conversation before: where one is missing is seen by it. */
  prev?: Uint8Array
  /** When it is to be erased where it was written, in ms since 1970; elsewhere that long after it came. See {@link lifetimeOf}. */
  expires?: number
  /** Id of the conversation of several that it belongs to. */
  conversation?: Uint8Array
  /** Digest of what its author's device knew to be agreed there. Left out: nothing. */
  view?: Uint8Array
}

export interface TextContent extends Common {
  type: 'text'
  text: string
  /** Id of the message that it answers. */
  reply?: Uint8Array
}

export interface ReactionContent extends Common {
  type: 'reaction'
  /** Id of the message that it is about. */
  about: Uint8Array
  emoji: string
}

/** A file, encrypted in a blob; with it what is said of it. */
export interface AttachmentContent extends Common {
  type: 'attachment'
  blob: CID
  /** 32 random bytes: opens the blob, as sealing.ts of src/blobs does it. */
  key: Uint8Array
  /** Of the file, in bytes. */
  size: number
  /** As its sender calls it. */
  name: string
  /** Media type, as its sender says. */
  mime?: string
  /** What a picture shows, for those who do not see it. */
  alt?: string
  text?: string
  /** Id of the message that it answers. */
  reply?: Uint8Array
}

/** That messages were stored, or read. */
export interface ReceiptContent extends Common {
  type: 'receipt'
  state: 'delivered' | 'read'
  /** Of the messages, 1 to 32. */
  ids: Uint8Array[]
}

/** That something could not be opened: whatever was not acknowledged is to be sent anew, in a new session. */
export interface ResendContent extends Common {
  type: 'resend'
}

/** To the author's and the recipient's devices: this message is erased. */
export interface EraseContent extends Common {
  type: 'erase'
  /** Id of a message of the same author. */
  about: Uint8Array
}

/** What is agreed in a conversation, as the device that says it knows; see conversation-state.ts. */
export interface ConversationContent extends Common, StateFields {
  type: 'conversation'
  /** What has become different by it, for people to read; whoever takes it puts there what is different for them. */
  changes?: ContentChanges
}

/** As {@link ConversationChanges}, with keys as bytes. */
export interface ContentChanges {
  added: Uint8Array[]
  removed: Uint8Array[]
  name?: string
  timer?: number
}

/** Where the device that says it has mailboxes for the one that it says it to, in place of what it said before. */
export interface MailboxesContent extends Common {
  type: 'mailboxes'
  /** To which cells for it are sealed. */
  key: Uint8Array
  /** As mailbox-descriptor.ts encodes it. */
  descriptor: Uint8Array
}

/** To the author's other devices, from the one that wrote them: how far messages have come. */
export interface StatesContent extends Common {
  type: 'states'
  /** 1 to 64. */
  messages: SentState[]
}

/** Id of a message, how far it has come, and with each recipient where there are several, by their root keys. */
export type SentState =
  | [id: Uint8Array, state: MessageState]
  | [id: Uint8Array, state: MessageState, recipients: [person: Uint8Array, state: RecipientState][]]

export type KnownContent =
  | TextContent
  | ReactionContent
  | AttachmentContent
  | ReceiptContent
  | ResendContent
  | EraseContent
  | ConversationContent
  | MailboxesContent
  | StatesContent

/** Any content, of a known type or not. */
export interface Content extends Common {
  type: string
  [field: string]: unknown
}

const ofSize = (size: number) =>
  v.pipe(
    v.custom<Uint8Array>((value) => value instanceof Uint8Array),
    v.length(size)
  )
const id = ofSize(MESSAGE_ID_SIZE)
const key = ofSize(32)
const bytes = v.pipe(
  v.custom<Uint8Array>((value) => value instanceof Uint8Array),
  v.maxLength(MAX_BYTES)
)
const time = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const blob = v.pipe(
  v.custom<CID>((value) => value instanceof CID),
  v.check((cid) => cidToBlobId(cid) !== undefined, 'not a blob')
)
const fileKey = ofSize(FILE_KEY_SIZE)
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const people = v.pipe(v.array(v.strictTuple([key, v.pipe(count, v.minValue(1))])), v.maxLength(MAX_PEOPLE))
const conversationName = v.pipe(v.string(), v.maxBytes(MAX_CONVERSATION_NAME_SIZE))
const state = v.picklist(MESSAGE_STATES)
const recipients = v.pipe(v.array(v.strictTuple([key, v.picklist(RECIPIENT_STATES)])), v.maxLength(MAX_PEOPLE))
const timer = v.pipe(count, v.maxValue(MAX_TIMER_MS))
const common = {
  v: v.literal(1),
  id,
  at: time,
  to: v.optional(key),
  prev: v.optional(id),
  expires: v.optional(time),
  conversation: v.optional(ofSize(CONVERSATION_ID_SIZE)),
  view: v.optional(ofSize(VIEW_SIZE))
}
const anyType = v.looseObject({ ...common, type: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_TYPE_LENGTH)) })
const schemas = new Map<string, v.GenericSchema>([
  [
    'text',
    v.looseObject({
      ...common,
      type: v.literal('text'),
      text: v.pipe(v.string(), v.minLength(1), v.maxBytes(MAX_TEXT_SIZE)),
      reply: v.optional(id)
    })
  ],
  [
    'reaction',
    v.looseObject({
      ...common,
      type: v.literal('reaction'),
      about: id,
      emoji: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_EMOJI_LENGTH))
    })
  ],
  [
    'attachment',
    v.looseObject({
      ...common,
      type: v.literal('attachment'),
      blob,
      key: fileKey,
      size: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(MAX_FILE_SIZE)),
      name: v.pipe(v.string(), v.minLength(1), v.maxBytes(MAX_FILE_NAME_SIZE)),
      mime: v.optional(v.pipe(v.string(), v.regex(MEDIA_TYPE))),
      alt: v.optional(v.pipe(v.string(), v.minLength(1), v.maxBytes(MAX_ALT_SIZE))),
      text: v.optional(v.pipe(v.string(), v.minLength(1), v.maxBytes(MAX_TEXT_SIZE))),
      reply: v.optional(id)
    })
  ],
  [
    'receipt',
    v.looseObject({
      ...common,
      type: v.literal('receipt'),
      state: v.picklist(['delivered', 'read']),
      ids: v.pipe(v.array(id), v.minLength(1), v.maxLength(MAX_RECEIPT_IDS))
    })
  ],
  [
    'conversation',
    v.looseObject({
      ...common,
      type: v.literal('conversation'),
      members: people,
      former: people,
      name: v.strictTuple([conversationName, count]),
      timer: v.strictTuple([timer, count]),
      changes: v.optional(
        v.object({
          added: v.pipe(v.array(key), v.maxLength(MAX_PEOPLE)),
          removed: v.pipe(v.array(key), v.maxLength(MAX_PEOPLE)),
          name: v.optional(conversationName),
          timer: v.optional(timer)
        })
      )
    })
  ],
  ['resend', v.looseObject({ ...common, type: v.literal('resend') })],
  ['erase', v.looseObject({ ...common, type: v.literal('erase'), about: id })],
  ['mailboxes', v.looseObject({ ...common, type: v.literal('mailboxes'), key: bytes, descriptor: bytes })],
  [
    'states',
    v.looseObject({
      ...common,
      type: v.literal('states'),
      messages: v.pipe(
        v.array(v.union([v.strictTuple([id, state]), v.strictTuple([id, state, recipients])])),
        v.minLength(1),
        v.maxLength(MAX_STATES)
      )
    })
  ]
])

/** A content with an id and a time. */
export function newContent<T extends { type: string }>(
  fields: T,
  { at = Date.now(), id: given = randomBytes(MESSAGE_ID_SIZE) }: { at?: number; id?: Uint8Array } = {}
): T & Content {
  return { v: 1, id: new Uint8Array(given), at, ...fields }
}

/** @throws MessageError SIZE, CONTENT (the message names the field) */
export function encodeContent(content: Common & { type: string }): Uint8Array {
  const size = 'text' in content ? Buffer.byteLength(String(content.text)) : 0
  if (size > MAX_TEXT_SIZE)
    throw new MessageError('SIZE', `a text has at most ${MAX_TEXT_SIZE} bytes, this one ${size}`)
  check(content)
  const bytes = encodeCbor(content)
  if (bytes.length > MAX_PLAINTEXT_SIZE)
    throw new MessageError('SIZE', `a message has at most ${MAX_PLAINTEXT_SIZE} bytes, this one ${bytes.length}`)
  return bytes
}

/** Reads what somebody else wrote. @throws MessageError CONTENT */
export function decodeContent(bytes: Uint8Array): Content {
  let content: unknown
  try {
    content = decodeCbor(bytes)
  } catch (error) {
    throw new MessageError('CONTENT', `not canonical DAG-CBOR: ${(error as Error).message}`, { cause: error })
  }
  check(content)
  return content as Content
}

/** How long it is kept, in ms: by the author's clock at both ends of that time, so that a wrong one does no harm. */
export function lifetimeOf({ at, expires }: Pick<Content, 'at' | 'expires'>): number | undefined {
  return expires === undefined ? undefined : Math.min(Math.max(0, expires - at), MAX_TIMER_MS)
}

/** The content, typed, when its type is one of those above: it has matched its schema then. */
export function known(content: Content): KnownContent | undefined {
  return schemas.has(content.type) ? (content as KnownContent) : undefined
}

function check(content: unknown): void {
  const type = (content as { type?: unknown } | null)?.type
  const schema = (typeof type === 'string' ? schemas.get(type) : undefined) ?? anyType
  const result = v.safeParse(schema, content, { abortEarly: true })
  if (result.success) return
  const issue = result.issues[0]
  throw new MessageError(
    'CONTENT',
    `content of a message: ${v.getDotPath(issue) ?? 'it'}: ${issue.message.slice(0, 200)}`
  )
}
