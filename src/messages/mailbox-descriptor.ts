// What somebody gives a contact so that it can leave messages: at whose nodes there is a queue, and what writes to it.
// It travels inside of messages and of answers to a contact's questions, never in the open.
import * as v from 'valibot'
import { decodeCbor, encodeCbor } from '../feeds/index.ts'
import { MessageError } from './errors.ts'
import { MAILBOX_KEY_SIZE } from './mailbox-key.ts'

/** Hosts that one descriptor names. */
export const MAX_MAILBOX_HOSTS = 4
const MAX_HOST_ADDRESSES = 4
/** Of an encoded descriptor, in bytes. */
export const MAX_DESCRIPTOR_SIZE = 4_096
/** So that a descriptor is a short message like any other. */
const MAX_TEXT = 128

/** One queue, as its writer knows it. */
export interface MailboxPlace {
  /** Peer id of the host. */
  peer: string
  /** Multiaddrs of the host; unchecked but for their size. */
  addresses: string[]
  /** The host's X25519 public key. */
  key: Uint8Array
  /** X25519 secret of the id that may write. */
  secret: Uint8Array
}

/** The queues that a person's device has for one contact. */
export interface MailboxDescriptor {
  hosts: MailboxPlace[]
}

const text = v.pipe(v.string(), v.maxLength(MAX_TEXT))
const key = v.pipe(
  v.instance(Uint8Array),
  v.check((bytes) => bytes.length === MAILBOX_KEY_SIZE, `expected ${MAILBOX_KEY_SIZE} bytes`)
)
const place = v.object({
  peer: text,
  addresses: v.pipe(v.array(text), v.maxLength(MAX_HOST_ADDRESSES)),
  key,
  secret: key
})
const descriptor = v.object({ v: v.literal(1), hosts: v.pipe(v.array(place), v.maxLength(MAX_MAILBOX_HOSTS)) })

/** Canonical DAG-CBOR; of more hosts or addresses than may be named, the first ones. */
export function encodeDescriptor({ hosts }: MailboxDescriptor): Uint8Array {
  const named = hosts.slice(0, MAX_MAILBOX_HOSTS).map((each) => ({
    ...each,
    addresses: each.addresses.filter(({ length }) => length <= MAX_TEXT).slice(0, MAX_HOST_ADDRESSES)
  }))
  return encodeCbor({ v: 1, hosts: named })
}

/** @throws MessageError DESCRIPTOR */
export function decodeDescriptor(bytes: Uint8Array): MailboxDescriptor {
  try {
    const { hosts } = v.parse(descriptor, decodeCbor(bytes))
    return { hosts }
  } catch (error) {
    throw new MessageError('DESCRIPTOR', `not a descriptor of mailboxes: ${(error as Error).message}`, { cause: error })
  }
}
