// Files that belong to posts and messages, as a node offers them. Types only.

/** A file that came with something, or goes with it. */
export interface Attachment {
  /** CIDv1 of its blob's manifest, from `bafyrei` on. */
  id: string
  /** One name without a path. Safe to print only after escaping. */
  name: string
  /** In bytes. */
  size: number
  /** Media type, as its sender says. */
  mime?: string
  /** What a picture shows, in words for those who do not see it. */
  alt?: string
  /** Whether all of it is on this device. */
  isHere: boolean
}

export interface OpenedAttachment extends Attachment {
  /** Its bytes, from the beginning. */
  read(): AsyncIterable<Uint8Array>
}

/**
 * A file of this machine, bytes and what to call them, or what {@link Files.upload} gave. The type of a picture follows from
 * its file's name, if none is given.
 */
export type AttachmentSource = (
  | { file: string; name?: string; mime?: string }
  | { data: Uint8Array; name: string; mime?: string }
  | { upload: string }
) & {
  /** What a picture shows, in up to 1,000 characters. */
  alt?: string
  /**
   * Leave out what a JPEG, PNG or WebP holds beside what is seen, such as the place where it was taken. Refused for other
   * files; of an uploaded one its caller has taken care. @default false
   */
  isPlain?: boolean
}

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
  /** What a picture shows, in words for those who do not see it. */
  alt?: string
  /** Whether all of it is on this device. */
  isHere: boolean
}

export interface UploadOptions {
  /** As the file is called; of a path only its last part counts. */
  name: string
  /** In bytes: `source` gives exactly so many. */
  size: number
  /** @default that of a picture, by its name */
  mime?: string
}

/** A file that was handed over, and is not attached yet. */
export interface Upload {
  /** What it is attached by: 32 hexadecimal digits. */
  id: string
  name: string
  size: number
  mime?: string
  /** ISO 8601: it is let go then, when it is not attached to anything. */
  expires: string
}

/** A file of somebody else's on its way here. */
export interface FileProgress {
  /** Of its blob, as {@link Attachment.id}. */
  id: string
  /** 'waiting': nobody who has it is connected, or others come first. 'dropped': nothing is about it any more. */
  state: 'waiting' | 'coming' | 'here' | 'dropped'
  /** In bytes. A private file's are those of its sealed form, which is larger. */
  have: number
  /** In bytes; 0 when it is not known yet. */
  size: number
}

/** Files that are on their way: from the user into something that they write, and from others to here. */
export interface Files {
  /**
   * Takes a file that is to be attached later, as it comes. On the disk it is sealed under a key that is only in memory. It is
   * let go after an hour, and when the node stops.
   * @throws NodeError BAD_INPUT when it is empty, has more than 64 MiB less 16 KiB, or not the size that was said; BUSY;
   * DISK_FULL; what `source` throws
   */
  upload(source: AsyncIterable<Uint8Array>, options: UploadOptions): Promise<Upload>
  /** Lets go of one that is not to be attached after all. @returns whether it was here */
  discard(id: string): boolean
  /** Files of others that are wanted and not here. */
  coming(): FileProgress[]
}
