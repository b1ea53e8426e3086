// Files that belong to posts and messages, as a node offers them. Types only.

/** A file that came with something, or goes with it. */
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
  /** Its bytes, from the beginning. */
  read(): AsyncIterable<Uint8Array>
}

/** A file of this machine, or bytes and what to call them. The type of a picture follows from its file's name, if none is given. */
export type AttachmentSource =
  | { file: string; name?: string; mime?: string }
  | { data: Uint8Array; name: string; mime?: string }

export interface AttachmentOptions {
  signal?: AbortSignal
  /** How far it has come, in bytes. */
  onProgress?: (progress: { have: number; size: number }) => void
  /** Nobody asked for it by name: it comes only when there is room for it. @default false */
  isUnasked?: boolean
}

export interface PostFileOptions extends AttachmentOptions {
  /** Only this one, from 0 on. @default all files of the post */
  index?: number
}

/** Where a file was written. */
export interface SavedFile {
  /** Of the message or post. */
  id: string
  file: string
  bytes: number
}

/** A file that a post says it has. */
export interface PostFile {
  /** CIDv1 of its manifest, from `bafyrei` on. */
  id: string
  /** One name without a path. Safe to print only after escaping. */
  name: string
  /** In bytes, as its author says. */
  size: number
  mime?: string
}
