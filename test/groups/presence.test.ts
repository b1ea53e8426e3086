import assert from 'node:assert/strict'
import fc from 'fast-check'
import { GroupError, PresenceBook, readPresence, signPresence, toHex } from '../../src/groups/index.ts'
import { sha256 } from '../../src/feeds/index.ts'
import { keyOf } from '../support/feeds.ts'

const CIRCLE = sha256(Buffer.from('group'))
const PEER = keyOf('peer').publicKey
const NOW = 1_800_000_000_000

function wordOf(name: string, at: number, links: readonly string[] = []): Uint8Array {
  return signPresence(CIRCLE, keyOf(name), {
    at,
    links: links.map((each) => toHex(keyOf(each).publicKey)),
    serves: true,
    peerKey: PEER,
    addresses: ['/ip4/127.0.0.1/tcp/1']
  })
}

describe('a presence', () => {
  it('is read as it was signed', () => {
    const { member, at, links, serves, peerKey, addresses } = readPresence(wordOf('ann', NOW, ['ben']), CIRCLE)!
    assert.equal(member, toHex(keyOf('ann').publicKey))
    assert.deepEqual([at, links, serves], [NOW, [toHex(keyOf('ben').publicKey)], true])
    assert.deepEqual([toHex(peerKey), addresses], [toHex(PEER), ['/ip4/127.0.0.1/tcp/1']])
  })

  it('is refused with any byte changed, cut off, for another group, or of any other bytes', () => {
    const bytes = wordOf('ann', NOW, ['ben'])
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Uint8Array.from(bytes)
        changed[at] ^= change
        assert.throws(() => readPresence(changed, CIRCLE), GroupError)
        assert.throws(() => readPresence(bytes.subarray(0, at), CIRCLE), GroupError)
      })
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (any) => assert.throws(() => readPresence(any, CIRCLE), GroupError))
    )
    assert.throws(() => readPresence(bytes, sha256(Buffer.from('other'))), { code: 'GROUP' })
    const forged = Uint8Array.from(bytes)
    forged[forged.length - 1] ^= 1
    assert.equal(
      readPresence(forged, CIRCLE, () => false),
      undefined
    )
    assert.throws(() => readPresence(new Uint8Array(9_000), CIRCLE), { code: 'SIZE' })
  })

  it('counts when it is newer, by a member, and not of another day; it ends by itself', () => {
    const book = new PresenceBook()
    const take = (at: number, now = NOW): boolean =>
      book.take(readPresence(wordOf('ann', at), CIRCLE)!, wordOf('ann', at), now)
    assert.equal(take(NOW), true)
    assert.equal(take(NOW), false)
    assert.equal(take(NOW - 1), false)
    assert.equal(take(NOW + 1), true)
    assert.equal(take(NOW + 10 * 365 * 86_400_000), false)
    assert.equal(book.size, 1)
    assert.equal(
      book.expire(() => true, NOW + 119_000),
      false
    )
    assert.equal(
      book.expire(() => true, NOW + 120_000),
      true
    )
    assert.equal(book.size, 0)
    assert.equal(take(NOW + 200_000, NOW + 200_000), true)
    assert.equal(
      book.expire(() => false, NOW + 200_001),
      true
    )
  })
})
