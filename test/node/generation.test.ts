// The token that a store and its keys share: a store that is older than its keys is noticed, a crash is not mistaken for it.
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FeedStore } from '../../src/feeds/index.ts'
import { forgetRestored, renewGeneration } from '../../src/node/generation.ts'
import { readEpoch, RESTORED_EPOCH, writeEpoch } from '../../src/node/keystore.ts'

describe('the generation of a store', () => {
  let directory: string
  let keys: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'comrade-generation-'))
    keys = join(directory, 'keys')
    mkdirSync(keys)
  })

  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  /** Opens a store, does something with it, and closes it. */
  function withStore<T>(work: (store: FeedStore) => T, name = 'feeds.sqlite'): T {
    const store = FeedStore.open(join(directory, name))
    try {
      return work(store)
    } finally {
      store.close()
    }
  }

  function isRestored(name?: string): boolean {
    return withStore((store) => renewGeneration(store, keys), name) === 'backup'
  }

  function copyStore(): void {
    copyFileSync(join(directory, 'feeds.sqlite'), join(directory, 'copy.sqlite'))
  }

  it('is new at every start, and fits', () => {
    const tokens = Array.from({ length: 3 }, () => {
      assert.equal(isRestored(), false)
      return Buffer.from(readEpoch(keys)!).toString('hex')
    })
    assert.equal(new Set(tokens).size, 3)
  })

  it('shows a store that was copied before the last start, until it has caught up', () => {
    isRestored()
    copyStore()
    assert.equal(isRestored(), false)
    assert.equal(isRestored('copy.sqlite'), true)
    assert.equal(isRestored('copy.sqlite'), true)
    withStore(forgetRestored, 'copy.sqlite')
    assert.equal(isRestored('copy.sqlite'), false)
  })

  it('makes the store compare everything anew with its peers when it was restored', () => {
    isRestored()
    copyStore()
    const before = withStore(({ epoch }) => epoch)
    isRestored()
    assert.equal(isRestored('copy.sqlite'), true)
    assert.notDeepEqual(
      withStore(({ epoch }) => epoch, 'copy.sqlite'),
      before
    )
  })

  it('shows a store that was made anew beside keys that have signed', () => {
    isRestored()
    assert.equal(isRestored('other.sqlite'), true)
  })

  it('fits after a crash between the two writes, however often', () => {
    isRestored()
    const crashed = readEpoch(keys)!
    for (let i = 0; i < 3; i++) {
      assert.equal(isRestored(), false)
      writeEpoch(keys, crashed) // the store was written, the file was not
    }
    assert.equal(isRestored(), false)
  })

  it('shows keys that were made from a phrase, until their log was given back', () => {
    writeEpoch(keys, RESTORED_EPOCH)
    const restored = () => withStore((store) => renewGeneration(store, keys))
    assert.equal(restored(), 'phrase')
    assert.equal(restored(), 'phrase')
    withStore(forgetRestored)
    assert.equal(restored(), 'no')
  })

  it('takes a damaged token for one that does not fit', () => {
    isRestored()
    writeFileSync(join(keys, 'epoch'), 'short')
    assert.equal(isRestored(), true)
  })
})
