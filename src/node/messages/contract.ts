// What a node offers for private messages: `node.messages`. Types only, so that the API and the command line can load it.

import type { NameNote } from '../../trust/index.ts'

/** How far a message has come; of one that somebody else wrote: whether this user has read it. */
export type DeliveryState = 'queued' | 'mailed' | 'delivered' | 'read'

export interface Message {
  /** 32 hexadecimal digits. */
  id: string
  /** `did:key:…` of who wrote it. */
  from: string
  to: string
  /** What to call who wrote it: petname, else claimed name, else a short key tag. Safe to print only after escaping. */
  name: string
  /** What may mislead about the name, when it is one that they claim. Empty: nothing. */
  warnings: NameNote[]
  /** ISO 8601, by the clock of who wrote it, and no later than it came. */
  time: string
  /** 'text', 'reaction', a type that this program does not know, or 'erased'. */
  type: string
  text?: string
  /** Id of the message that it answers. */
  reply?: string
  /** Of a reaction: the id of what it is about, and what it says. */
  about?: string
  emoji?: string
  /** 'queued': not delivered yet. 'mailed': at a mailbox. 'delivered': a device of the recipient has it. 'read': they said so. */
  state: DeliveryState
  /** When it is erased at both ends; ISO 8601. */
  expires?: string
  /** Something that was written before it has not come. */
  isAfterGap?: true
}

export interface MessageDraft {
  text: string
  /** Id of the message that it answers. */
  reply?: string
  /** Ask both ends to erase it after this time, in ms. */
  expiresInMs?: number
}

export interface MessageListOptions {
  /** A did, or a person as {@link Contacts.find} understands it. @default everybody */
  with?: string
  /** @default 50 */
  limit?: number
  /** Go on with what comes and changes, after the stored ones. @default false */
  live?: boolean
  signal?: AbortSignal
}

export interface Messages {
  /**
   * Writes to a person. Resolves when the message is on the disk: it is delivered as soon as one of their devices can be
   * reached, however long that takes.
   * @throws NodeError BAD_INPUT for oneself, for whom one does not follow or has blocked, and for a text that is empty or
   *   longer than 28,000 bytes; WHO_UNKNOWN, WHO_AMBIGUOUS; NOT_FOUND for a reply to nothing; UNAVAILABLE where libsignal
   *   cannot be loaded
   */
  send(who: string, draft: MessageDraft): Promise<Message>
  /** Reacts to a message. @throws NodeError NOT_FOUND, BAD_INPUT, UNAVAILABLE */
  react(id: string, emoji: string): Promise<Message>
  /** Stored messages, newest first; then, with `live`, what comes and what changes its state. */
  list(options?: MessageListOptions): AsyncIterable<Message>
  /**
   * Notes that the user has read messages. With the setting `readReceipts` their authors are told.
   * @throws NodeError NOT_FOUND, NOT_OWN for an own one: then nothing is noted
   */
  read(...ids: string[]): Promise<Message[]>
  /**
   * Erases a message here. Of one's own, all devices that have it are asked to do the same.
   * @throws NodeError NOT_FOUND
   */
  erase(id: string): Promise<{ id: string; erased: true }>
}
