import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { encodeCbor } from '../../src/feeds/index.ts'
import { MAX_CARD_LOG_SIZE, readCard, rootOfCard } from '../../src/node/card.ts'
import { NodeError } from '../../src/node/comrade.ts'
import { Author } from '../support/feeds.ts'
import { identityOf, logOf } from '../support/identities.ts'

const isBad = (error: unknown) => error instanceof NodeError && error.code === 'BAD_INPUT'

describe('a card', () => {
  let holder: PeerId
  let reader: PeerId
  let other: PeerId
  const alice = identityOf('alice')
  const eve = identityOf('eve')

  before(async () => {
    const make = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    ;[holder, reader, other] = [await make(), await make(), await make()]
  })

  it('says whose device it is, what they are called, and where they are', () => {
    const topic = { generation: 3, secret: new Uint8Array(32).fill(7) }
    const shown = alice.card({ holder, reader }, { name: '  Alice\u0000 ', addresses: ['/memory/a'], topic })
    const card = readCard(shown, { holder, reader })
    assert.deepEqual(Buffer.from(card.root), Buffer.from(alice.root.publicKey))
    assert.deepEqual(Buffer.from(card.device), Buffer.from(alice.device.publicKey))
    assert.deepEqual([card.addresses, card.topic, card.runs.length], [['/memory/a'], topic, 1])
    assert.deepEqual(rootOfCard(shown), card.root)
  })

  it('is worth nothing on another connection, nor in the other direction', () => {
    const shown = alice.card({ holder, reader })
    for (const peers of [
      { holder: other, reader },
      { holder, reader: other },
      { holder: reader, reader: holder }
    ])
      assert.throws(() => readCard(shown, peers), isBad)
  })

  it('is refused with the log of another identity, none, a changed one, or one that does not name the device', () => {
    const shown = alice.card({ holder, reader })
    const author = new Author('root of alice')
    const unrelated = logOf(author, [{ type: 'post', text: 'no device here' }])
    const changed = Uint8Array.from(alice.log, (byte, i) => (i === 50 ? byte ^ 1 : byte))
    for (const log of [eve.log, new Uint8Array(), changed, unrelated, Buffer.concat([alice.log, eve.log])])
      assert.throws(() => readCard({ ...shown, log: Uint8Array.from(log) }, { holder, reader }), isBad)
  })

  it('is refused for a device that was revoked', () => {
    const lost = identityOf('lost', { isRevoked: true })
    assert.throws(() => readCard(lost.card({ holder, reader }), { holder, reader }), isBad)
  })

  it('is refused when somebody puts a root or a device of others on it', () => {
    const shown = eve.card({ holder, reader })
    const ofAlice = { root: alice.root.publicKey, device: alice.device.publicKey, log: alice.log }
    for (const change of [
      ofAlice,
      { root: ofAlice.root },
      { device: ofAlice.device },
      { root: ofAlice.root, log: ofAlice.log }
    ])
      assert.throws(() => readCard({ ...shown, ...change }, { holder, reader }), isBad)
  })

  it('costs no verification of the log when that is of another identity', () => {
    const log = Uint8Array.from(alice.log)
    log[4 + 1 + 32 + 4 + 1]++ // the first run's signature, behind size, kind, feed, seq and count
    const refusal = (card: Record<string, unknown>): string => {
      try {
        readCard({ ...card, log }, { holder, reader })
      } catch (error) {
        return (error as Error).message
      }
      return 'accepted'
    }
    assert.match(refusal(eve.card({ holder, reader })), /another feed/)
    assert.doesNotMatch(refusal(alice.card({ holder, reader })), /another feed|accepted/)
  })

  it('is not made of an identity log that is too long, nor read', () => {
    const log = new Uint8Array(MAX_CARD_LOG_SIZE + 1)
    assert.throws(() => alice.card({ holder, reader }, { log }), NodeError)
    assert.throws(() => readCard({ ...alice.card({ holder, reader }), log }, { holder, reader }), isBad)
  })

  it('with anything in place of a field is refused or read, and never more than that', () => {
    const shown = alice.card({ holder, reader }, { topic: { generation: 0, secret: new Uint8Array(32) } })
    const junk = fc.oneof(
      fc.constant(null),
      fc.integer(),
      fc.string(),
      fc.uint8Array({ maxLength: 70 }),
      fc.array(fc.string(), { maxLength: 12 }),
      fc.dictionary(fc.string(), fc.integer())
    )
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(shown)), junk, (field, value) => {
        try {
          readCard({ ...shown, [field]: value }, { holder, reader })
          assert.ok(['name', 'addresses', 'topic'].includes(field))
        } catch (error) {
          assert.ok(isBad(error), String(error))
        }
      })
    )
    for (const value of [null, 1, 'card', [], new Uint8Array(3)])
      assert.throws(() => readCard(value, { holder, reader }), isBad)
    assert.ok(encodeCbor(shown).length < 1_024, 'a card of a new identity is small')
  })
})
