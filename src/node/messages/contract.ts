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
  /** 'text', 'reaction', 'attachment', a type that this program does not know, or 'erased'. */
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
  /** When it is erased at both ends; ISO 8601. */
  expires?: string
  /** Something that was written before it has not come. */
  isAfterGap?: true
}

/** A file that came with a message, or goes with one. */
export interface Attachment {
  /** One name without a path. Safe to print only after escaping. */
  name: string
  /** In bytes. */
  size: number
  /** Media type, as its sender says. */
  mime?: string
  /** Whether all of it is on this device. */
  isHere: boolean
}

export interface OpenedAttachment extends Attachment {
  /** Its bytes, from the beginning; they are decrypted as they are read. */
  read(): AsyncIterable<Uint8Array>
}

/** A file of this machine, or bytes and what to call them. */
export type AttachmentSource =
  | { file: string; name?: string; mime?: string }
  | { data: Uint8Array; name: string; mime?: string }

export interface AttachmentOptions {
  signal?: AbortSignal
  /** How far it has come, in bytes. */
  onProgress?: (progress: { have: number; size: number }) => void
}

export interface MessageDraft {
  /** May be left out where a file is attached. */
  text?: string
  attachment?: AttachmentSource
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
  save(id: string, path: string, options?: AttachmentOptions): Promise<{ id: string; file: string; bytes: number }>
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
