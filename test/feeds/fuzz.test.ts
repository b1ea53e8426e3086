// Every decoder of what comes from outside, with random bytes and with real bytes that were changed: whatever it is given,
// it answers or throws a FeedError.
import assert from 'node:assert/strict'
import { zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { exportFeeds, importFeeds } from '../../src/feeds/archive.ts'
import { checkBody, decodeBody, encodeBody } from '../../src/feeds/body.ts'
import { decodeHeader, encodeHeader, validateEntry } from '../../src/feeds/entry.ts'
import { FeedError } from '../../src/feeds/errors.ts'
import { decodeForkProof, encodeForkProof, proveFork, verifyForkProof } from '../../src/feeds/fork.ts'
import { decodeGossip, encodeGossip, judgeGossip } from '../../src/feeds/gossip.ts'
import { checkRun, entriesOf, headersOf, type Run } from '../../src/feeds/run.ts'
import { FrameDecoder, framePrefix } from '../../src/feeds/sync/frame-queue.ts'
import * as message from '../../src/feeds/sync/messages.ts'
import { KIND } from '../../src/feeds/sync/messages.ts'
import { Reconciliation } from '../../src/feeds/sync/reconcile.ts'
import { Author, temporaryStore, texts, want } from '../support/feeds.ts'

/** Bound of each property. */
const LIMIT = { interruptAfterTimeLimit: 1_500, numRuns: 1_500, endOnFailure: true } as const

const author = new Author('fuzz')
const [run] = author.post('first', 'second', 'third')
const clone = author.clone()
const branches = [author.post('a'), clone.post('b')].map(([each]) => ({
  headers: headersOf(each, 4),
  signature: each.signature
}))
const proof = encodeForkProof(proveFork(author.key.publicKey, branches[0], branches[1]))
const entry = entriesOf(run)[2]
const header = Uint8Array.from(encodeHeader(entry))
const id = new Uint8Array(12).fill(1)
const head = new Uint8Array(8).fill(2)
const items = Array.from({ length: 40 }, (_, i) => ({
  id: new Uint8Array(12).fill(i + 1),
  height: i,
  head: i === 0 ? new Uint8Array(8) : head
}))
const runsFrame = message.encodeRuns(message.encodeRun(id, run))

function fails(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof FeedError)) throw error
  }
}

/** Real bytes with bytes changed, cut out, put in or left off, and random bytes. */
function hostile(...samples: Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    sample: fc.constantFrom(...samples),
    edits: fc.array(fc.record({ at: fc.nat(), bytes: fc.uint8Array({ maxLength: 9 }), cut: fc.nat(9) }), {
      minLength: 1,
      maxLength: 4
    }),
    length: fc.option(fc.nat())
  })
  const changed = change.map(({ sample, edits, length }) => {
    let bytes = Buffer.from(sample)
    for (const { at, bytes: put, cut } of edits) {
      const start = at % (bytes.length + 1)
      bytes = Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + cut)])
    }
    return Uint8Array.from(length === null ? bytes : bytes.subarray(0, length % (bytes.length + 1)))
  })
  return fc.oneof({ weight: 4, arbitrary: changed }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) })
}

function never(name: string, samples: Uint8Array[], decode: (bytes: Uint8Array) => unknown): void {
  it(name, () => {
    fc.assert(
      fc.property(hostile(...samples), (bytes) => fails(() => decode(bytes))),
      LIMIT
    )
  })
}

describe('nothing but a FeedError comes of hostile bytes given to', () => {
  const bodies = [
    { type: 'post', text: 'hello', tags: ['a', 'b'] },
    { type: 'erase', seq: [1, 2] },
    { type: 'x', deep: { a: [{ b: [1, null, true] }] } }
  ].map(encodeBody)
  never('bodies', bodies, (bytes) => {
    checkBody(bytes)
    decodeBody(bytes)
  })
  never('headers and entries', [header], (bytes) => {
    decodeHeader(bytes)
    validateEntry({ header: bytes, body: entry.body, signature: run.signature })
  })
  never('signatures', [run.signature], (signature) => validateEntry({ header, signature }))
  never('runs: records', [run.records], (records) => checkRun({ ...run, records }))
  never('runs: keys', [run.feed], (feed) => checkRun({ ...run, feed }))
  never('proofs of forks', [proof], (bytes) => verifyForkProof(decodeForkProof(bytes)))
  never('gossip', [encodeGossip(run)], decodeGossip)
  never(
    'hello',
    [
      message.encodeHello({
        takesPacked: true,
        nonce: new Uint8Array(16),
        epoch: new Uint8Array(8),
        counter: 9,
        resume: { cursor: 3, tag: head }
      })
    ],
    message.decodeHello
  )
  never('HAVE', [message.encodeHave(7, [{ id, height: 3, head }])], message.decodeHave)
  never('WANT', [message.encodeWant([{ id, from: 1, to: 9, isDown: true }])], message.decodeWant)
  never('RUNS', [runsFrame], (bytes) =>
    message.decodeRuns(bytes).map((each: Omit<Run, 'feed'>) => checkRun({ ...each, feed: run.feed }))
  )
  never(
    'DONE, CREDIT and POSITION',
    [message.encodeNumber(KIND.done, 4), message.encodeNumber(KIND.position, 2 ** 40)],
    message.decodeNumber
  )
  never('DROP and ERASED', [message.encodeDrop([id, id]), message.encodeErased(id, [1, 2])], (bytes) => [
    fails(() => message.decodeDrop(bytes)),
    message.decodeErased(bytes)
  ])
  never(
    'compressed frames',
    [
      message.packRuns(message.encodeRuns(Array.from({ length: 9 }, () => message.encodeRun(id, run)).flat())),
      Buffer.concat([Uint8Array.of(5, 0, 0, 4, 0), zstdCompressSync(Buffer.alloc(1_024, 4))])
    ],
    (bytes) => {
      assert.ok(message.unpackRuns(bytes).length <= message.MAX_UNPACKED_SIZE)
    }
  )
  never(
    'frames of a stream',
    [Buffer.concat([framePrefix(5), Buffer.alloc(5), framePrefix(300), Buffer.alloc(300)])],
    (bytes) => new FrameDecoder().push(bytes, () => {})
  )

  const opening = new Reconciliation(items.map((item) => ({ ...item, height: item.height * 2 }))).open()
  const answers = new Reconciliation(items).receive(opening)
  never('reconciliation: its beginning', [opening], (bytes) => new Reconciliation(items).receive(bytes))
  never('reconciliation: its answers', answers, (bytes) => {
    const side = new Reconciliation(items.map((item) => ({ ...item, height: item.height * 2 })))
    side.open()
    const replies = side.receive(bytes)
    assert.ok(replies.reduce((sum, reply) => sum + reply.length, 0) < 64 * 1_024)
  })

  it('archives', async () => {
    using from = temporaryStore()
    want(from.store, author.key)
    from.store.ingest([run])
    const archive = Buffer.concat([...exportFeeds(from.store, from.store.wantedFeeds())].map(({ chunk }) => chunk))
    await fc.assert(
      fc.asyncProperty(hostile(archive), async (bytes) => {
        const importing = importFeeds(
          from.store,
          (async function* () {
            yield bytes
          })()
        )
        await importing.catch((error: unknown) => assert.ok(error instanceof FeedError, String(error)))
      }),
      { ...LIMIT, numRuns: 300 }
    )
    assert.equal(from.store.feed(author.key.publicKey)!.height, 3)
  })

  it('gossip that a store judges, which stays as it is', () => {
    using held = temporaryStore()
    want(held.store, author.key)
    held.store.ingest([run])
    const [next] = new Author('fuzz').post(...texts(3))
    fc.assert(
      fc.property(hostile(encodeGossip(run), encodeGossip(next)), (bytes) => {
        judgeGossip(held.store, author.key.publicKey, bytes)
        assert.equal(held.store.arrival, 3)
      }),
      { ...LIMIT, numRuns: 500 }
    )
  })
})
