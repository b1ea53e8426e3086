import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { eraseBodies, type CheckedRun, checkRun } from '../../src/feeds/run.ts'
import { migrate, openDatabase } from '../../src/feeds/store/database.ts'
import { Indexer } from '../../src/feeds/store/indexer.ts'
import { entriesBetween, entryById, timeline } from '../../src/feeds/store/reader.ts'
import { FEEDS_MIGRATIONS } from '../../src/feeds/store/schema.ts'
import { FeedStore, type WantedFeed } from '../../src/feeds/store/store.ts'
import { Trimmer } from '../../src/feeds/store/trimmer.ts'
import { Author, connect, contentsOf, cut, deliver, temporaryStore, texts, until } from '../support/feeds.ts'

type Limits = Pick<WantedFeed, 'newest' | 'last' | 'maxBytes' | 'isWhole'>

const posts = (count: number, word = 'post') => texts(count, word).map((text) => ({ type: 'post', text }))
const author = new Author('limited')
const all = author.writeSingly(...posts(200, 'a text that is long enough to be worth erasing'))

function limit(store: FeedStore, limits: Limits = {}, by = author): void {
  store.setWanted([{ feed: by.key.publicKey, priority: 1, ...limits }])
}

async function trimmed(store: FeedStore): Promise<void> {
  const trimmer = new Trimmer(store, { bytes: Infinity })
  await trimmer.catchUp()
  await trimmer.stop()
}

function held(store: FeedStore, by = author): string {
  const { low, height } = store.feed(by.key.publicKey)!
  return `${low}-${height}`
}

function bare(store: FeedStore): number[] {
  const feed = store.feed(author.key.publicKey)!
  return entriesBetween(store, feed, feed.low, feed.height)
    .filter(({ body }) => body === undefined)
    .map(({ seq }) => seq)
}

async function seqsInTimeline(store: FeedStore): Promise<number[]> {
  const indexer = new Indexer(store)
  await indexer.catchUp()
  indexer.stop()
  return timeline(store, { limit: 1_000 })
    .map(({ seq }) => seq)
    .sort((a, b) => a - b)
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
}

/** Whatever a store has counted must be what it holds. */
function checkBooks(store: FeedStore): void {
  for (const feed of store.wantedFeeds()) {
    const row = store.get(
      'SELECT coalesce(sum(length(records)), 0) AS bytes FROM runs WHERE place >> 32 = ?',
      feed.num
    )!
    assert.equal(feed.bytes, row.bytes)
    let next = feed.low
    for (const run of feed.height === 0 ? [] : store.rows(feed, feed.low, feed.height)) {
      assert.equal(run.first, next)
      next = run.first + run.count
    }
    assert.ok(feed.height === 0 || next > feed.height)
  }
}

function limitsSuite(kind: 'memory' | 'disk'): void {
  const open = () => temporaryStore(kind)

  describe(`a feed with limits (${kind})`, () => {
    it('keeps only so many of the newest entries, and of what it takes in too', async () => {
      using box = open()
      limit(box.store, { newest: 50 })
      deliver(box.store, cut(all.slice(0, 150), [10]))
      await trimmed(box.store)
      assert.equal(held(box.store), '101-150')
      deliver(box.store, cut(all.slice(150, 160), [10]))
      await trimmed(box.store)
      assert.equal(held(box.store), '111-160')
      assert.deepEqual(await seqsInTimeline(box.store), range(111, 160))
      checkBooks(box.store)
    })

    it('keeps with an entry those that share its signature', async () => {
      using box = open()
      limit(box.store, { newest: 5 })
      deliver(box.store, cut(all.slice(0, 100), [64]))
      await trimmed(box.store)
      assert.equal(held(box.store), '65-100')
    })

    it('deletes what a new limit no longer covers, with all that was found out from it', async () => {
      using box = open()
      limit(box.store)
      deliver(box.store, cut(all, [10]))
      assert.deepEqual(await seqsInTimeline(box.store), range(1, 200))
      limit(box.store, { newest: 20 })
      await trimmed(box.store)
      assert.equal(held(box.store), '181-200')
      assert.deepEqual(await seqsInTimeline(box.store), range(181, 200))
      assert.equal(entryById(box.store, all[0].ids), undefined)
      for (const table of ['links', 'tags', 'expiries', 'erasures', 'erased_at'])
        assert.equal(box.store.get(`SELECT count(*) AS n FROM ${table}`)!.n, 0)
      checkBooks(box.store)
    })

    it('refuses what lies below the limit, and takes it in again when the limit is gone', async () => {
      using box = open()
      limit(box.store, { newest: 20 })
      deliver(box.store, cut(all, [10]))
      await trimmed(box.store)
      assert.equal(box.store.ingest(cut(all.slice(170, 180), [10]))[0].kind, 'unwanted')
      assert.deepEqual(box.store.feedsWithGap(), [])
      limit(box.store)
      assert.equal(box.store.feedsWithGap().length, 1)
      deliver(box.store, cut(all, [10]))
      assert.equal(held(box.store), '1-200')
      checkBooks(box.store)
    })

    it('begins anew where all that it holds would fall out', () => {
      using box = open()
      limit(box.store, { newest: 20 })
      deliver(box.store, cut(all.slice(0, 30), [10]))
      assert.equal(box.store.ingest(cut(all.slice(40, 45), [5]))[0].kind, 'gap', 'some of it would stay')
      assert.equal(box.store.ingest(cut(all.slice(190), [10]))[0].kind, 'stored')
      assert.equal(held(box.store), '191-200')
      checkBooks(box.store)
    })

    it('takes nothing that begins above the last entry that counts', () => {
      using box = open()
      limit(box.store, { last: 20 })
      deliver(box.store, cut(all, [10]))
      assert.equal(held(box.store), '1-20')
      assert.equal(box.store.ingest(cut(all.slice(20, 30), [10]))[0].kind, 'unwanted')
    })

    it('shows no more than counts of a run that reaches beyond the last entry', async () => {
      using box = open()
      limit(box.store, { last: 20 })
      deliver(box.store, cut(all.slice(0, 64), [64]))
      assert.equal(held(box.store), '1-20')
      assert.deepEqual(await seqsInTimeline(box.store), range(1, 20))
      assert.equal(entryById(box.store, all[20].ids), undefined)
    })

    it('comes to the same, whether the last entry is named before, between or after the entries', async () => {
      const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 4 })
      await fc.assert(
        fc.asyncProperty(
          sizes,
          fc.integer({ min: 0, max: 20 }),
          fc.integer({ min: 1, max: 200 }),
          async (by, at, last) => {
            using box = open()
            const runs = cut(all, by)
            limit(box.store, at === 0 ? { last } : {})
            deliver(box.store, runs.slice(0, at))
            limit(box.store, { last })
            deliver(box.store, runs.slice(at))
            assert.equal(held(box.store), `1-${last}`)
            assert.deepEqual(await seqsInTimeline(box.store), range(1, last))
            await trimmed(box.store)
            checkBooks(box.store)
            limit(box.store)
            deliver(box.store, runs)
            assert.equal(held(box.store), '1-200')
            assert.deepEqual(await seqsInTimeline(box.store), range(1, 200))
            checkBooks(box.store)
          }
        ),
        { numRuns: kind === 'memory' ? 40 : 5, endOnFailure: true }
      )
    })

    it('lets all go when the device was revoked before what is held', async () => {
      using box = open()
      limit(box.store)
      box.store.ingest(cut(all.slice(100, 150), [10]).slice(0, 1))
      limit(box.store, { last: 50 })
      assert.equal(held(box.store), '1-0')
      deliver(box.store, cut(all, [10]))
      await trimmed(box.store)
      assert.equal(held(box.store), '1-50')
      checkBooks(box.store)
    })

    it('does not obey wishes to erase that come after the last entry that counts', () => {
      using box = open()
      const thief = new Author('thief')
      const runs = thief.writeSingly(...posts(5), { type: 'erase', seq: [1, 2] })
      limit(box.store, { last: 5 }, thief)
      box.store.ingest(cut(runs, [6]))
      const feed = box.store.feed(thief.key.publicKey)!
      assert.ok(entriesBetween(box.store, feed, 1, 5).every(({ body }) => body !== undefined))
    })

    it('erases the oldest bodies above its bytes, and keeps their headers', async () => {
      using box = open()
      limit(box.store, { maxBytes: 12_000 })
      deliver(box.store, cut(all, [10]))
      await trimmed(box.store)
      const erased = bare(box.store)
      assert.equal(held(box.store), '1-200')
      assert.ok(box.store.feed(author.key.publicKey)!.bytes <= 12_000)
      assert.ok(erased.length > 0 && erased.length < 200)
      assert.deepEqual(erased, range(1, erased.length))
      assert.deepEqual(await seqsInTimeline(box.store), range(erased.length + 1, 200))
      checkBooks(box.store)
    })

    it('comes to rest when even the headers are more than its bytes', async () => {
      using box = open()
      limit(box.store, { maxBytes: 100 })
      deliver(box.store, cut(all, [10]))
      await trimmed(box.store)
      assert.deepEqual(bare(box.store), range(1, 200))
    })

    it('takes no more of a feed that must be whole than its bytes allow', () => {
      using box = open()
      limit(box.store, { isWhole: true, maxBytes: 2_000 })
      deliver(box.store, cut(all, [10]))
      const feed = box.store.feed(author.key.publicKey)!
      assert.ok(feed.height > 0 && feed.bytes <= 2_000)
      assert.deepEqual(bare(box.store), [])
    })

    it('does not bring a body back that the author wished erased, when older entries are taken in again', async () => {
      using box = open()
      const eraser = new Author('limited eraser')
      const runs = cut(eraser.writeSingly(...posts(99), { type: 'erase', seq: [1, 60] }), [10])
      limit(box.store, {}, eraser)
      deliver(box.store, runs)
      for (const newest of [50, 5]) {
        limit(box.store, { newest }, eraser)
        await trimmed(box.store)
        limit(box.store, {}, eraser)
        deliver(box.store, runs.toReversed())
        const feed = box.store.feed(eraser.key.publicKey)!
        const erased = entriesBetween(box.store, feed, 1, 100).filter(({ body }) => body === undefined)
        assert.deepEqual(
          erased.map(({ seq }) => seq),
          [1, 60]
        )
      }
    })

    it('has no limits where this device holds the key', async () => {
      using box = open()
      box.store.own(author.key.publicKey)
      limit(box.store, { newest: 5, last: 10, maxBytes: 10 })
      deliver(box.store, cut(all, [10]))
      await trimmed(box.store)
      assert.equal(held(box.store), '1-200')
      assert.deepEqual(bare(box.store), [])
    })

    it('writes nothing when the same is wanted again, and tells of what differs', () => {
      using box = open()
      const other = new Author('other')
      const told: string[] = []
      box.store.events.on('wanted', ({ priority }) => told.push(`wanted ${priority}`))
      box.store.events.on('limited', ({ newest }) => told.push(`limited ${newest}`))
      const wants = (newest: number): WantedFeed[] => [
        { feed: author.key.publicKey, priority: 1 },
        { feed: other.key.publicKey, priority: 2, newest }
      ]
      box.store.setWanted(wants(5))
      const { counter } = box.store
      box.store.setWanted(wants(5))
      assert.equal(box.store.counter, counter)
      box.store.setWanted(wants(6))
      box.store.setWanted(wants(6).slice(0, 1))
      assert.deepEqual(told, ['wanted 1', 'wanted 2', 'limited 6', 'wanted undefined'])
    })
  })
}

limitsSuite('memory')
limitsSuite('disk')

describe('a store that an earlier version of the tables has filled', () => {
  it('is brought up to date, and keeps what it holds', () => {
    const directory = mkdtempSync(join(tmpdir(), 'comrade-store-'))
    try {
      const path = join(directory, 'feeds.sqlite')
      const database = openDatabase(path)
      migrate(database, 'feeds', FEEDS_MIGRATIONS.slice(0, 1))
      const first: CheckedRun = checkRun(cut(all.slice(0, 10), [10])[0])
      database
        .prepare('INSERT INTO feeds (key, height, head, changed, priority, bytes) VALUES (?, 10, ?, 1, 1, ?)')
        .run(author.key.publicKey, all[9].ids, first.records.length)
      database
        .prepare('INSERT INTO runs VALUES (?, 10, 1, 0, ?, ?, ?)')
        .run(2 ** 32 + 1, first.prev, first.signature, first.records)
      database.close()
      const store = FeedStore.open(path)
      assert.equal(store.ingest(cut(all.slice(10, 20), [10]))[0].kind, 'stored')
      assert.equal(held(store), '1-20')
      checkBooks(store)
      store.close()
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('sync of feeds with limits', () => {
  const anyLimits = fc.record(
    {
      newest: fc.integer({ min: 1, max: 150 }),
      last: fc.integer({ min: 1, max: 250 }),
      maxBytes: fc.integer({ min: 1_000, max: 20_000 })
    },
    { requiredKeys: [] }
  )
  const anyHeld = fc.record({
    from: fc.integer({ min: 1, max: 200 }),
    count: fc.nat(200),
    size: fc.integer({ min: 1, max: 64 })
  })

  /** What a side with these limits must hold at the least and at the most, when the other can give it all there is. */
  const check = (store: FeedStore, { newest = Infinity, last = Infinity }: Limits): void => {
    const { low, height } = store.feed(author.key.publicKey)!
    const top = Math.min(200, last)
    assert.equal(height, top)
    const bottom = Math.max(1, top - newest + 1)
    assert.ok(low <= bottom && low > bottom - 64, `${low}-${height} with newest ${newest}, last ${last}`)
    checkBooks(store)
  }

  it('settles, and each side comes to hold what its limits say, when the other has everything', async () => {
    await fc.assert(
      fc.asyncProperty(anyLimits, anyHeld, fc.integer({ min: 1, max: 64 }), async (limits, before, size) => {
        using alice = temporaryStore()
        using bob = temporaryStore()
        limit(alice.store)
        deliver(alice.store, cut(all, [size]))
        limit(bob.store, limits)
        const part = all.slice(before.from - 1, before.from - 1 + before.count)
        if (part.length > 0) deliver(bob.store, cut(part, [before.size]))
        await trimmed(bob.store)
        const link = connect(alice.store, bob.store)
        await link.settled()
        await until(() => {
          const { height } = bob.store.feed(author.key.publicKey)!
          return height === Math.min(200, limits.last ?? Infinity)
        }, 'bob has what he wants')
        await link.settled()
        await trimmed(bob.store)
        check(bob.store, limits)
        const alone = contentsOf(alice.store, author.key)
        assert.equal((alone as { height: number }).height, 200)
        await link.close()
        assert.deepEqual(link.errors, [])
      }),
      { numRuns: 60, endOnFailure: true }
    )
  }).timeout(60_000)

  it('settles between any two sides, whatever they hold, and comes to rest', async () => {
    await fc.assert(
      fc.asyncProperty(anyLimits, anyHeld, anyLimits, anyHeld, async (ones, held1, others, held2) => {
        using alice = temporaryStore()
        using bob = temporaryStore()
        for (const [{ store }, limits, { from, count, size }] of [
          [alice, ones, held1],
          [bob, others, held2]
        ] as const) {
          limit(store, limits)
          const part = all.slice(from - 1, from - 1 + count)
          if (part.length > 0) deliver(store, cut(part, [size]))
          await trimmed(store)
        }
        const tops = [alice, bob].map(({ store }) => store.feed(author.key.publicKey)!.height)
        const link = connect(alice.store, bob.store)
        await link.settled()
        for (const [i, { store }] of [alice, bob].entries()) {
          await trimmed(store)
          const { height, last = Infinity } = store.feed(author.key.publicKey)!
          assert.ok(height >= tops[i] && height <= last)
          checkBooks(store)
        }
        const { bytes } = link
        await new Promise((resolve) => setTimeout(resolve, 5))
        await link.settled()
        assert.ok(link.bytes - bytes < 400, 'nothing goes round in circles')
        await link.close()
        assert.deepEqual(link.errors, [])
      }),
      { numRuns: 60, endOnFailure: true }
    )
  }).timeout(60_000)

  it('fetches no more of a feed that is new here than is wanted', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    limit(alice.store)
    deliver(alice.store, cut(all, [10]))
    limit(bob.store, { newest: 30 })
    const link = connect(alice.store, bob.store)
    await link.settled()
    assert.equal(held(bob.store), '171-200')
    assert.equal(link.bob.stats.entriesReceived, 30)
    await link.close()
  })

  it('skips what lies between when it comes back after long', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    limit(alice.store)
    limit(bob.store, { newest: 30 })
    deliver(alice.store, cut(all, [10]))
    deliver(bob.store, cut(all.slice(0, 30), [10]))
    const link = connect(alice.store, bob.store)
    await link.settled()
    assert.equal(held(bob.store), '171-200')
    assert.equal(link.bob.stats.entriesReceived, 30)
    await link.close()
  })

  it('fetches the older part while connected, when the limit goes', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    limit(alice.store)
    deliver(alice.store, cut(all, [10]))
    limit(bob.store, { newest: 30, last: 150 })
    const link = connect(alice.store, bob.store)
    await link.settled()
    assert.equal(held(bob.store), '121-150')
    limit(bob.store, { newest: 60, last: 180 })
    await until(() => held(bob.store) === '121-180', 'some more')
    limit(bob.store)
    await until(() => held(bob.store) === '1-200', 'all of it')
    await link.close()
    assert.deepEqual(link.errors, [])
  })

  it('fetches it in the next session, when the limit went in between', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    limit(alice.store)
    deliver(alice.store, cut(all, [10]))
    limit(bob.store, { newest: 30 })
    const first = connect(alice.store, bob.store)
    await first.settled()
    await first.close()
    limit(bob.store)
    const second = connect(alice.store, bob.store)
    await until(() => held(bob.store) === '1-200', 'all of it')
    await second.close()
  })

  it('hands on what a device wrote before it was revoked, also where the signature lies behind', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    for (const { store } of [alice, bob]) limit(store, { last: 20 })
    alice.store.ingest(cut(all.slice(0, 64), [64]))
    const link = connect(alice.store, bob.store)
    await link.settled()
    assert.equal(held(bob.store), '1-20')
    await link.close()
  })

  it('leaves a peer in peace that holds more than counts here', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    limit(alice.store)
    limit(bob.store, { last: 20 })
    deliver(alice.store, cut(all.slice(0, 100), [10]))
    const link = connect(alice.store, bob.store)
    await link.settled()
    assert.equal(held(bob.store), '1-20')
    deliver(alice.store, cut(all.slice(100), [10]))
    await link.settled()
    assert.equal(link.bob.stats.entriesReceived, 20)
    await link.close()
  })

  for (const isConnected of [true, false]) {
    it(`tells peers what is no longer kept, and fetches it again when it is wanted anew (${isConnected ? 'connected' : 'in between'})`, async () => {
      using alice = temporaryStore()
      using bob = temporaryStore()
      limit(alice.store)
      limit(bob.store)
      deliver(alice.store, cut(all, [10]))
      const first = connect(alice.store, bob.store)
      await until(() => held(bob.store) === '1-200', 'bob has it')
      await first.settled()
      if (!isConnected) await first.close()
      bob.store.setWanted([])
      const trimmer = new Trimmer(bob.store, { bytes: Infinity })
      trimmer.removeUnwanted()
      await trimmer.catchUp()
      await trimmer.stop()
      assert.equal(held(bob.store), '1-0')
      const feed = alice.store.feed(author.key.publicKey)!
      if (!isConnected) {
        const between = connect(alice.store, bob.store)
        await between.settled()
        await until(() => !between.alice.shares(feed), 'alice hears of it')
        await between.close()
      } else await until(() => !first.alice.shares(feed), 'alice hears of it')
      limit(bob.store)
      const last = isConnected ? first : connect(alice.store, bob.store)
      await until(() => held(bob.store) === '1-200', 'bob has it again')
      assert.ok(last.alice.shares(feed))
      await last.close()
      assert.deepEqual([...first.errors, ...last.errors], [])
    })
  }

  it('fetches again what was let go and wanted anew between two sessions', async () => {
    using alice = temporaryStore()
    using bob = temporaryStore()
    limit(alice.store)
    limit(bob.store)
    deliver(alice.store, cut(all, [10]))
    const first = connect(alice.store, bob.store)
    await until(() => held(bob.store) === '1-200', 'bob has it')
    await first.settled()
    await first.close()
    bob.store.setWanted([])
    const trimmer = new Trimmer(bob.store, { bytes: 0 })
    await trimmer.catchUp()
    await trimmer.stop()
    limit(bob.store)
    const second = connect(alice.store, bob.store)
    await until(() => held(bob.store) === '1-200', 'bob has it again')
    assert.equal(second.bob.stats.path, 'resume')
    await second.close()
  })
})

it('a run whose bodies were erased for room is taken in by others', () => {
  using box = temporaryStore()
  limit(box.store)
  const [run] = cut(all.slice(0, 10), [10])
  const bareRun = checkRun({ ...run, records: eraseBodies(run, new Set(range(1, 10))) })
  assert.equal(box.store.ingest([bareRun])[0].kind, 'stored')
})
