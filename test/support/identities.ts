// Identities without a node, for tests of what they show to others: keys, a log, and cards.
import type { PeerId } from '@libp2p/interface'
import { type Body, packFeed, type SigningKey } from '../../src/feeds/index.ts'
import { type CardInit, makeCard } from '../../src/node/card.ts'
import { deviceAddBody, deviceRevokeBody } from '../../src/trust/index.ts'
import { Author, keyOf, temporaryStore, want } from './feeds.ts'

export interface TestIdentity {
  root: SigningKey
  device: SigningKey
  /** The identity log, packed. */
  log: Uint8Array
  /** As they would show it. */
  card(peers: { holder: PeerId; reader: PeerId }, change?: Partial<CardInit>): Record<string, unknown>
}

/** An identity with one device. @param options.isRevoked whether its log ends that device */
export function identityOf(name: string, { isRevoked = false }: { isRevoked?: boolean } = {}): TestIdentity {
  const author = new Author(`root of ${name}`)
  const device = keyOf(`device of ${name}`)
  const bodies: Body[] = [deviceAddBody(author.key.publicKey, device, 'device')]
  if (isRevoked) bodies.push(deviceRevokeBody(device.publicKey, 0))
  const log = logOf(author, bodies)
  const root = author.key.publicKey
  return {
    root: author.key,
    device,
    log,
    card: (peers, change) => makeCard({ root, device, log, addresses: [], name, ...change }, peers)
  }
}

/** The packed log of a root key that has written these bodies. */
export function logOf(author: Author, bodies: Body[]): Uint8Array {
  using test = temporaryStore()
  want(test.store, author.key)
  test.store.ingest(author.write(...bodies))
  return packFeed(test.store, test.store.feed(author.key.publicKey)!)
}
