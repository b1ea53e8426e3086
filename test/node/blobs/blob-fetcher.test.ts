// What is fetched of whom: a real store, and friends in memory, some of whom mean no good.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { PeerId } from '@libp2p/interface'
import { BlobCaller, type BlobError, type BlobStore, giveBlob } from '../../../src/blobs/index.ts'
import { ENDLESS_ROOM, FeedError, messageStreamPair, type Room } from '../../../src/feeds/index.ts'
import { BlobFetcher } from '../../../src/node/blobs/blob-fetcher.ts'
import { bytesOf, contentOf, Directory } from '../../blobs/support.ts'
import { until } from '../../support/processes.ts'
import { SmallDisk } from '../../support/small-disk.ts'

/** A device of a person; `isSlow`: it answers what it has, and never sends a chunk. */
interface Device {
  person: string
  name: string
  store: BlobStore
  isSlow?: boolean
}

const keyOf = (person: string): Buffer => createHash('sha256').update(person).digest()
const hexOf = (person: string): string => keyOf(person).toString('hex')

function peer(name: string): PeerId {
  return { toString: () => name } as PeerId
}

/** One that fetches into `store` of these devices. @param maxBytes what it may take unasked */
function fetcherOf(store: BlobStore, devices: Device[], maxBytes = Infinity, room: Room = ENDLESS_ROOM) {
  const faults: string[] = []
  const fetcher = new BlobFetcher({
    store,
    service: {
      ask: (peerId, signal, work) =>
        talk(
          devices.find(({ name }) => name === peerId.toString())!,
          signal,
          work
        )
    },
    peers: () => devices.map(({ name, person }) => ({ peerId: peer(name), person: hexOf(person), isFriend: true })),
    hasRoom: (size, share) => store.usedBytes + size <= maxBytes * share,
    room,
    onFault: (peerId) => faults.push(peerId.toString()),
    onError: () => {}
  })
  fetcher.start()
  return { fetcher, faults, [Symbol.dispose]: () => fetcher.stop() }
}

async function talk<T>(device: Device, signal: AbortSignal, work: (caller: BlobCaller) => Promise<T>): Promise<T> {
  const [ours, theirs] = messageStreamPair()
  const end = (): void => ours.abort(new Error('over'))
  signal.addEventListener('abort', end)
  let asked = 0
  const onRequest = (): void => {
    if (device.isSlow && ++asked > 2) throw new StillThere()
  }
  giveBlob(theirs, { find: (id) => device.store.find(id), onRequest }).catch((error: Error) => {
    if (!(error instanceof StillThere)) theirs.abort(error)
  })
  try {
    return await work(new BlobCaller(ours))
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}

class StillThere extends Error {}

describe('fetching blobs of friends', function () {
  this.timeout(30_000)

  it('takes no more unasked than there is room for, however much is named at once', async () => {
    using theirs = new Directory()
    using ours = new Directory()
    const [source, store] = [theirs.open(), ours.open()]
    const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => source.add([bytesOf(100_000, i)])))
    using here = fetcherOf(store, [{ person: 'alice', name: 'a', store: source }], 350_000)
    for (const id of ids) here.fetcher.want({ id, size: 100_000 })
    await until(() => store.ids().length >= 3, 'there is no room left')
    for (let i = 0; i < 10; i++) await setTimeout(50, here.fetcher.look())
    assert.ok(store.usedBytes <= 350_000, `${store.usedBytes} bytes were taken`)
    const left = ids.find((id) => !store.has(id))!
    here.fetcher.want({ id: left, size: 100_000 }, { isUrgent: true })
    await until(() => store.has(left), 'what the user waits for comes in any case')
  })

  it('leaves room for friends where others name much', async () => {
    using theirs = new Directory()
    using ours = new Directory()
    const [source, store] = [theirs.open(), ours.open()]
    const ids = await Promise.all(Array.from({ length: 5 }, (_, i) => source.add([bytesOf(100_000, i)])))
    const mate = { person: 'mate', name: 'm', store: source }
    using here = fetcherOf(store, [mate], 500_000)
    for (let i = 0; i < 1_000; i++)
      here.fetcher.want({ id: bytesOf(32, i), size: 100_000, share: 0.5, isAt: () => false })
    assert.equal(here.fetcher.ids().length, 500, 'half of those that wait')
    for (const id of here.fetcher.ids()) here.fetcher.drop(id)
    for (const id of ids.slice(1)) here.fetcher.want({ id, size: 100_000, share: 0.5 })
    await until(() => store.ids().length >= 2, 'half of the room is used')
    for (let i = 0; i < 5; i++) await setTimeout(50, here.fetcher.look())
    assert.ok(store.usedBytes <= 250_000, `${store.usedBytes} bytes were taken`)
    here.fetcher.want({ id: ids[0], size: 100_000 })
    await until(() => store.has(ids[0]), "a friend's file has room")
  })

  it('is not kept from a file, nor from who has it, by others who name it wrongly', async () => {
    using theirs = new Directory()
    using ours = new Directory()
    const [source, store] = [theirs.open(), ours.open()]
    const id = await source.add([bytesOf(100_000)])
    using here = fetcherOf(store, [{ person: 'alice', name: 'a', store: source }])
    here.fetcher.want({ id, size: 1, isAt: (person) => person === hexOf('alice') })
    await setTimeout(50)
    const told: string[] = []
    here.fetcher.want({
      id,
      size: 100_000,
      isAt: (person) => person === hexOf('mallory'),
      by: '1',
      onHere: () => told.push('1')
    })
    here.fetcher.want(
      { id, size: 100_000, isAt: (person) => person === hexOf('alice'), by: '2', onHere: () => told.push('2') },
      { isUrgent: true }
    )
    await until(() => store.has(id), 'it is here')
    assert.ok((await contentOf(store, id)).equals(bytesOf(100_000)))
    assert.deepEqual([here.faults, told], [[], ['1', '2']])
  })

  it('goes on with the others while somebody with many files and devices sends nothing', async () => {
    using theirs = new Directory()
    using bad = new Directory()
    using ours = new Directory()
    const [source, trap, store] = [theirs.open(), bad.open(), ours.open()]
    const shared = bytesOf(200_000, 99)
    const id = await source.add([shared])
    await trap.add([shared])
    const traps = await Promise.all(Array.from({ length: 6 }, (_, i) => trap.add([bytesOf(100_000, i)])))
    const slow = ['m1', 'm2', 'm3', 'm4', 'm5'].map((name) => ({ person: 'mallory', name, store: trap, isSlow: true }))
    using here = fetcherOf(store, [...slow, { person: 'alice', name: 'a', store: source }])
    for (const each of traps) here.fetcher.want({ id: each, size: 100_000 })
    here.fetcher.want({ id, size: 200_000 })
    await until(() => store.has(id), 'the file of the other one is here')
    assert.ok((await contentOf(store, id)).equals(shared))
  })

  it('says that the disk is full, keeps what is right, and goes on when there is room', async function () {
    using theirs = new Directory()
    using ours = new Directory()
    const mounted = SmallDisk.mount(ours.path, 4 * 2 ** 20)
    if (typeof mounted === 'string') return this.skip()
    using disk = mounted
    const [source, store] = [theirs.open(), ours.open()]
    const data = bytesOf(400_000)
    const id = await source.add([data])
    disk.fill(65_536 + 20_000) // room for the manifest, a chunk, and a part of one
    using here = fetcherOf(store, [{ person: 'alice', name: 'a', store: source }])
    const told: unknown[] = []
    here.fetcher.progress.on(Buffer.from(id).toString('hex'), (progress) => told.push(progress))
    here.fetcher.want({ id, size: 400_000 }, { isUrgent: true })
    await until(() => told.some((each) => (each as NodeJS.ErrnoException).code === 'ENOSPC'), 'it is said')
    assert.equal((await store.find(id))!.haveBytes, 65_536)
    disk.makeRoom()
    here.fetcher.want({ id, size: 400_000 }, { isUrgent: true })
    await until(() => store.has(id), 'it is here')
    assert.ok((await contentOf(store, id)).equals(data))
    assert.deepEqual(here.faults, [])
  })

  it('stops while others have no room on the disk, but for what the user waits for, and goes on when they have', async () => {
    using theirs = new Directory()
    using ours = new Directory()
    const [source, store] = [theirs.open(), ours.open()]
    const [large, asked] = [await source.add([bytesOf(400_000, 1)]), await source.add([bytesOf(100_000, 2)])]
    let left = 100_000
    const room: Room = {
      get isLeft() {
        return left > 0
      },
      take(bytes) {
        if ((left -= bytes) <= 0) throw new FeedError('DISK_FULL', 'there is no room')
      }
    }
    using here = fetcherOf(store, [{ person: 'alice', name: 'a', store: source }], Infinity, room)
    here.fetcher.want({ id: large, size: 400_000 })
    await until(() => left <= 0 && !here.fetcher.isRunning(large), 'it has stopped')
    here.fetcher.want({ id: asked, size: 100_000 }, { isUrgent: true })
    await until(() => store.has(asked), 'what was asked for is here')
    here.fetcher.look()
    assert.ok(!here.fetcher.isRunning(large))
    left = 1e9
    here.fetcher.onRoomy()
    await until(() => store.has(large), 'the rest is here')
    assert.deepEqual(here.faults, [])
  })

  it('tells who waits when a file is not wanted any more', async () => {
    using ours = new Directory()
    using here = fetcherOf(ours.open(), [])
    const id = keyOf('nobody has it')
    const told: unknown[] = []
    here.fetcher.progress.on(hexOf('nobody has it'), (progress) => told.push(progress))
    here.fetcher.want({ id, size: 10 }, { isUrgent: true })
    here.fetcher.drop(id)
    assert.deepEqual(
      told.map((each) => (each as BlobError).code),
      ['CLOSED']
    )
  })

  it('keeps the newest of very many that nobody gives', () => {
    using ours = new Directory()
    using here = fetcherOf(ours.open(), [])
    for (let i = 0; i < 3_000; i++) here.fetcher.want({ id: keyOf(`${i}`), size: 10 })
    assert.equal(here.fetcher.ids().length, 1_000)
    assert.deepEqual(here.fetcher.ids().at(-1), keyOf('2999'))
  })
})
