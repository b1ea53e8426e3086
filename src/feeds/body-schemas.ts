// The body types that the node itself understands. A schema decides what this node writes and shows, never what it
// accepts from others: a body that fails it is stored and relayed like one of an unknown type.
import { CID } from 'multiformats/cid'
import * as v from 'valibot'

/** Highest value of a header's seq. */
const MAX_SEQ = 0xffff_ffff
/** Highest value of a header's time, Unix ms. */
const MAX_TIME = 2 ** 48 - 1

// Each message says what is expected, as errors of encodeBody quote it.
const text = v.string('text')
const bytes = (size: number) => v.pipe(v.instance(Uint8Array, `${size} bytes`), v.length(size, `${size} bytes`))
const link = v.instance(CID, 'a link (CID)')

function name(characters: number) {
  const expected = `text of 1 to ${characters} characters`
  return v.pipe(
    v.string(expected),
    v.check((value) => isLength(value, 1, characters), expected)
  )
}

function integer(low: number, high: number) {
  const expected = `an integer from ${low} to ${high}`
  return v.pipe(v.number(expected), v.safeInteger(expected), v.minValue(low, expected), v.maxValue(high, expected))
}

function list<Item extends v.GenericSchema>(item: Item) {
  return v.array(item, 'a list')
}

const DID_EXPECTED = 'the did:key of an Ed25519 key'
const did = v.pipe(v.string(DID_EXPECTED), v.regex(/^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/, DID_EXPECTED))
const EMOJI_EXPECTED = 'an emoji of 1 to 32 bytes'
const emoji = v.pipe(v.string(EMOJI_EXPECTED), v.minBytes(1, EMOJI_EXPECTED), v.maxBytes(32, EMOJI_EXPECTED))
/** Set by the one who encodes the body when it is absent; always there in an entry. */
const salt = v.optional(bytes(16))

/** What is said of an attached file. */
const fileSchema = v.looseObject({
  /** 1 to 255 characters. */
  name: name(255),
  /** In bytes. */
  size: integer(0, Number.MAX_SAFE_INTEGER),
  /** Opens the blob: in a post to a group, whose files are sealed. */
  key: v.optional(bytes(32)),
  /** Media type. */
  mime: v.optional(text),
  /** What a picture shows, for those who do not see it: 1 to 1,000 characters. */
  alt: v.optional(name(1_000))
})

/** A post to whoever reads the feed. */
export const postSchema = v.looseObject({
  type: v.literal('post'),
  salt,
  text,
  /** The entry that this one answers. */
  reply: v.optional(link),
  /** The first entry of the thread. */
  root: v.optional(link),
  /** People who are spoken to: did:key. */
  mentions: v.optional(list(did)),
  /** Without '#', 1 to 64 characters each. */
  tags: v.optional(list(name(64))),
  /** Manifests of attached files. */
  blobs: v.optional(list(link)),
  /** What these files are called, in the same order. */
  files: v.optional(list(fileSchema)),
  /** Unix ms from which holders drop the body. */
  expires: v.optional(integer(0, MAX_TIME))
})

/** How somebody wants to be shown; the newest of a feed counts. */
export const profileSchema = v.looseObject({
  type: v.literal('profile'),
  salt,
  name: v.optional(name(64)),
  about: v.optional(text)
})

/** What its author decided about another person. Sealed to the own devices. */
export const contactSchema = v.looseObject({
  type: v.literal('contact'),
  salt,
  contact: did,
  /** Absent: nothing is decided about it here. */
  relation: v.optional(v.picklist(['friend', 'followed', 'blocked', 'none'], 'friend, followed, blocked or none')),
  /** Petname; null takes it away. */
  name: v.optional(v.nullable(name(64))),
  /** Unix ms of the decision, which may be written later; absent: the entry's time. */
  at: v.optional(integer(0, MAX_TIME))
})

/** An answer of one emoji. */
export const reactionSchema = v.looseObject({
  type: v.literal('reaction'),
  salt,
  to: link,
  /** 1 to 32 bytes of UTF-8. */
  emoji
})

/**
 * Asks every holder to drop the bodies of earlier entries of the same feed. They are named by seq and not by id: so
 * nobody can even write down a request against another's feed, it works for an entry whose id one no longer knows,
 * and a year's worth of posts fits into one body.
 */
export const eraseSchema = v.looseObject({
  type: v.literal('erase'),
  salt,
  seq: v.pipe(list(integer(1, MAX_SEQ)), v.minLength(1, 'a list of at least one seq'))
})

/** In an identity's log: this device speaks for me. */
export const deviceAddSchema = v.looseObject({
  type: v.literal('device/add'),
  salt,
  /** The device's public key, which is its feed's id. */
  device: bytes(32),
  name: name(64),
  /** The device's own signature: it consents. */
  consent: bytes(64)
})

/** In an identity's log: this device no longer speaks for me. */
export const deviceRevokeSchema = v.looseObject({
  type: v.literal('device/revoke'),
  salt,
  device: bytes(32),
  /** The last seq of the device's feed that still counts; 0 for none. */
  last: integer(0, MAX_SEQ)
})

export type Post = v.InferOutput<typeof postSchema>
export type Profile = v.InferOutput<typeof profileSchema>
export type Contact = v.InferOutput<typeof contactSchema>
export type Reaction = v.InferOutput<typeof reactionSchema>
export type Erase = v.InferOutput<typeof eraseSchema>
export type DeviceAdd = v.InferOutput<typeof deviceAddSchema>
export type DeviceRevoke = v.InferOutput<typeof deviceRevokeSchema>
export type KnownBody = Post | Profile | Contact | Reaction | Erase | DeviceAdd | DeviceRevoke

/** The schema of each known type, by its name. */
export const bodySchemas = new Map<string, v.GenericSchema<KnownBody>>([
  ['post', postSchema],
  ['profile', profileSchema],
  ['contact', contactSchema],
  ['reaction', reactionSchema],
  ['erase', eraseSchema],
  ['device/add', deviceAddSchema],
  ['device/revoke', deviceRevokeSchema]
])

/** Length in characters (code points). */
function isLength(text: string, low: number, high: number): boolean {
  if (text.length > high * 2) return false // a character has at most two code units
  const count = [...text].length
  return count >= low && count <= high
}
