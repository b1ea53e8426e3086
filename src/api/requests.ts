// What each route takes. Everything that comes in by the API is checked here, once, and is typed from here on.
import * as v from 'valibot'
import { NodeError } from '../node/comrade.ts'

/** Largest text of a post, in bytes of UTF-8: a body's limit. */
const MAX_TEXT_SIZE = 65_536
/** The same of a private message. */
const MAX_MESSAGE_SIZE = 28_000
const MAX_TAGS = 32
const MAX_MENTIONS = 32
/** Of one post. */
const MAX_FILES = 16
/** Longest time after which a post may expire, in ms: ten years. */
const MAX_EXPIRES_MS = 10 * 365 * 86_400_000
const MAX_LIMIT = 10_000
/** Longest time that what is missing in a thread is waited for, in ms. */
const MAX_WAIT_MS = 10_000
/** Longest name of a file as it is taken, in bytes; longer than 255 it is shortened. */
const MAX_FILE_NAME_SIZE = 4_096
/** Longest description of a picture, in characters. */
const MAX_ALT = 1_000

/** Of the settings in config.json, those that are changed while the node runs. */
const SETTING_KEYS = ['privacy', 'shareContacts', 'readReceipts', 'mailboxes', 'relay', 'directory'] as const

const isWellFormed = (text: string): boolean => text.isWellFormed()

/** Text of 1 to `max` bytes of UTF-8. Lone surrogates are refused: they have no UTF-8. */
function text(max: number) {
  return v.pipe(
    v.string('must be text'),
    v.minLength(1, 'must not be empty'),
    v.maxBytes(max, `must have at most ${max} bytes`),
    v.check(isWellFormed, 'must be well-formed Unicode')
  )
}

/** Like {@link text}, but may be empty: an empty name or about takes the old one away. */
function anyText(max: number) {
  return v.pipe(
    v.string('must be text'),
    v.maxBytes(max, `must have at most ${max} bytes`),
    v.check(isWellFormed, 'must be well-formed Unicode')
  )
}

function whole(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message))
}

/** CIDv1, raw codec, sha256, base32: always this prefix and length. */
const id = v.pipe(
  v.string('must be an entry id'),
  v.regex(/^bafkrei[a-z2-7]{52}$/, 'must be an entry id: bafkrei…, 59 characters')
)
const messageId = v.pipe(
  v.string("must be a message's id"),
  v.regex(/^[0-9a-f]{32}$/, "must be a message's id: 32 hexadecimal digits")
)
const who = text(512)
/** Limits of characters, and not of bytes, are those of the bodies: 64 of them have at most 256 bytes. */
export const MAX_CHARACTERS = 64
export const isShort = (value: string): boolean => [...value].length <= MAX_CHARACTERS
const tag = v.pipe(
  text(256),
  v.check(isShort, `must have at most ${MAX_CHARACTERS} characters`),
  v.regex(/^[^\s#]+$/u, 'must not contain white space or #')
)
/** A group's name, id or the beginning of it, or link: links are the longest. */
const group = text(12_288)
/** A motion's id, or the beginning of it. */
const motion = v.pipe(text(59), v.regex(/^[a-z2-7]+$/, "must be a motion's id, or the beginning of it"))
/** Longest life of an address that lets a browser in, in ms: ten minutes. */
const MAX_OPEN_MS = 600_000
/** Longest life of an invite, in ms: a year. */
const MAX_INVITE_MS = 365 * 86_400_000
/** A file is named in full: the node does not run where its user stands. */
const file = v.pipe(text(4_096), v.regex(/^\/[^\0]*$/, 'must be an absolute path'))

/** What a picture shows. */
const alt = v.pipe(
  anyText(4_000),
  v.check((value) => [...value].length <= MAX_ALT, `must have at most ${MAX_ALT} characters`)
)
/** A file that was uploaded, and what it shows when it is a picture. */
const uploaded = v.strictObject({
  id: v.pipe(
    v.string("must be an uploaded file's id"),
    v.regex(/^[0-9a-f]{32}$/, "must be an uploaded file's id: 32 hexadecimal digits")
  ),
  alt: v.optional(alt)
})

/** Values of a query string are text: numbers and booleans are read from it. */
const countInQuery = v.pipe(
  v.string(),
  v.regex(/^\d{1,9}$/, `must be a whole number from 1 to ${MAX_LIMIT}`),
  v.transform(Number),
  whole(1, MAX_LIMIT)
)
const waitInQuery = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}$/, `must be a whole number of ms from 0 to ${MAX_WAIT_MS}`),
  v.transform(Number),
  whole(0, MAX_WAIT_MS)
)
const indexInQuery = v.pipe(
  v.string(),
  v.regex(/^\d{1,2}$/, `must be a whole number from 0 to ${MAX_FILES - 1}`),
  v.transform(Number),
  whole(0, MAX_FILES - 1)
)
const flagInQuery = v.pipe(
  v.picklist(['true', 'false'], 'must be true or false'),
  v.transform((value) => value === 'true'),
  v.boolean()
)

/** One schema a route, by the route's name. */
export const requests = {
  nothing: v.strictObject({}),
  open: v.strictObject({ expiresInMs: v.optional(whole(1, MAX_OPEN_MS)) }),
  profile: v.strictObject({
    name: v.optional(v.pipe(anyText(256), v.check(isShort, `must have at most ${MAX_CHARACTERS} characters`))),
    about: v.optional(anyText(4_096))
  }),
  post: v.strictObject({
    text: v.optional(text(MAX_TEXT_SIZE)),
    reply: v.optional(id),
    tags: v.optional(v.pipe(v.array(tag), v.maxLength(MAX_TAGS, `must be at most ${MAX_TAGS} tags`))),
    mentions: v.optional(v.pipe(v.array(who), v.maxLength(MAX_MENTIONS, `must be at most ${MAX_MENTIONS} people`))),
    expiresInMs: v.optional(whole(1, MAX_EXPIRES_MS)),
    to: v.optional(group),
    attach: v.optional(v.pipe(v.array(file), v.maxLength(MAX_FILES, `must be at most ${MAX_FILES} files`))),
    alts: v.optional(v.pipe(v.array(alt), v.maxLength(MAX_FILES, `must be at most ${MAX_FILES}`))),
    plain: v.optional(v.boolean('must be true or false')),
    files: v.optional(v.pipe(v.array(uploaded), v.maxLength(MAX_FILES, `must be at most ${MAX_FILES} files`)))
  }),
  feed: v.strictObject({
    who: v.optional(who),
    in: v.optional(group),
    limit: v.optional(countInQuery),
    before: v.optional(id),
    tag: v.optional(tag),
    mentions: v.optional(who),
    search: v.optional(text(512)),
    follow: v.optional(flagInQuery),
    all: v.optional(flagInQuery)
  }),
  entry: v.strictObject({ id }),
  thread: v.strictObject({ id, waitMs: v.optional(waitInQuery) }),
  fetchEntry: v.strictObject({ id, index: v.optional(indexInQuery) }),
  entryFile: v.strictObject({ id, index: v.optional(indexInQuery) }),
  upload: v.strictObject({
    name: text(MAX_FILE_NAME_SIZE),
    mime: v.optional(v.pipe(text(255), v.regex(/^[\w.+-]+\/[\w.+-]+$/, 'must be a media type')))
  }),
  discard: v.strictObject({ id: uploaded.entries.id }),
  saveEntry: v.strictObject({ id, file }),
  react: v.strictObject({ id, emoji: text(32) }),
  person: v.strictObject({ who }),
  device: v.strictObject({ device: who }),
  name: v.strictObject({ who, petname: text(256) }),
  invite: v.strictObject({
    expiresInMs: v.optional(whole(1_000, MAX_INVITE_MS)),
    ask: v.optional(v.boolean('must be true or false'))
  }),
  look: v.strictObject({ with: text(4_096) }),
  meet: v.strictObject({ with: text(4_096), name: v.optional(text(256)) }),
  accept: v.strictObject({ who, name: v.optional(text(256)) }),
  introduce: v.strictObject({ one: who, other: who }),
  newGroup: v.strictObject({
    name: v.pipe(text(256), v.check(isShort, `must have at most ${MAX_CHARACTERS} characters`)),
    quorum: v.optional(text(64)),
    open: v.optional(v.boolean('must be true or false')),
    history: v.optional(v.boolean('must be true or false'))
  }),
  group: v.strictObject({ group }),
  groupLink: v.strictObject({ link: group }),
  groupPerson: v.strictObject({ group, who }),
  candidates: v.strictObject({ group, who: v.optional(who) }),
  groupRule: v.strictObject({ group, rule: text(64) }),
  groupMotion: v.strictObject({ group, motion }),
  motions: v.strictObject({ group, motion: v.optional(motion) }),
  message: v.strictObject({
    who,
    text: v.optional(text(MAX_MESSAGE_SIZE)),
    attach: v.optional(file),
    alt: v.optional(alt),
    plain: v.optional(v.boolean('must be true or false')),
    file: v.optional(uploaded),
    reply: v.optional(messageId),
    expiresInMs: v.optional(whole(1, MAX_EXPIRES_MS))
  }),
  messages: v.strictObject({
    who: v.optional(who),
    limit: v.optional(countInQuery),
    follow: v.optional(flagInQuery)
  }),
  oneMessage: v.strictObject({ id: messageId }),
  newConversation: v.strictObject({
    name: v.optional(anyText(256)),
    people: v.pipe(
      v.array(who),
      v.minLength(1, 'must not be empty'),
      v.maxLength(31, 'must be at most 31 people: make a group for more')
    )
  }),
  conversation: v.strictObject({ which: who }),
  conversationPerson: v.strictObject({ which: who, who }),
  conversationName: v.strictObject({ which: who, name: anyText(256) }),
  conversationTimer: v.strictObject({ whom: who, timerMs: v.optional(whole(1, MAX_EXPIRES_MS)) }),
  readMessages: v.strictObject({
    ids: v.pipe(v.array(messageId), v.minLength(1), v.maxLength(MAX_LIMIT, `must be at most ${MAX_LIMIT} messages`))
  }),
  saveMessage: v.strictObject({ id: messageId, file }),
  reactToMessage: v.strictObject({ id: messageId, emoji: text(32) }),
  store: v.strictObject({ store: v.picklist(['all', 'groups', 'own', 'none'], 'must be all, groups, own or none') }),
  config: v.strictObject({
    key: v.picklist(SETTING_KEYS, `must be one of ${SETTING_KEYS.join(', ')}`),
    value: v.nullable(v.union([v.boolean(), text(64)], 'must be text, true, false or null'))
  }),
  quota: v.strictObject({ quota: whole(0, Number.MAX_SAFE_INTEGER) }),
  export: v.strictObject({
    file,
    who: v.optional(v.pipe(v.array(who), v.maxLength(1_000, 'must be at most 1000 people')))
  }),
  import: v.strictObject({ file }),
  code: v.strictObject({ code: v.pipe(v.string('must be text'), v.regex(/^[\w-]{43}$/, 'must have 43 characters')) })
} as const

/**
 * Checks an input against its schema.
 * @throws NodeError BAD_INPUT, naming the field and what was expected
 */
export function parseRequest<S extends v.GenericSchema>(schema: S, input: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, input, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const field = v.getDotPath(issue)
  if (field === null) throw new NodeError('BAD_INPUT', 'expected a JSON object')
  const message = issue.type === 'strict_object' ? strayField(issue) : issue.message
  throw new NodeError('BAD_INPUT', `${field} ${message}`)
}

function strayField(issue: v.BaseIssue<unknown>): string {
  return issue.expected === 'never' ? 'is not known here' : 'is missing'
}
