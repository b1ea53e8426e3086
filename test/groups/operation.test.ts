import assert from 'node:assert/strict'
import fc from 'fast-check'
import { encodeCbor, sha256 } from '../../src/feeds/index.ts'
import { deviceAddBody } from '../../src/trust/index.ts'
import {
  addedDeviceOf,
  checkCredential,
  fromHex,
  GroupError,
  isPossessed,
  makeCredential,
  readOperation,
  ready
} from '../../src/groups/index.ts'
import { Author, keyOf } from '../support/feeds.ts'
import { memberKeyOf, Village } from './village.ts'

describe('an operation', () => {
  before(ready)

  it('fails with a GroupError or not at all, whatever byte of it is changed', () => {
    const village = new Village(['alice', 'bob'])
    const candidacy = village.apply('zoe')
    const vouch = village.vouch(candidacy, 'alice')
    const samples = [village.bytesOf('alice', 'leave', {}), village.joinBytes('zoe', candidacy, [vouch], {})]
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), fc.integer({ min: 1, max: 255 }), (sample, at, mask) => {
        const bytes = Uint8Array.from(sample)
        bytes[at % bytes.length] ^= mask
        assert.throws(() => readOperation(bytes, village.id, isPossessed), GroupError)
      })
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.throws(() => readOperation(bytes, village.id, isPossessed), GroupError)
      })
    )
  })

  it('is signed as it is, whatever a body is taken for', () => {
    const village = new Village(['alice'])
    const leave = Buffer.from(village.bytesOf('alice', 'leave', {}))
    const start = leave.indexOf('body') + 'body'.length
    // An empty byte string, an empty list, and {"__proto__": 0}
    for (const other of ['40', '80', 'a1695f5f70726f746f5f5f00']) {
      const bytes = Buffer.concat([leave.subarray(0, start), Buffer.from(other, 'hex'), leave.subarray(start + 1)])
      assert.throws(() => readOperation(new Uint8Array(bytes), village.id, isPossessed), GroupError)
    }
  })

  it('of a later version or an unknown type is kept, stands in the graph, and says nothing', () => {
    const village = new Village(['alice'])
    const key = memberKeyOf('alice')
    for (const change of [{ type: 'poem' }, { v: 2 }]) {
      const [group, prev] = [fromHex(village.id), [fromHex(village.id)]]
      const unsigned = { v: 1, type: 'leave', group, author: key.publicKey, prev, body: { lines: 3 }, ...change }
      const sig = key.sign(Buffer.concat([Buffer.from('comrade/group/op/1\0'), sha256(encodeCbor(unsigned))]))
      const id = village.take(encodeCbor({ ...unsigned, sig: new Uint8Array(sig) }))
      assert.equal(village.find(id).type, 'unknown')
      assert.match(village.why(id)!, /does not know/)
      assert.deepEqual(village.heads(), [village.id])
    }
    assert.deepEqual(village.members(), ['alice'])
  })

  it('shows its device also where the root signed several entries at once', () => {
    const author = new Author('careful root')
    const [laptop, phone] = [keyOf('laptop'), keyOf('phone')]
    const { publicKey } = author.key
    const [run] = author.write(deviceAddBody(publicKey, laptop, 'laptop'), deviceAddBody(publicKey, phone, 'phone'))
    const use = { purpose: 'member', place: new Uint8Array(32), member: memberKeyOf('x').publicKey } as const
    for (const [seq, device] of [laptop, phone].entries()) {
      const credential = makeCredential(device, addedDeviceOf(run, seq + 1)!, use)
      checkCredential(credential, use)
      assert.equal(credential.headers.length, 2 - seq)
      const other = makeCredential(seq === 0 ? phone : laptop, addedDeviceOf(run, seq + 1)!, use)
      assert.throws(() => checkCredential(other, use), GroupError)
      assert.throws(() => checkCredential({ ...credential, root: laptop.publicKey }, use), GroupError)
    }
    assert.equal(addedDeviceOf(run, 3), undefined)
  })
})
