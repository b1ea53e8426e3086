// What tests of blobs have in common: stores in directories of their own, and two sides of a stream in memory.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlobCaller, BlobStore, giveBlob } from '../../src/blobs/index.ts'
import { type MessageStream, messageStreamPair } from '../../src/feeds/index.ts'

/** A directory that is removed at the end. */
export class Directory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'comrade-blobs-'))

  /** A store in it, as a new process would open it. */
  open(): BlobStore {
    return new BlobStore(this.path)
  }

  /** Of a blob's bytes. */
  fileOf(id: Uint8Array, end = ''): string {
    return join(this.path, Buffer.from(id).toString('hex') + end)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** Bytes that are the same every time, and in no two chunks. */
export function bytesOf(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(Math.ceil(size / 4) * 4)
  for (let at = 0; at < size; at += 4) bytes.writeUInt32LE((at * 2_654_435_761 + seed * 97) >>> 0, at)
  return bytes.subarray(0, size)
}

/** A source that gives what this store has. @param onRequest before each answer; it may throw */
export function sourceOf(
  store: BlobStore,
  onRequest: () => void = () => {}
): { caller: BlobCaller; stream: MessageStream } {
  const [ours, theirs] = messageStreamPair()
  giveBlob(theirs, { find: (id) => store.find(id), onRequest }).then(
    () => theirs.close(),
    (error: Error) => theirs.abort(error)
  )
  return { caller: new BlobCaller(ours), stream: ours }
}

export async function contentOf(store: BlobStore, id: Uint8Array): Promise<Buffer> {
  const blob = await store.find(id)
  return Buffer.concat(await Array.fromAsync(blob!.chunks()))
}
