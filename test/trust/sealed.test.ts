import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { encodeBody, signingKey } from '../../src/feeds/index.ts'
import { MAX_SEALED_BODY, openBody, sealBody, sealedFor } from '../../src/trust/sealed.ts'
import { boxKey, deriveSelfKey, openSelfKey, proveBoxes, selfKeyBody } from '../../src/trust/self-keys.ts'
import type { boxCases, sealedCases, selfKeyCases } from '../vectors/cases/sealed.ts'
import { formatVectors, trustFiles } from '../vectors/generate.ts'

const folder = join(import.meta.dirname, '../vectors/trust')
const bytes = (hex: string) => Buffer.from(hex, 'hex')
const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'))
const [laptop, phone] = [1, 2].map((byte) => signingKey(Buffer.alloc(32, byte)))
const root = signingKey(Buffer.alloc(32, 5))
const key = Buffer.alloc(32, 7)

describe('sealed bodies', () => {
  it('have vectors that are what the generator makes', () => {
    for (const [file, vectors] of Object.entries(trustFiles))
      assert.equal(readFileSync(join(folder, file), 'utf8'), formatVectors(vectors), `${file}: run generate.ts`)
  })

  for (const vector of read('sealed.json') as typeof sealedCases) {
    it(`${vector.body === undefined ? 'do not open with' : 'open as'} ${vector.name}`, () => {
      const opened = openBody(bytes(vector.sealed), bytes(vector.feed), bytes(vector.key))
      assert.equal(opened && Buffer.from(encodeBody(opened)).toString('hex'), vector.body)
      if (opened === undefined) return
      const { audience, generation } = vector
      assert.deepEqual(sealedFor(bytes(vector.sealed)), { audience, generation })
      const sealing = { audience: audience!, generation: generation!, key: bytes(vector.key) }
      const again = sealBody(opened, bytes(vector.feed), sealing, { salt: bytes(vector.sealed).subarray(6, 22) })
      assert.equal(Buffer.from(again).toString('hex'), vector.sealed)
    })
  }

  it('give back any body that was sealed, to the right key and feed only', () => {
    const generations = fc.integer({ min: 0, max: 0xffff_ffff })
    const audiences = fc.constantFrom('own' as const, 'friends' as const)
    fc.assert(
      fc.property(fc.string({ maxLength: 2_000 }), generations, audiences, (text, generation, audience) => {
        const body = { type: 'note', text: text.toWellFormed() }
        const sealed = sealBody(body, laptop.publicKey, { audience, generation, key })
        assert.equal((sealed.length - 38) % 256, 0)
        assert.deepEqual(sealedFor(sealed), { audience, generation })
        assert.equal(openBody(sealed, laptop.publicKey, key)?.text, body.text)
        assert.equal(openBody(sealed, phone.publicKey, key), undefined)
        assert.equal(openBody(sealed, laptop.publicKey, Buffer.alloc(32, 8)), undefined)
      })
    )
  })

  it('never throw on bytes from elsewhere', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (input) => !openBody(input, laptop.publicKey, key)))
  })

  it('are as long for a petname of one letter as for one of sixty', () => {
    const sizes = ['x', 'x'.repeat(60)].map(
      (name) => sealBody({ type: 'note', name }, laptop.publicKey, { audience: 'own', generation: 0, key }).length
    )
    assert.equal(sizes[0], sizes[1])
  })

  it('may be as large as fits into an entry, and no larger', () => {
    const body = (size: number) => ({ type: 'note', salt: Buffer.alloc(16), data: Buffer.alloc(size) })
    const spare = MAX_SEALED_BODY - encodeBody(body(60_000)).length
    const sealing = { audience: 'own' as const, generation: 0, key }
    assert.ok(sealBody(body(60_000 + spare), laptop.publicKey, sealing).length <= 65_536)
    assert.throws(() => sealBody(body(60_001 + spare), laptop.publicKey, sealing), RangeError)
  })
})

describe('the keys that own devices share', () => {
  for (const { rootSeed, generation, key: expected } of read('self-keys.json') as typeof selfKeyCases) {
    it(`follow from the root seed in generation ${generation}`, () => {
      assert.equal(Buffer.from(deriveSelfKey(bytes(rootSeed), generation)).toString('hex'), expected)
    })
  }

  for (const { name, seed, device, generation, box, key: expected } of read('boxes.json') as typeof boxCases) {
    it(`${expected === undefined ? 'do not open in' : 'open in'} a box ${name}`, () => {
      const boxes = [{ device: bytes(device), box: bytes(box) }]
      const body = { type: 'self/key', generation, boxes, proof: proveBoxes(generation, boxes, root) }
      const opened = openSelfKey(body, signingKey(bytes(seed)), root.publicKey)
      assert.equal(opened && Buffer.from(opened.key).toString('hex'), expected)
    })
  }

  it('reach each device that they are meant for and nobody else', () => {
    const tablet = signingKey(Buffer.alloc(32, 3))
    const body = selfKeyBody({ generation: 4, key }, [laptop.publicKey, phone.publicKey], root)
    for (const device of [laptop, phone])
      assert.deepEqual(openSelfKey(body, device, root.publicKey), { generation: 4, key: new Uint8Array(key) })
    assert.equal(openSelfKey(body, tablet, root.publicKey), undefined)
    const [{ box }] = body.boxes
    const boxes = [{ device: tablet.publicKey, box }]
    const taken = { ...body, boxes, proof: proveBoxes(4, boxes, root) }
    assert.equal(openSelfKey(taken, tablet, root.publicKey), undefined)
  })

  it('are not taken from a device without the root key', () => {
    const stolen = signingKey(Buffer.alloc(32, 3))
    const made = selfKeyBody({ generation: 4, key }, [laptop.publicKey], stolen)
    assert.equal(openSelfKey(made, laptop, root.publicKey), undefined)
    const real = selfKeyBody({ generation: 4, key: Buffer.alloc(32, 7) }, [laptop.publicKey], root)
    for (const change of [{ generation: 5 }, { boxes: made.boxes }, { proof: undefined }])
      assert.equal(openSelfKey({ ...real, ...change }, laptop, root.publicKey), undefined)
  })

  it('are not read from what has another form', () => {
    const box = boxKey(key, 0, laptop.publicKey, Buffer.alloc(32, 9))
    const device = laptop.publicKey
    for (const body of [
      { type: 'post', generation: 0, boxes: [{ device, box }] },
      { type: 'self/key', generation: -1, boxes: [{ device, box }] },
      { type: 'self/key', generation: 0, boxes: 'many' },
      { type: 'self/key', generation: 0, boxes: [null, { device, box: 'text' }] }
    ])
      assert.equal(openSelfKey({ ...body, proof: new Uint8Array(64) }, laptop, root.publicKey), undefined)
  })
})
