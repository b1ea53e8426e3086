import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { signingKey } from '../../src/feeds/signature.ts'
import { TrustError } from '../../src/trust/errors.ts'
import { decodeLink, encodeLink, isLinkLike, type Link, type LinkKind } from '../../src/trust/link.ts'

const keyOf = (byte: number): Uint8Array => signingKey(new Uint8Array(32).fill(byte)).publicKey
const isLinkError =
  (message = /./) =>
  (error: unknown) =>
    error instanceof TrustError && error.code === 'LINK' && message.test(error.message)

const link: Link = {
  root: keyOf(1),
  secret: new Uint8Array(16).fill(2),
  expiresMs: 1_800_000_000_000,
  peerKey: keyOf(3),
  addresses: ['/ip4/192.0.2.1/tcp/4001', '/dns4/example.org/tcp/443/wss', '/memory/here']
}
const meet = encodeLink({ kind: 'meet', ...link })

/** The link with other bytes under a checksum that fits. */
function forged(change: (bytes: Buffer) => Buffer): string {
  const bytes = change(Buffer.from(meet.slice('comrade:meet/'.length), 'base64url').subarray(0, -4))
  const sum = createHash('sha256').update(bytes).digest().subarray(0, 4)
  return `comrade:meet/${Buffer.concat([bytes, sum]).toString('base64url')}`
}

describe('link', () => {
  it('says who invites, until when, and where', () => {
    for (const kind of ['meet', 'device'] as const) {
      const text = encodeLink({ kind, ...link })
      assert.match(text, new RegExp(`^comrade:${kind}/[A-Za-z0-9_-]+$`))
      assert.deepEqual(decodeLink(text, kind), link)
    }
  })

  it('comes back from any fields', () => {
    const addresses = fc.array(
      fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map(([ip, port]) => `/ip4/${ip}/tcp/${port}`),
      { maxLength: 8 }
    )
    const secret = fc.uint8Array({ minLength: 16, maxLength: 16 })
    const kinds = fc.constantFrom<LinkKind>('meet', 'device')
    const seconds = fc.integer({ min: 0, max: 0xffff_ffff })
    fc.assert(
      fc.property(kinds, secret, seconds, addresses, (kind, secret, expiry, addresses) => {
        const given = { ...link, secret, expiresMs: expiry * 1_000, addresses }
        assert.deepEqual(decodeLink(encodeLink({ kind, ...given }), kind), given)
      })
    )
  })

  it('leaves out the own peer id of an address, but not that of a relay', () => {
    const relay = '/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWGeMyqPJwS7WfwMLmJAxoC7yXw9oYC7dWHJbMTa9UWGPL/p2p-circuit'
    const own = '/ip4/192.0.2.2/tcp/1/p2p/12D3KooWGeMyqPJwS7WfwMLmJAxoC7yXw9oYC7dWHJbMTa9UWGPL'
    const { addresses } = decodeLink(encodeLink({ kind: 'meet', ...link, addresses: [relay, own] }), 'meet')
    assert.deepEqual(addresses, [relay, '/ip4/192.0.2.2/tcp/1'])
  })

  it('tells the first eight of more addresses', () => {
    const addresses = Array.from({ length: 20 }, (_, at) => `/ip4/192.0.2.${at}/tcp/1`)
    const text = encodeLink({ kind: 'meet', ...link, addresses })
    assert.deepEqual(decodeLink(text, 'meet').addresses, addresses.slice(0, 8))
  })

  it('is read when a mail program has broken its line, or a QR reader shouts the scheme', () => {
    const broken = `  ${meet.slice(0, 70)}\r\n${meet.slice(70)}\n`
    assert.deepEqual(decodeLink(broken, 'meet'), link)
    assert.deepEqual(decodeLink(meet.replace('comrade:meet', 'COMRADE:MEET'), 'meet'), link)
  })

  it('tells a mangled link from one of another kind, and both from other text', () => {
    assert.throws(() => decodeLink(meet.slice(0, -1), 'meet'), isLinkError(/changed or cut off/))
    assert.throws(() => decodeLink(meet, 'device'), isLinkError(/device joins.*found a link to meet/))
    assert.throws(() => decodeLink('https://example.org/', 'meet'), isLinkError(/expected comrade:meet/))
    assert.throws(() => decodeLink('', 'meet'), isLinkError())
    assert.throws(() => decodeLink('comrade:meet/', 'meet'), isLinkError(/too short/))
  })

  it('refuses every link in which one character was changed', () => {
    const start = 'comrade:meet/'.length
    const at = fc.integer({ min: start, max: meet.length - 1 })
    fc.assert(
      fc.property(at, fc.constantFrom(...'AZaz09-_+/=. '), (place, character) => {
        fc.pre(meet[place] !== character && character !== ' ')
        const text = meet.slice(0, place) + character + meet.slice(place + 1)
        assert.throws(() => decodeLink(text, 'meet'), isLinkError())
      })
    )
  })

  it('refuses what nobody makes, also under a right checksum', () => {
    const cases: [string, (bytes: Buffer) => Buffer, RegExp][] = [
      ['another version', (bytes) => Buffer.concat([Uint8Array.of(2), bytes.subarray(1)]), /version 2/],
      [
        'a root key that is none',
        (bytes) => Buffer.concat([bytes.subarray(0, 1), Buffer.alloc(32), bytes.subarray(33)]),
        /not an Ed25519 key/
      ],
      ['an address that is cut off', (bytes) => Buffer.concat([bytes, Uint8Array.of(9, 4)]), /cut off/],
      ['an empty address', (bytes) => Buffer.concat([bytes, Uint8Array.of(0)]), /cut off/],
      ['bytes that are no address', (bytes) => Buffer.concat([bytes, Uint8Array.of(2, 255, 255)]), /not a multiaddr/],
      [
        'nine addresses',
        (bytes) => Buffer.concat([bytes, ...Array.from({ length: 6 }, () => bytes.subarray(85, 94))]),
        /more than 8/
      ]
    ]
    for (const [what, change, message] of cases)
      assert.throws(() => decodeLink(forged(change), 'meet'), isLinkError(message), what)
  })

  it('does not look at a text without end', () => {
    assert.throws(() => decodeLink('comrade:meet/' + 'A'.repeat(1_000_000), 'meet'), isLinkError(/at most 4096/))
  })

  it('survives any bytes under its prefix', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const text = forged(() => Buffer.from(bytes))
        try {
          decodeLink(text, 'meet')
        } catch (error) {
          assert.ok(isLinkError()(error), String(error))
        }
      })
    )
  })

  it('does not take a name or a did for a link', () => {
    assert.ok(isLinkLike(meet) && isLinkLike(' comrade:what'))
    assert.ok(!isLinkLike('comrade') && !isLinkLike('did:key:z6Mk'))
  })
})
