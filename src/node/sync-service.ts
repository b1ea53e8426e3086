// Runs /comrade/sync/1, which carries feeds, on every connection.
import type { Libp2p, PeerId } from '@libp2p/interface'
import { FeedClaims, type FeedState, type FeedStore, SyncSession } from '../feeds/index.ts'
import { SessionService, type SessionServiceOptions } from './session-service.ts'

export const SYNC_PROTOCOL = '/comrade/sync/1'

export interface SyncServiceOptions extends Pick<SessionServiceOptions<SyncSession>, 'isBlocked' | 'onFault'> {
  libp2p: Libp2p
  store: FeedStore
  isPacked: boolean
  /** The device at the other end, if it was recognised. */
  deviceOf: (peerId: PeerId) => Uint8Array | undefined
  /** A session has compared and fetched everything that differed at its start. */
  onSettled: (peerId: PeerId, session: SyncSession) => void
  /** A session has come further. Called often. */
  onProgress: () => void
  onEnded: (session: SyncSession) => void
}

/** What the sessions know of their peers is stored when they end. */
export function syncService({
  store,
  isPacked,
  deviceOf,
  onProgress,
  ...common
}: SyncServiceOptions): SessionService<SyncSession> {
  const claims = new FeedClaims()
  return new SessionService({
    ...common,
    protocol: SYNC_PROTOCOL,
    makeSession: (stream, { peerId, ...place }) =>
      new SyncSession(store, stream, {
        ...place,
        peer: peerId.toString(),
        claims,
        isPacked,
        onProgress,
        peerFeed: () => deviceOf(peerId)
      })
  })
}

/** Fetches what was heard of elsewhere, from this peer or any other that shares the feed. */
export function pull(service: SessionService<SyncSession>, feed: FeedState, height: number, from: PeerId): void {
  const sessions = [service.sessionOf(from), ...service.sessions]
  for (const session of sessions) session?.pull(feed, height)
}
