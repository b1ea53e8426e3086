// What tests of files ask of running nodes.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Comrade } from '../../../src/index.ts'
import { BLOB_PROTOCOL } from '../../../src/node/blobs/blob-service.ts'
import { framedStream } from '../../../src/node/frames.ts'

/** Names of the files in which a node's blobs lie. */
export function blobsAt(node: Comrade): string[] {
  return readdirSync(join(node.home, 'blobs'))
}

/** What a node answers to one frame of another one; undefined when it ends the stream. */
export async function asked(from: Comrade, to: Comrade, frame: Uint8Array): Promise<Uint8Array | undefined> {
  const stream = await from.libp2p.dialProtocol(peerIdFromString(to.peerId), BLOB_PROTOCOL)
  const messages = framedStream(stream)
  try {
    await messages.send(frame)
    for await (const answer of messages.receive()) return answer
  } catch {
    return undefined
  } finally {
    messages.abort(new Error('done'))
  }
  return undefined
}
