import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, it } from 'mocha'
import { decodeCbor, encodeCbor, sha256 } from '../../../src/feeds/index.ts'
import { type Hex, MAX_BURST, toHex } from '../../../src/groups/index.ts'
import { Circle, type CircleRules, type Self } from '../../../src/node/groups/circle.ts'
import { keyOf } from '../../support/feeds.ts'

const ID = sha256(Buffer.from('circle'))
const NOW = 1_800_000_000_000
const SELF: Self = { serves: true, peerKey: keyOf('peer').publicKey, addresses: [] }
const FROM: PeerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

function memberOf(name: string): Hex {
  return toHex(keyOf(name).publicKey)
}

function circleOf(name: string, members: ReadonlySet<string>, rules: Partial<CircleRules> = {}): Circle {
  const others = (): Hex[] => [...members].filter((each) => each !== name).map(memberOf)
  return new Circle({
    id: ID,
    signer: () => keyOf(name),
    term: () => ID,
    isMember: (member) => [...members].some((each) => memberOf(each) === member),
    mayBring: () => true,
    links: others,
    peers: () => [],
    room: 8,
    ...rules
  })
}

describe('a circle of members', () => {
  it('elects the same one at each of them once all have heard all', () => {
    const names = new Set(['ann', 'ben', 'cem'])
    const circles = [...names].map((name) => circleOf(name, names))
    const words = circles.map((circle) => circle.speak(SELF, NOW)!)
    for (const circle of circles) for (const word of words) circle.hear(word, FROM, NOW)
    for (const circle of circles) circle.count(NOW)
    assert.equal(circles[0].order.length, 3)
    for (const { order } of circles) assert.deepEqual(order, circles[0].order)
  })

  it('takes what somebody said before it was known that they are a member', () => {
    const known = new Set(['ann', 'ben'])
    const ann = circleOf('ann', known)
    const word = circleOf('cem', new Set(['ann', 'ben', 'cem'])).speak(SELF, NOW)!
    assert.equal(ann.hear(word, FROM, NOW), undefined)
    assert.equal(ann.hearEarly(NOW).size, 0)
    assert.equal(ann.book.size, 0)
    known.add('cem')
    assert.deepEqual([...ann.hearEarly(NOW).keys()], [memberOf('cem')])
  })

  it('takes nothing that a stranger brings where only known peers may, however much it is', () => {
    let isKnown = false
    const ann = circleOf('ann', new Set(['ann']), { isMember: () => true, mayBring: () => isKnown })
    for (let i = 0; i < 100; i++) ann.hear(circleOf(`stranger ${i}`, new Set()).speak(SELF, NOW)!, FROM, NOW)
    assert.equal(ann.book.size, 0)
    isKnown = true
    assert.ok(ann.hearEarly(NOW).size <= 8)
    assert.ok(ann.book.size <= 8, 'nor more than there is room for')
  })

  it('does not pass on more of one member than there can be reason for', () => {
    const ann = circleOf('ann', new Set(['ann', 'ben']))
    let addresses: string[] = []
    const says = (at: number): Uint8Array | undefined => circleOf('ben', new Set()).speak({ ...SELF, addresses }, at)
    let heard = 0
    for (let i = 0; i < 1_000; i++) {
      addresses = [`/ip4/192.0.2.1/tcp/${i + 1}`]
      if (ann.hear(says(NOW + i)!, FROM, NOW + i) !== undefined) heard++
    }
    assert.ok(heard >= MAX_BURST && heard < MAX_BURST + 4, `${heard}`)
    assert.ok(ann.hear(says(NOW + 10_000)!, FROM, NOW + 10_000))
  })

  it('goes on speaking and listening, and forgets who is gone, after the clock was set back by years', () => {
    const names = new Set(['ann', 'ben'])
    const [ann, ben] = [...names].map((name) => circleOf(name, names))
    const back = NOW - 4 * 365 * 86_400_000
    for (const now of [NOW, back]) {
      const word = ben.speak(SELF, now)
      assert.ok(word, 'it speaks')
      assert.equal(ann.hear(word, FROM, now), memberOf('ben'))
      ann.speak(SELF, now)
      ann.count(now)
      assert.ok(ann.order.includes(memberOf('ben')))
      ann.count(now - 1_000_000)
      assert.ok(!ann.order.includes(memberOf('ben')))
    }
  })

  it('does not say more about itself than others listen to, and says the last', () => {
    let links: Hex[] = []
    const ben = circleOf('ben', new Set(['ann', 'ben']), { links: () => links })
    const ann = circleOf('ann', new Set(['ann', 'ben']))
    for (let i = 0; i < 600; i++) {
      links = i % 2 === 0 ? [memberOf('ann')] : []
      const word = ben.speak(SELF, NOW + i * 50)
      if (word !== undefined) assert.equal(ann.hear(word, FROM, NOW + i * 50), memberOf('ben'))
    }
    const last = ben.speak(SELF, NOW + 32_000)
    if (last !== undefined) ann.hear(last, FROM, NOW + 32_000)
    assert.deepEqual(ann.book.of(memberOf('ben'))?.links, [])
  })

  it('refuses what is forged, and does not take its own old words back', () => {
    const names = new Set(['ann', 'ben'])
    const ann = circleOf('ann', names)
    const old = ann.speak(SELF, NOW)!
    assert.equal(circleOf('ann', names).hear(old, FROM, NOW), undefined)
    const words = decodeCbor(circleOf('ben', names).speak(SELF, NOW)!) as object
    const forged = encodeCbor({ ...words, sig: new Uint8Array(64) })
    assert.throws(() => ann.hear(forged, FROM, NOW), { code: 'SIGNATURE' })
    assert.equal(ann.book.size, 1)
  })
})
