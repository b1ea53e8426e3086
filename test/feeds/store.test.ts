import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { entryCid } from '../../src/feeds/entry-id.ts'
import { FeedError } from '../../src/feeds/errors.ts'
import { type CheckedRun, checkRun, eraseBodies, idAt } from '../../src/feeds/run.ts'
import { openDatabase } from '../../src/feeds/store/database.ts'
import { deleteUnwanted } from '../../src/feeds/store/deletion.ts'
import { Indexer } from '../../src/feeds/store/indexer.ts'
import { linksTo } from '../../src/feeds/store/links.ts'
import {
  entriesBetween,
  entriesByTag,
  entriesByWords,
  entryAt,
  entryById,
  storeSize,
  timeline
} from '../../src/feeds/store/reader.ts'
import { FEEDS_MIGRATIONS } from '../../src/feeds/store/schema.ts'
import { FeedStore } from '../../src/feeds/store/store.ts'
import { Author, contentsOf, cut, deliver, temporaryStore, texts, want } from '../support/feeds.ts'

const posts = (count: number, word = 'post') => texts(count, word).map((text) => ({ type: 'post', text }))

function indexed(store: FeedStore): Promise<void> {
  const indexer = new Indexer(store)
  return indexer.catchUp().finally(() => indexer.stop())
}

function textsOf(entries: readonly { seq: number }[]): number[] {
  return entries.map(({ seq }) => seq)
}

/** What every store must do, wherever it keeps its bytes. */
function storeSuite(kind: 'memory' | 'disk'): void {
  const open = () => temporaryStore(kind)

  describe(`a store (${kind})`, () => {
    it('gives back ranges by feed and seq, whatever runs they were stored in', () => {
      using held = open()
      const author = new Author('carol')
      want(held.store, author.key)
      held.store.ingest([...author.post(...texts(70)), ...author.post(...texts(5)), ...author.post('last')])
      const feed = held.store.feed(author.key.publicKey)!
      assert.deepEqual(
        textsOf(entriesBetween(held.store, feed, 60, 73)),
        [60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73]
      )
      assert.deepEqual(textsOf(entriesBetween(held.store, feed, 76, 90)), [76])
      assert.deepEqual(entriesBetween(held.store, feed, 77, 90), [])
      assert.equal(entryAt(held.store, feed, 77), undefined)
    })

    it('finds an entry by its id and nothing by any other', () => {
      using held = open()
      const author = new Author('carol')
      want(held.store, author.key)
      const [run] = author.post(...texts(10))
      held.store.ingest([run])
      assert.equal(entryById(held.store, idAt(run, 6))?.seq, 7)
      const other = Uint8Array.from(idAt(run, 6))
      other[31] ^= 1
      assert.equal(entryById(held.store, other), undefined)
    })

    it('gives entries in the order of their arrival', () => {
      using held = open()
      const [ann, ben] = [new Author('ann'), new Author('ben')]
      want(held.store, ann.key, ben.key)
      held.store.ingest(ann.post('1', '2'))
      held.store.ingest(ben.post('3'))
      held.store.ingest(ann.post('4'))
      assert.deepEqual(
        held.store.rowsByArrival(1, 10).map(({ arrival, first, count }) => [arrival, first, count]),
        [
          [1, 1, 2],
          [3, 1, 1],
          [4, 3, 1]
        ]
      )
      assert.deepEqual(
        held.store.rowsByArrival(4, 10).map(({ arrival }) => arrival),
        [4]
      )
      assert.equal(held.store.arrival, 4)
    })

    it('pages through the timeline without a gap or a repetition, also where times are the same', async () => {
      using held = open()
      const [ann, ben] = [new Author('ann'), new Author('ben')]
      want(held.store, ann.key, ben.key)
      held.store.ingest([...ann.post(...texts(7)), ...ben.post(...texts(6))])
      await indexed(held.store)
      const seen: number[] = []
      for (let before; ;) {
        const page = timeline(held.store, { limit: 4, before })
        if (page.length === 0) break
        seen.push(...page.map(({ place }) => place))
        const last = page.at(-1)!
        before = { timeMs: Math.min(last.time, last.arrivedMs), place: last.place }
      }
      assert.equal(seen.length, 13)
      assert.deepEqual(
        seen,
        [...new Set(seen)].sort((a, b) => b - a)
      )
    })

    it('filters the timeline by feed and by type, and leaves out feeds that are not wanted', async () => {
      using held = open()
      const [ann, ben] = [new Author('ann'), new Author('ben')]
      want(held.store, ann.key, ben.key)
      held.store.ingest([...ann.write({ type: 'post', text: 'a' }, { type: 'profile', name: 'Ann' }), ...ben.post('b')])
      await indexed(held.store)
      const ofAnn = new Set([held.store.feed(ann.key.publicKey)!.num])
      assert.equal(timeline(held.store, { limit: 9 }).length, 3)
      assert.equal(timeline(held.store, { limit: 9, types: ['post'] }).length, 2)
      assert.equal(timeline(held.store, { limit: 9, feeds: ofAnn }).length, 2)
      held.store.setWanted([{ feed: ann.key.publicKey, priority: 1 }])
      assert.equal(timeline(held.store, { limit: 9 }).length, 2)
    })

    it('links replies, threads and reactions to what they name', async () => {
      using held = open()
      const author = new Author('carol')
      want(held.store, author.key)
      const [first] = author.post('root')
      const root = entryCid(idAt(first, 0))
      held.store.ingest([
        first,
        ...author.write(
          { type: 'post', text: 'answer', root, reply: root },
          { type: 'reaction', to: root, emoji: '👍' }
        )
      ])
      await indexed(held.store)
      const id = idAt(first, 0)
      assert.deepEqual(
        (['root', 'reply', 'reaction'] as const).map((kind) => textsOf([...linksTo(held.store, id, kind)])),
        [[2], [2], [3]]
      )
    })

    it('finds posts by tag and by words, newest first', async () => {
      using held = open()
      const author = new Author('carol')
      want(held.store, author.key)
      held.store.ingest(
        author.write(
          { type: 'post', text: 'Über den Wolken', tags: ['sky'] },
          { type: 'post', text: 'wolken unter uns', tags: ['sky', 'sea'] }
        )
      )
      await indexed(held.store)
      assert.deepEqual(textsOf(entriesByTag(held.store, 'sky', { limit: 9 })), [2, 1])
      assert.deepEqual(textsOf(entriesByTag(held.store, 'sea', { limit: 9 })), [2])
      assert.deepEqual(textsOf(entriesByWords(held.store, 'wolken', { limit: 9 })), [2, 1])
      assert.deepEqual(textsOf(entriesByWords(held.store, 'uber wolken', { limit: 9 })), [1])
      assert.deepEqual(entriesByWords(held.store, '  ', { limit: 9 }), [])
    })

    it('takes any words to search for, whatever they mean to the search engine', async () => {
      using held = open()
      const author = new Author('carol')
      want(held.store, author.key)
      held.store.ingest(author.post('hello "world" NEAR AND'))
      await indexed(held.store)
      for (const words of [
        '"',
        '""',
        '"world"',
        'a* OR b',
        'NEAR(a b)',
        '{',
        '-hello',
        'text:hello',
        '\0',
        'hel\0lo',
        '(',
        '^hello',
        '\ud800',
        '!!!'
      ]) {
        assert.doesNotThrow(() => entriesByWords(held.store, words, { limit: 9 }), JSON.stringify(words))
      }
      assert.deepEqual(textsOf(entriesByWords(held.store, 'near and', { limit: 9 })), [1])
    })

    it('takes in nothing of a feed that is not wanted', () => {
      using held = open()
      const author = new Author('carol')
      assert.deepEqual(held.store.ingest(author.post('a')), [{ kind: 'unwanted' }])
      assert.equal(held.store.feed(author.key.publicKey), undefined)
      assert.deepEqual(storeSize(held.store).entries, 0)
    })

    it('keeps what is no longer wanted until it is removed, and takes it in anew afterwards', async () => {
      using held = open()
      const author = new Author('carol')
      want(held.store, author.key)
      const runs = author.post(...texts(100))
      held.store.ingest(runs)
      await indexed(held.store)
      held.store.setWanted([])
      assert.equal(held.store.feed(author.key.publicKey)!.height, 100)
      assert.equal(deleteUnwanted(held.store, 64) + deleteUnwanted(held.store, 64), 100)
      assert.equal(deleteUnwanted(held.store, 64), 0)
      assert.equal(held.store.feed(author.key.publicKey)!.height, 0)
      assert.equal(entryById(held.store, idAt(runs[0], 0)), undefined)
      want(held.store, author.key)
      assert.equal(held.store.ingest(runs)[0].kind, 'stored')
      assert.equal(entryById(held.store, idAt(runs[0], 0))?.seq, 1)
    })

    it('never lets an own feed go', () => {
      using held = open()
      const author = new Author('carol')
      held.store.own(author.key.publicKey)
      held.store.setWanted([])
      assert.equal(held.store.feed(author.key.publicKey)!.priority, 0)
      held.store.ingest(author.post('a'))
      assert.equal(deleteUnwanted(held.store, 64), 0)
    })

    describe('places a run', () => {
      const author = new Author('carol')
      const all = author.writeSingly(...posts(30))
      const run = (from: number, to: number): CheckedRun => cut(all.slice(from - 1, to), [64])[0]
      const cases: {
        name: string
        held: [number, number][]
        offered: [number, number]
        outcome: unknown
        after: [number, number]
      }[] = [
        { name: 'first of all', held: [], offered: [1, 5], outcome: { kind: 'stored', from: 1, to: 5 }, after: [1, 5] },
        {
          name: 'somewhere into an empty feed',
          held: [],
          offered: [11, 20],
          outcome: { kind: 'stored', from: 11, to: 20 },
          after: [11, 20]
        },
        {
          name: 'right above',
          held: [[11, 20]],
          offered: [21, 25],
          outcome: { kind: 'stored', from: 21, to: 25 },
          after: [11, 25]
        },
        {
          name: 'across the top',
          held: [[11, 20]],
          offered: [15, 25],
          outcome: { kind: 'stored', from: 21, to: 25 },
          after: [11, 25]
        },
        {
          name: 'over everything: the top first',
          held: [[11, 20]],
          offered: [5, 25],
          outcome: { kind: 'stored', from: 21, to: 25 },
          after: [11, 25]
        },
        {
          name: 'above with a gap',
          held: [[11, 20]],
          offered: [22, 25],
          outcome: { kind: 'gap', from: 21, to: 21 },
          after: [11, 20]
        },
        {
          name: 'right below',
          held: [[11, 20]],
          offered: [6, 10],
          outcome: { kind: 'stored', from: 6, to: 10 },
          after: [6, 20]
        },
        {
          name: 'below with a gap',
          held: [[11, 20]],
          offered: [6, 9],
          outcome: { kind: 'gap', from: 10, to: 10 },
          after: [11, 20]
        },
        {
          name: 'across the low end',
          held: [[11, 20]],
          offered: [8, 14],
          outcome: { kind: 'stored', from: 8, to: 10 },
          after: [8, 20]
        },
        {
          name: 'across the low end and several rows',
          held: [
            [11, 12],
            [13, 15],
            [16, 20]
          ],
          offered: [8, 17],
          outcome: { kind: 'stored', from: 8, to: 10 },
          after: [8, 20]
        },
        {
          name: 'below and up to the head',
          held: [[11, 20]],
          offered: [8, 20],
          outcome: { kind: 'stored', from: 8, to: 10 },
          after: [8, 20]
        },
        { name: 'once more', held: [[11, 20]], offered: [11, 20], outcome: { kind: 'known' }, after: [11, 20] },
        { name: 'inside', held: [[11, 20]], offered: [13, 17], outcome: { kind: 'known' }, after: [11, 20] }
      ]
      for (const { name, held, offered, outcome, after } of cases) {
        it(name, () => {
          using temporary = open()
          const { store } = temporary
          want(store, author.key)
          for (const [from, to] of held) store.ingest([run(from, to)])
          assert.deepEqual(store.ingest([run(...offered)]), [outcome])
          const feed = store.feed(author.key.publicKey)!
          assert.deepEqual([feed.low, feed.height], after)
          assert.deepEqual(
            textsOf(entriesBetween(store, feed, 1, 30)),
            Array.from({ length: after[1] - after[0] + 1 }, (_, i) => after[0] + i)
          )
          for (let seq = after[0]; seq <= after[1]; seq++)
            assert.equal(entryById(store, idAt(all[seq - 1], 0))?.seq, seq)
          for (const row of store.rows(feed, 1, 30))
            assert.doesNotThrow(() => checkRun(row), 'every row can be sent on')
          const held2 = store.get('SELECT sum(length(records)) AS n FROM runs')!.n
          assert.equal(store.get('SELECT bytes FROM feeds')!.bytes, held2, 'bytes are accounted for')
        })
      }
    })

    it('does not lose a body to a run that comes from below without it', () => {
      using held = open()
      const author = new Author('carol')
      want(held.store, author.key)
      const all = author.writeSingly(...posts(20))
      held.store.ingest(cut(all.slice(9), [64]))
      const hollow = erased(cut(all.slice(4, 15), [64])[0], [10, 11, 12, 13, 14, 15])
      held.store.ingest([hollow])
      const feed = held.store.feed(author.key.publicKey)!
      assert.equal(feed.low, 5)
      assert.ok(entriesBetween(held.store, feed, 10, 20).every(({ body }) => body !== undefined))
      for (const row of held.store.rows(feed, 1, 20)) checkRun(row)
    })

    it('shows an entry once, also when a run from below brought it again', async () => {
      using held = open()
      const author = new Author('carol')
      author.time = Date.now() + 1e9
      want(held.store, author.key)
      const all = author.writeSingly(...posts(20))
      held.store.ingest(cut(all.slice(9), [64]))
      await indexed(held.store)
      await new Promise((resolve) => setTimeout(resolve, 3))
      held.store.ingest(cut(all.slice(4, 15), [64]))
      await indexed(held.store)
      const places = timeline(held.store, { limit: 100 }).map(({ place }) => place)
      assert.equal(places.length, 16)
      assert.equal(new Set(places).size, 16)
    })

    it('ends in the same state whatever runs a feed comes in, in whatever order, with duplicates', () => {
      const author = new Author('carol')
      const all = author.writeSingly(...posts(40))
      using whole = open()
      want(whole.store, author.key)
      whole.store.ingest(all)
      const expected = contentsOf(whole.store, author.key)
      fc.assert(
        fc.property(
          fc.array(fc.array(fc.integer({ min: 1, max: 13 }), { minLength: 1, maxLength: 5 }), {
            minLength: 1,
            maxLength: 3
          }),
          fc.infiniteStream(fc.nat()),
          (cuts, order) => {
            using each = temporaryStore()
            want(each.store, author.key)
            const runs = shuffled(
              cuts.flatMap((sizes) => cut(all, sizes)),
              order
            )
            deliver(each.store, [...runs, ...runs.slice(0, 3)])
            assert.deepEqual(contentsOf(each.store, author.key), expected)
            assert.equal(
              each.store.get('SELECT bytes FROM feeds')!.bytes,
              each.store.get('SELECT sum(length(records)) AS n FROM runs')!.n
            )
            for (const run of all) assert.equal(entryById(each.store, idAt(run, 0))?.seq, run.first)
          }
        ),
        { numRuns: kind === 'memory' ? 60 : 5 }
      )
    })

    it('tells of each extension once it is stored, and of nothing when a write fails', () => {
      using held = open()
      const author = new Author('carol')
      want(held.store, author.key)
      const heard: number[][] = []
      held.store.events.on('extended', ({ feed, from, to }) =>
        heard.push([from, to, held.store.feedByNumber(feed.num)!.height])
      )
      const [first, second, third] = [author.post('1'), author.post('2'), author.post('3')].flat()
      held.store.ingest([first, second, third, first])
      assert.deepEqual(heard, [[1, 3, 3]])
      const [fourth] = author.post('4')
      assert.throws(() =>
        held.store.write(() => {
          held.store.run('UPDATE feeds SET height = 99')
          throw new Error('no')
        })
      )
      assert.equal(held.store.feed(author.key.publicKey)!.height, 3)
      assert.equal(held.store.ingest([fourth])[0].kind, 'stored')
    })

    it('refuses everything once it is closed, with one code, and can be closed twice', () => {
      using held = open()
      const author = new Author('carol')
      want(held.store, author.key)
      const { store } = held
      const feed = store.feed(author.key.publicKey)!
      const runs = author.post('a')
      store.close()
      store.close()
      assert.equal(store.isOpen, false)
      const calls: Record<string, () => unknown> = {
        feed: () => store.feed(author.key.publicKey),
        feedByNumber: () => store.feedByNumber(1),
        wantedFeeds: () => store.wantedFeeds(),
        feedsWithGap: () => store.feedsWithGap(),
        changedSince: () => store.changedSince(0),
        setWanted: () => store.setWanted([]),
        own: () => store.own(author.key.publicKey),
        deleteUnwanted: () => deleteUnwanted(store, 64),
        ingest: () => store.ingest(runs),
        forkProof: () => store.forkProof(feed),
        rows: () => store.rows(feed, 1, 1),
        rowsDown: () => [...store.rowsDown(feed, 1, 1)],
        rowsByArrival: () => store.rowsByArrival(1, 1),
        meta: () => store.meta('epoch'),
        setMeta: () => store.setMeta('a', 1),
        touch: () => store.touch(1),
        renewEpoch: () => store.renewEpoch(),
        write: () => store.write(() => {})
      }
      for (const [name, call] of Object.entries(calls)) {
        assert.throws(call, (error) => error instanceof FeedError && error.code === 'STORE_CLOSED', name)
      }
    })
  })
}

storeSuite('memory')
storeSuite('disk')

describe('a store on the disk', () => {
  it('holds after it is opened anew what it held before, and goes on counting', async () => {
    using place = directory()
    const author = new Author('carol')
    const before = FeedStore.open(place.file)
    want(before, author.key)
    before.ingest(author.post(...texts(100)))
    await indexed(before)
    const [contents, epoch, counter, arrival] = [
      contentsOf(before, author.key),
      before.epoch,
      before.counter,
      before.arrival
    ]
    before.close()
    const after = FeedStore.open(place.file)
    assert.deepEqual(contentsOf(after, author.key), contents)
    assert.deepEqual([Buffer.from(after.epoch), after.counter, after.arrival], [Buffer.from(epoch), counter, arrival])
    assert.equal(after.ingest(author.post('more'))[0].kind, 'stored')
    after.close()
  })

  it('jumps ahead with its counter after an unclean end, so that no number is given out twice', () => {
    using place = directory()
    const author = new Author('carol')
    const first = FeedStore.open(place.file)
    want(first, author.key)
    first.ingest(author.post('a'))
    const counter = first.counter
    first.database.close() // as when the process is killed
    const second = FeedStore.open(place.file)
    assert.ok(second.counter > counter + 1_000)
    assert.equal(second.feed(author.key.publicKey)!.height, 1)
    second.close()
  })

  it('indexes what arrives after the newest entries were deleted and it was opened anew', async () => {
    using place = directory()
    const [ann, ben] = [new Author('ann'), new Author('ben')]
    const first = FeedStore.open(place.file)
    want(first, ann.key, ben.key)
    first.ingest(ann.post('kept'))
    first.ingest(ben.post(...texts(50)))
    await indexed(first)
    first.setWanted([{ feed: ann.key.publicKey, priority: 1 }])
    deleteUnwanted(first, 64)
    first.close()
    const second = FeedStore.open(place.file)
    second.ingest(ann.post('news'))
    await indexed(second)
    assert.deepEqual(textsOf(timeline(second, { limit: 9 })), [2, 1])
    second.close()
  })

  it('makes its tables in an empty file, and finds them made when opened again', () => {
    using place = directory()
    new DatabaseSync(place.file).close()
    for (let i = 0; i < 2; i++) {
      const store = FeedStore.open(place.file)
      assert.equal(store.get("SELECT version FROM migrations WHERE layer = 'feeds'")!.version, FEEDS_MIGRATIONS.length)
      store.close()
    }
  })

  it('refuses a file that a newer program wrote, and leaves it as it is', () => {
    using place = directory()
    FeedStore.open(place.file).close()
    const database = openDatabase(place.file)
    database.exec("UPDATE migrations SET version = 99 WHERE layer = 'feeds'")
    database.close()
    assert.throws(
      () => FeedStore.open(place.file),
      (error) => error instanceof FeedError && error.code === 'STORE_NEWER'
    )
    const again = openDatabase(place.file)
    assert.equal(again.prepare('SELECT version FROM migrations').get()!.version, 99)
    again.close()
  })
})

function directory(): { file: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'comrade-store-'))
  return { file: join(path, 'feeds.sqlite'), [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

function erased(run: CheckedRun, seqs: number[]): CheckedRun {
  return checkRun({ ...run, records: eraseBodies(run, new Set(seqs)) })
}

function shuffled<T>(items: readonly T[], order: fc.Stream<number>): T[] {
  const keys = [...order.take(items.length)]
  return items
    .map((item, i) => ({ item, key: keys[i] }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}
