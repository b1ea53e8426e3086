// A fork: two entries at one seq of one feed, each under a valid signature. The proof needs nothing but itself.
import { checkHeader, decodeHeader, entryId, HEADER_SIZE, type Header, KEY_SIZE, SIGNATURE_SIZE } from './entry.ts'
import { FeedError } from './errors.ts'
import { MAX_RUN_ENTRIES } from './run.ts'
import { verifySignature } from './signature.ts'

/** Headers from the fork on up to the first signed one, and its signature. */
export interface Branch {
  headers: Uint8Array[]
  signature: Uint8Array
}

export interface ForkProof {
  feed: Uint8Array
  /** The branch whose first entry has the lower id stands first, so that one fork has one proof. */
  branches: [Branch, Branch]
}

/** Puts two branches that differ from their first header on into their order. */
export function proveFork(feed: Uint8Array, one: Branch, other: Branch): ForkProof {
  const inOrder = Buffer.compare(entryId(one.headers[0]), entryId(other.headers[0])) < 0
  return { feed, branches: inOrder ? [one, other] : [other, one] }
}

/**
 * Checks a proof: both branches are chains of the same feed from the same seq on, they differ from the first entry
 * on, and each ends in a valid signature of the feed.
 * @returns the seq at which the feed forked
 * @throws FeedError FORK_PROOF, or the code of what is wrong inside
 */
export function verifyForkProof(proof: ForkProof): number {
  const [one, other] = proof.branches.map((branch) => verifyBranch(proof.feed, branch))
  if (one.seq !== other.seq)
    throw new FeedError('FORK_PROOF', `the branches begin at seq ${one.seq} and ${other.seq}: a fork is at one seq`)
  if (Buffer.compare(one.prev, other.prev) !== 0)
    throw new FeedError('FORK_PROOF', 'the branches follow different entries: the fork lies further back')
  if (Buffer.compare(one.id, other.id) >= 0)
    throw new FeedError('FORK_PROOF', 'the branches are the same, or not in order')
  return one.seq
}

function verifyBranch(feed: Uint8Array, branch: Branch): Header & { id: Uint8Array } {
  const headers = branch.headers.map(decodeHeader)
  const ids = branch.headers.map(entryId)
  headers.forEach((header, i) => {
    checkHeader(header)
    const isNext = i === 0 || (header.seq === headers[i - 1].seq + 1 && Buffer.compare(header.prev, ids[i - 1]) === 0)
    if (Buffer.compare(header.feed, feed) !== 0 || !isNext)
      throw new FeedError('FORK_PROOF', `header ${i} of a branch does not continue it`)
  })
  verifySignature(feed, ids[ids.length - 1], branch.signature)
  return { ...headers[0], id: ids[0] }
}

/** feed (32) ‖ for each branch: count u8 ‖ headers (112 each) ‖ signature (64). */
export function encodeForkProof(proof: ForkProof): Uint8Array {
  const parts = proof.branches.flatMap((branch) => [
    Uint8Array.of(branch.headers.length),
    ...branch.headers,
    branch.signature
  ])
  return Buffer.concat([proof.feed, ...parts])
}

/** @throws FeedError FORK_PROOF when the bytes are not laid out like a proof */
export function decodeForkProof(bytes: Uint8Array): ForkProof {
  const feed = bytes.subarray(0, KEY_SIZE)
  const first = decodeBranch(bytes, KEY_SIZE)
  const second = decodeBranch(bytes, first.end)
  if (second.end !== bytes.length)
    throw new FeedError('FORK_PROOF', `${bytes.length - second.end} bytes after a fork proof`)
  return { feed, branches: [first.branch, second.branch] }
}

function decodeBranch(bytes: Uint8Array, offset: number): { branch: Branch; end: number } {
  const count = bytes[offset]
  const end = offset + 1 + count * HEADER_SIZE + SIGNATURE_SIZE
  if (!(count >= 1 && count <= MAX_RUN_ENTRIES && end <= bytes.length)) {
    throw new FeedError('FORK_PROOF', `a branch of a fork proof has 1 to ${MAX_RUN_ENTRIES} headers and a signature`)
  }
  const headers = Array.from({ length: count }, (_, i) =>
    bytes.subarray(offset + 1 + i * HEADER_SIZE, offset + 1 + (i + 1) * HEADER_SIZE)
  )
  return { branch: { headers, signature: bytes.subarray(end - SIGNATURE_SIZE, end) }, end }
}
