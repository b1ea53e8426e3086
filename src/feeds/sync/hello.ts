// What both sides of a session say first, and whether by that they go on from where they were the last time.
import { randomBytes } from 'node:crypto'
import type { FeedStore } from '../store/store.ts'
import { NONCE_SIZE } from './blind.ts'
import type { Hello } from './messages.ts'
import { MAX_RESUMES, type PeerMemory, resumeTag } from './peer-memory.ts'

/** @param remembered what is known of the peer from the last time */
export function makeHello(store: FeedStore, remembered: PeerMemory | undefined): Hello {
  const hello: Hello = {
    takesPacked: true,
    nonce: new Uint8Array(randomBytes(NONCE_SIZE)),
    epoch: store.epoch,
    counter: store.counter
  }
  if (remembered !== undefined && remembered.resumed < MAX_RESUMES) {
    const tag = resumeTag([store.epoch, remembered.epoch], remembered.shared)
    hello.resume = { cursor: remembered.cursor, tag }
  }
  return hello
}

/** The same question with the same answer on both sides: it looks only at what both hellos say. */
export function mayResume(ours: Hello, theirs: Hello, remembered: PeerMemory): boolean {
  if (ours.resume === undefined || theirs.resume === undefined) return false
  if (theirs.resume.cursor > ours.counter || ours.resume.cursor > theirs.counter) return false
  return (
    Buffer.compare(remembered.epoch, theirs.epoch) === 0 && Buffer.compare(theirs.resume.tag, ours.resume.tag) === 0
  )
}
