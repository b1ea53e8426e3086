// What a node offers for private messages: `node.messages`. Types only, so that the API and the command line can load it.

import type { NameNote } from '../../trust/index.ts'
import type { Attachment, AttachmentOptions, AttachmentSource, OpenedAttachment, SavedFile } from '../blobs/contract.ts'

/** How far a message has come; of one that somebody else wrote: whether this user has read it. */
export type DeliveryState = 'queued' | 'mailed' | 'delivered' | 'read'

/** What to call somebody. */
export interface PersonName {
  did: string
  /** Petname, else claimed name, else a short key tag. Safe to print only after escaping. */
  name: string
  /** What may mislead about the name, when it is one that they claim. Empty: nothing. */
  warnings: NameNote[]
}

/** To whom an own message in a conversation of several goes, and how far it has come with them. */
export interface MessageRecipient extends PersonName {
  /** 'unreachable': they do not get it, since the user does not follow them, or since they have left before it came. */
  state: DeliveryState | 'unreachable'
}

/** What has become different in a conversation. */
export interface ConversationChange {
  added: PersonName[]
  removed: PersonName[]
  name?: string
  /** 0: messages are not erased by themselves any more. */
  timerMs?: number
}

export interface Message {
  /** 32 hexadecimal digits. */
  id: string
  /** `did:key:…` of who wrote it. */
  from: string
  /** The recipient's did; in a conversation of several its id, as in `conversation`. */
  to: string
  /** What to call who wrote it: petname, else claimed name, else a short key tag. Safe to print only after escaping. */
  name: string
  /** What may mislead about the name, when it is one that they claim. Empty: nothing. */
  warnings: NameNote[]
  /** ISO 8601, by the clock of who wrote it, and no later than it came. */
  time: string
  /** 'text', 'reaction', 'attachment', 'conversation' when something was agreed, an unknown type, or 'erased'. */
  type: string
  text?: string
  /** A file that belongs to it. */
  attachment?: Attachment
  /** Id of the message that it answers. */
  reply?: string
  /** Of a reaction: the id of what it is about, and what it says. */
  about?: string
  emoji?: string
  /** 'queued': not delivered yet. 'mailed': at a mailbox. 'delivered': a device of the recipient has it. 'read': they said so. */
  state: DeliveryState
  /** Id of the conversation of several that it is in: 32 hexadecimal digits. */
  conversation?: string
  /** Of an own message in a conversation of several. Its `state` is that of the one with whom it is least far. */
  recipients?: MessageRecipient[]
  /** Of type 'conversation'. */
  change?: ConversationChange
  /** When it is erased here; ISO 8601. At the other end it is kept for as long, from when it came. */
  expires?: string
  /** Something that was written before it has not come. */
  isAfterGap?: true
}

export interface MessageDraft {
  /** May be left out where a file is attached. */
  text?: string
  attachment?: AttachmentSource
  /** Id of the message that it answers. */
  reply?: string
  /** Ask both ends to erase it after this time, in ms. The conversation's timer holds where it is shorter. */
  expiresInMs?: number
}

export interface MessageListOptions {
  /** A person as {@link Contacts.find} understands it, or a conversation as {@link MessageConversations.get} does. @default all */
  with?: string
  /** @default 50 */
  limit?: number
  /** Go on with what comes and changes, after the stored ones. @default false */
  live?: boolean
  signal?: AbortSignal
}

/** A conversation of several people, at most 32. */
export interface Conversation {
  /** 32 hexadecimal digits. */
  id: string
  /** As its members call it. Empty: it has no name. Safe to print only after escaping. */
  name: string
  members: ConversationMember[]
  /** Whether the user belongs to it. Who has left can still read what came before. */
  isMember: boolean
  /** After how long messages are erased, in ms. */
  timerMs?: number
}

export interface ConversationMember extends PersonName {
  /** Whether what the user writes goes to them: only to those whom the user follows. */
  isReached: boolean
}

/**
 * Conversations of several. Each message goes from one to each other one, as those to one person do. All who belong to one may
 * change it. A conversation is named by its id, by `+` and the beginning of it, or by `+` and its name.
 */
export interface MessageConversations {
  /**
   * Begins a conversation.
   * @throws NodeError BAD_INPUT for more than 32 people, for one whom the user does not follow; WHO_UNKNOWN, WHO_AMBIGUOUS,
   *   UNAVAILABLE
   */
  create(draft: { name?: string; people: readonly string[] }): Promise<Conversation>
  list(): Conversation[]
  /** @throws NodeError WHO_UNKNOWN, WHO_AMBIGUOUS */
  get(which: string): Conversation
  /** Adds somebody, who gets what is written from then on. @throws NodeError as {@link create}, NOT_OWN for who left it */
  add(which: string, who: string): Promise<Conversation>
  /** Somebody gets nothing from then on. @throws NodeError as {@link add} */
  remove(which: string, who: string): Promise<Conversation>
  rename(which: string, name: string): Promise<Conversation>
  leave(which: string): Promise<Conversation>
  /** After how long messages are erased, with a person or in a conversation; in ms. @throws NodeError WHO_UNKNOWN, WHO_AMBIGUOUS */
  timer(whom: string): number | undefined
  /**
   * Agrees on it, for all messages from now on; undefined: they stay.
   * @throws NodeError BAD_INPUT for a time that is not from 1 ms to ten years; as {@link send}
   */
  setTimer(whom: string, timerMs: number | undefined): Promise<Message>
}

/** How messages go while devices are away. */
export interface MailboxPlaces {
  /** Peer ids of nodes that keep messages for this device. */
  hosts: string[]
  /** Dids of those who can be written to while they are away: their devices have said where. */
  people: string[]
}

export interface Messages {
  /** Those of several people, and timers of all. */
  readonly conversations: MessageConversations
  /**
   * Writes to a person or in a conversation. Resolves when the message is on the disk: it is delivered as soon as one of their devices can be
   * reached, however long that takes.
   * @throws NodeError BAD_INPUT for oneself, for whom one does not follow or has blocked, and for a text that is empty or
   *   longer than 28,000 bytes, or a file that cannot be read or is larger than 67,092,480 bytes; WHO_UNKNOWN, WHO_AMBIGUOUS; NOT_FOUND for a reply to nothing; UNAVAILABLE where libsignal
   *   cannot be loaded
   */
  send(who: string, draft: MessageDraft): Promise<Message>
  /**
   * Waits until all of the file is here that belongs to a message, and opens it. It comes from a device of who wrote the
   * message, or of another one that has it, when both are connected.
   * @throws NodeError NOT_FOUND when there is no such message or no file; whatever `signal` was aborted with
   */
  attachment(id: string, options?: AttachmentOptions): Promise<OpenedAttachment>
  /**
   * Writes it into a file, once all of it is here.
   * @param path absolute: of a file that is not there yet, or a directory, in which it gets its own name
   * @throws NodeError NOT_FOUND, BAD_INPUT
   */
  save(id: string, path: string, options?: AttachmentOptions): Promise<SavedFile>
  /** Reacts to a message. @throws NodeError NOT_FOUND, BAD_INPUT, UNAVAILABLE */
  react(id: string, emoji: string): Promise<Message>
  /** With whom a user means: a person's did, or a conversation's id. @throws NodeError WHO_UNKNOWN, WHO_AMBIGUOUS */
  find(who: string): string
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
  /** How messages go while this device, or those of others, are away. */
  mailboxes(): Promise<MailboxPlaces>
}
