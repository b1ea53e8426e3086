// What counts of an identity does not depend on the order in which its log and its devices' posts arrive: not when a device
// is revoked, and not when the log forks.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Body, type CheckedRun, Indexer } from '../../src/feeds/index.ts'
import { Answers } from '../../src/node/answers.ts'
import type { PostFiles } from '../../src/node/blobs/post-files.ts'
import { NodeFeeds } from '../../src/node/feeds.ts'
import type { GroupContent } from '../../src/node/groups/content.ts'
import type { StrayEntries } from '../../src/node/stray-entries.ts'
import { People } from '../../src/node/people.ts'
import { deviceAddBody, deviceRevokeBody, formatDid } from '../../src/trust/index.ts'
import { Author, keyOf, temporaryStore } from '../support/feeds.ts'

/** No limit. */
const QUOTA = 2 ** 40

/** An author whose entries each claim a time of their own, so that nothing but arrival can change their order. */
function authorAt(name: string, second: number): Author {
  const author = new Author(name)
  author.time += second * 1_000
  return author
}

function each(author: Author, ...bodies: Body[]): CheckedRun[] {
  return bodies.flatMap((body) => {
    author.time += 2_000
    return author.write(body)
  })
}

const posts = (...texts: string[]): Body[] => texts.map((text) => ({ type: 'post', text }))

/** What a reader shows of one whom it follows, after these runs came in this order, each as soon as it is wanted. */
async function shownOf(root: Author, runs: readonly CheckedRun[]): Promise<unknown> {
  using temporary = temporaryStore()
  const { store } = temporary
  const reader = { root: keyOf('reader').publicKey, device: keyOf("reader's device").publicKey }
  const people = new People({ store, ...reader, mode: 'all', quota: QUOTA })
  const indexer = new Indexer(store, { hasFullText: true })
  const nobody = () => assert.fail('nothing is written here')
  const groups = () => ({ open: () => undefined }) as unknown as GroupContent
  const strays = { get: () => undefined, named: (item: unknown) => item } as unknown as StrayEntries
  const answers = new Answers({ store, people, groups })
  const feeds = new NodeFeeds({
    store,
    people,
    indexer,
    writer: nobody,
    holders: () => 0,
    files: () => ({ blobs: { has: () => false } }) as unknown as PostFiles,
    groups,
    answers,
    strays
  })
  try {
    people.contacts.follow(root.key.publicKey)
    people.update()
    let waiting = [...runs]
    for (let before = Infinity; waiting.length < before;) {
      before = waiting.length
      waiting = waiting.filter((run) => {
        const [{ kind }] = store.ingest([run])
        people.updateNow()
        return kind !== 'stored' && kind !== 'known'
      })
    }
    const { did, claimed, about } = people.contacts.get(root.key.publicKey)
    const texts = async (options: object): Promise<unknown[]> =>
      (await Array.fromAsync(feeds.read({ types: ['post'], ...options }))).map(({ text, author }) => [text, author])
    return {
      claimed,
      about,
      devices: people.contacts.devicesOf(root.key.publicKey).map(({ device, name, revoked }) => ({
        device: formatDid(device),
        name,
        last: revoked?.last
      })),
      person: await texts({ author: did }),
      everybody: await texts({}),
      found: await texts({ search: 'word' }),
      tagged: await texts({ tag: 'tag' })
    }
  } finally {
    indexer.stop()
    people.close()
  }
}

describe('the order of arrival', function () {
  this.timeout(120_000)

  it('does not matter for a revocation and the posts of the revoked device', async () => {
    const root = authorAt('root', 0)
    const [lost, kept] = [authorAt('lost', 1), authorAt('kept', 2)]
    const early = [
      ...each(lost, ...posts('one word'), { type: 'profile', name: 'Ann' }),
      ...each(kept, ...posts('two'))
    ]
    const late = each(
      lost,
      { type: 'post', text: 'three word', tags: ['tag'] },
      { type: 'profile', name: 'Thief', about: 'stolen' },
      ...posts('four word', 'five')
    )
    const log = each(
      root,
      deviceAddBody(root.key.publicKey, lost.key, 'lost'),
      deviceAddBody(root.key.publicKey, kept.key, 'kept'),
      deviceRevokeBody(lost.key.publicKey, 5),
      deviceRevokeBody(lost.key.publicKey, 2)
    )
    const runs = [...log, ...early, ...late, ...each(kept, ...posts('six'))]
    const expected = await shownOf(root, runs)
    const { person, claimed } = expected as { person: [string][]; claimed: string }
    assert.deepEqual(
      person.map(([text]) => text).toSorted((a, b) => a.localeCompare(b)),
      ['one word', 'six', 'two']
    )
    assert.equal(claimed, 'Ann')
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(runs, { minLength: runs.length }), async (shuffled) => {
        assert.deepEqual(await shownOf(root, shuffled), expected)
      }),
      { numRuns: 60 }
    )
  })

  it('does not matter for a log that forks: what comes before the fork counts, and nothing after it', async () => {
    const root = authorAt('forked root', 0)
    const [common, left, right] = ['common', 'left', 'right'].map((name, i) => authorAt(name, i + 1))
    const add = (device: Author, name: string): Body => deviceAddBody(root.key.publicKey, device.key, name)
    const start = each(root, add(common, 'common'))
    const other = root.clone()
    other.time = root.time + 1
    const runs = [
      ...start,
      ...each(root, add(left, 'left'), deviceRevokeBody(common.key.publicKey, 0)),
      ...each(other, add(right, 'right')),
      ...[common, left, right].flatMap((device, i) => each(device, ...posts(`word of ${i}`, `tag of ${i}`)))
    ]
    const expected = await shownOf(root, runs)
    const { person, everybody, devices } = expected as Record<string, unknown[]>
    assert.equal(devices.length, 1)
    assert.equal(person.length, 2)
    assert.deepEqual(everybody, person)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(runs, { minLength: runs.length }), async (shuffled) => {
        assert.deepEqual(await shownOf(root, shuffled), expected)
      }),
      { numRuns: 60 }
    )
  })
})
