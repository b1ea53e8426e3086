// Whether there is room for what others write. One's own does not ask.

/** Asked before anything of others is written to the disk. */
export interface Room {
  /** False: nothing of others is taken now. */
  readonly isLeft: boolean
  /** So many bytes of others are about to be written. @throws FeedError DISK_FULL when they may not be */
  take(bytes: number): void
}

/** Nothing but the disk itself sets a limit. */
export const ENDLESS_ROOM: Room = { isLeft: true, take: () => {} }
