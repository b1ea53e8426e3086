import assert from 'node:assert/strict'
import fc from 'fast-check'
import { signingKey, type SigningKey } from '../../src/feeds/signature.ts'
import {
  deviceAddBody,
  deviceRevokeBody,
  evaluateIdentityLog,
  isCurrent,
  MAX_DEVICES,
  type IdentityLogEntry
} from '../../src/trust/identity-log.ts'

const keyOf = (n: number): SigningKey => signingKey(new Uint8Array(32).fill(n))
const root = keyOf(1).publicKey
const [laptop, phone] = [keyOf(2), keyOf(3)]
const log = (...bodies: IdentityLogEntry['body'][]): IdentityLogEntry[] =>
  bodies.map((body, i) => ({ seq: i + 1, body }))
const evaluate = (...bodies: IdentityLogEntry['body'][]) => [...evaluateIdentityLog(root, log(...bodies)).values()]
const add = (device: SigningKey, name = 'laptop') => deviceAddBody(root, device, name)

describe('identity log', () => {
  it('adds a device that consents', () => {
    assert.deepEqual(evaluate(add(laptop)), [{ device: laptop.publicKey, name: 'laptop', addedAt: 1 }])
  })

  it('ends a device at the seq that the revocation names', () => {
    const [device] = evaluate(add(laptop), deviceRevokeBody(laptop.publicKey, 7))
    assert.deepEqual(device.revoked, { last: 7 })
    assert.ok(isCurrent(device, 7) && !isCurrent(device, 8))
  })

  it('never takes a revoked device back', () => {
    const [device] = evaluate(add(laptop), deviceRevokeBody(laptop.publicKey, 7), add(laptop, 'again'))
    assert.deepEqual(device, { device: laptop.publicKey, name: 'laptop', addedAt: 1, revoked: { last: 7 } })
  })

  it('lets a second revocation only take more away', () => {
    const last = (a: number, b: number) =>
      evaluate(add(laptop), deviceRevokeBody(laptop.publicKey, a), deviceRevokeBody(laptop.publicKey, b))[0].revoked
        ?.last
    assert.equal(last(7, 3), 3)
    assert.equal(last(7, 9), 7)
    assert.equal(last(0, 9), 0)
  })

  it('renames a device that is added again', () => {
    assert.deepEqual(evaluate(add(laptop), add(laptop, 'desk')), [
      { device: laptop.publicKey, name: 'desk', addedAt: 1 }
    ])
  })

  it('takes a revocation of a device that was not added for nothing', () => {
    assert.deepEqual(evaluate(deviceRevokeBody(laptop.publicKey, 0), add(laptop)), [
      { device: laptop.publicKey, name: 'laptop', addedAt: 2 }
    ])
  })

  it('does not add a device without its consent to this very identity', () => {
    const other = keyOf(9)
    const valid = add(laptop)
    const wrong = [
      { ...valid, consent: deviceAddBody(other.publicKey, laptop, 'x').consent }, // consent to somebody else
      { ...valid, consent: add(phone).consent },
      { ...valid, device: phone.publicKey },
      { ...valid, consent: laptop.sign(Buffer.concat([root, laptop.publicKey])) }, // without the domain
      { ...valid, consent: keyOf(1).sign(Buffer.concat([Buffer.from('comrade/device/1\0'), root, laptop.publicKey])) }, // by the root
      { ...valid, consent: new Uint8Array(64) },
      { ...valid, device: new Uint8Array(32) },
      { ...valid, device: Uint8Array.of(1, ...new Uint8Array(31)), consent: Uint8Array.of(1, ...new Uint8Array(63)) },
      deviceAddBody(root, keyOf(1), 'root')
    ]
    for (const body of wrong) assert.deepEqual(evaluate(body), [])
  })

  it('takes junk for nothing, wherever it stands', () => {
    const { consent, device } = add(laptop)
    const junk = [
      undefined,
      {},
      { type: 'post', text: 'x' },
      { type: 'device/add' },
      { type: 'device/add', device, consent },
      { type: 'device/add', device, consent, name: 5 },
      { type: 'device/add', device, consent, name: 'x'.repeat(65) },
      { type: 'device/add', device: [...device], consent, name: '' },
      { type: 'device/add', device: device.slice(1), consent, name: '' },
      { type: 'device/add', device, consent: consent.slice(1), name: '' },
      { type: 'device/revoke' },
      { type: 'device/revoke', device: phone.publicKey },
      ...[-1, 1.5, NaN, 2 ** 32, '1', null, 1n].map((last) => ({
        type: 'device/revoke',
        device: phone.publicKey,
        last
      })),
      JSON.parse('{"__proto__":{"type":"device/add"}}'),
      { type: '__proto__', device: 'constructor' }
    ]
    for (const body of junk)
      assert.deepEqual(
        evaluate(body, add(phone, 'phone'), body),
        [{ device: phone.publicKey, name: 'phone', addedAt: 2 }],
        JSON.stringify(body, (_, v) => String(v))
      )
  })

  it('does not apply an entry whose seq does not rise', () => {
    const entries = [
      { seq: 5, body: add(laptop) },
      { seq: 5, body: deviceRevokeBody(laptop.publicKey, 0) },
      { seq: NaN, body: add(phone) },
      { seq: 2, body: add(phone) }
    ]
    assert.deepEqual(
      [...evaluateIdentityLog(root, entries).values()],
      [{ device: laptop.publicKey, name: 'laptop', addedAt: 5 }]
    )
  })

  it('counts the first 128 devices and no more, revoked ones included', () => {
    const many = Array.from({ length: MAX_DEVICES + 2 }, (_, i) => add(signingKey(Buffer.alloc(32, `device ${i}`))))
    const bodies = [...many.slice(0, 5), deviceRevokeBody(many[0].device, 0), ...many.slice(5)]
    const devices = evaluate(...bodies)
    assert.equal(devices.length, MAX_DEVICES)
    assert.deepEqual(devices.at(-1)?.device, many[MAX_DEVICES - 1].device)
  })

  it('only ever adds names and takes away, whatever comes next: a longer log never gives a device more', () => {
    const devices = [laptop, phone, keyOf(4)]
    const adds = devices.map((device) => add(device))
    const body = fc.oneof(
      fc.constantFrom(...adds),
      fc
        .record({ device: fc.constantFrom(...devices), last: fc.nat(9) })
        .map(({ device, last }) => deviceRevokeBody(device.publicKey, last)),
      fc.constant(undefined)
    )
    fc.assert(
      fc.property(fc.array(body, { maxLength: 12 }), fc.nat(12), (bodies, cut) => {
        const before = evaluateIdentityLog(root, log(...bodies.slice(0, cut)))
        const after = evaluateIdentityLog(root, log(...bodies))
        for (const [key, device] of before) {
          assert.equal(after.get(key)?.addedAt, device.addedAt)
          if (device.revoked !== undefined) assert.ok(after.get(key)!.revoked!.last <= device.revoked.last)
        }
      }),
      { numRuns: 60 }
    )
  })

  it('keeps its own copy of the keys', () => {
    const body = add(laptop)
    const mutable = { ...body, device: new Uint8Array(body.device) }
    const [device] = evaluate(mutable)
    mutable.device.fill(0)
    assert.deepEqual(device.device, laptop.publicKey)
  })

  it('makes no body that would not count', () => {
    assert.throws(() => add(laptop, 'x'.repeat(65)), RangeError)
    for (const last of [-1, 0.5, 2 ** 32]) assert.throws(() => deviceRevokeBody(laptop.publicKey, last), RangeError)
  })
})
