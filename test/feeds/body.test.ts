// Bodies: what is written for others, what is read from them, and what is shown.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import {
  checkBody,
  decodeBody,
  encodeBody,
  isKnownBody,
  MAX_BODY_SIZE,
  renderable,
  SALT_SIZE,
  schemaOf,
  type Body
} from '../../src/feeds/body.ts'
import { encode } from '../../src/feeds/cbor.ts'
import { entryCid } from '../../src/feeds/entry-id.ts'
import { FeedError, type FeedErrorCode } from '../../src/feeds/errors.ts'

const salt = new Uint8Array(SALT_SIZE).fill(7)
const link = entryCid(new Uint8Array(32).fill(1))
const did = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
const refuses =
  (code: FeedErrorCode, message = /./) =>
  (error: unknown) =>
    error instanceof FeedError && error.code === code && message.test(error.message)

/** One valid body of each known type. */
const known: Body[] = [
  { type: 'post', text: 'Hello' },
  { type: 'profile', name: 'Alice' },
  { type: 'contact', contact: did, relation: 'friend' },
  { type: 'reaction', to: link, emoji: '👍' },
  { type: 'erase', seq: [1] },
  { type: 'device/add', device: new Uint8Array(32), name: 'Laptop', consent: new Uint8Array(64) },
  { type: 'device/revoke', device: new Uint8Array(32), last: 4 }
]

describe('encodeBody', () => {
  for (const body of known) {
    it(`writes a ${body.type} that reads the same, with a salt`, () => {
      const { salt, ...read } = decodeBody(encodeBody(body))
      assert.deepEqual(read, body)
      assert.equal(salt?.length, SALT_SIZE)
      assert.ok(isKnownBody(read))
    })
  }

  it('writes what it can read, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        assert.equal(decodeBody(encodeBody({ type: 'post', text })).text, text)
      })
    )
  })

  it('gives each body another salt', () => {
    const salts = Array.from({ length: 1_000 }, () => decodeBody(encodeBody({ type: 'post', text: '' })).salt!)
    assert.equal(new Set(salts.map((salt) => Buffer.from(salt).toString('hex'))).size, 1_000)
  })

  it('keeps a salt that is there, and leaves the given body as it is', () => {
    assert.deepEqual(decodeBody(encodeBody({ type: 'post', text: '', salt })).salt, salt)
    const body = Object.freeze({ type: 'post', text: '' })
    encodeBody(body)
    assert.deepEqual(Object.keys(body), ['type', 'text'])
  })

  it('writes the same bytes whatever the order of the keys', () => {
    const one = encodeBody({ type: 'post', text: 'a', tags: ['b'], salt })
    assert.deepEqual(encodeBody({ salt, tags: ['b'], text: 'a', type: 'post' }), one)
  })

  it('keeps unknown types and unknown keys', () => {
    const poll = { type: 'poll', salt, choices: ['tea', { of: 2n ** 60n }], link }
    assert.deepEqual(decodeBody(encodeBody(poll)), poll)
    const post = { type: 'post', salt, text: '', mood: null }
    assert.deepEqual(decodeBody(encodeBody(post)), post)
  })

  it('fills 65,536 bytes and no more', () => {
    const around = encodeBody({ type: 'post', text: 'a'.repeat(60_000) }).length - 60_000
    assert.equal(encodeBody({ type: 'post', text: 'a'.repeat(MAX_BODY_SIZE - around) }).length, MAX_BODY_SIZE)
    assert.throws(
      () => encodeBody({ type: 'post', text: 'a'.repeat(MAX_BODY_SIZE - around + 1) }),
      refuses('BODY_TOO_LARGE', /at most 65536 bytes, this one would have 65537/)
    )
  })

  const mistakes: [FeedErrorCode, string, unknown, RegExp][] = [
    ['BODY_SCHEMA', 'a post without text', { type: 'post' }, /post: text should be there, found nothing/],
    ['BODY_SCHEMA', 'a post of numbers', { type: 'post', text: 5 }, /text should be text, found 5/],
    [
      'BODY_SCHEMA',
      'an empty tag',
      { type: 'post', text: '', tags: ['a', ''] },
      /tags\.1 should be text of 1 to 64 characters, found ""/
    ],
    ['BODY_SCHEMA', 'a tag of 65 characters', { type: 'post', text: '', tags: ['é'.repeat(65)] }, /tags\.0/],
    ['BODY_SCHEMA', 'tags that are no list', { type: 'post', text: '', tags: 'a' }, /tags should be a list, found "a"/],
    [
      'BODY_SCHEMA',
      'a reply by its text',
      { type: 'post', text: '', reply: `${link}` },
      /reply should be a link \(CID\), found "bafk/
    ],
    [
      'BODY_SCHEMA',
      'an expiry with a fraction',
      { type: 'post', text: '', expires: 1.5 },
      /expires should be an integer/
    ],
    [
      'BODY_SCHEMA',
      'a short salt',
      { type: 'post', text: '', salt: salt.subarray(1) },
      /salt should be 16 bytes, found 15 bytes/
    ],
    [
      'BODY_SCHEMA',
      'an empty reaction',
      { type: 'reaction', to: link, emoji: '' },
      /emoji should be an emoji of 1 to 32 bytes/
    ],
    ['BODY_SCHEMA', 'an erasure of nothing', { type: 'erase', seq: [] }, /at least one seq, found a list of 0/],
    [
      'BODY_SCHEMA',
      'an erasure by links',
      { type: 'erase', seq: [link] },
      /seq\.0 should be an integer from 1 to 4294967295, found an object/
    ],
    [
      'BODY_SCHEMA',
      'a contact by another DID',
      { type: 'contact', contact: 'did:web:a', relation: 'friend' },
      /contact should be the did:key/
    ],
    [
      'BODY_SCHEMA',
      'an unknown relation',
      { type: 'contact', contact: did, relation: 'foe' },
      /relation should be friend, .* found "foe"/
    ],
    [
      'BODY_SCHEMA',
      'a device with half a key',
      { ...known[5], device: new Uint8Array(16) },
      /device should be 32 bytes, found 16 bytes/
    ],
    ['BODY_TYPE', 'an empty type', { type: '' }, /1 to 64 bytes/],
    ['BODY_TYPE', 'a type of 65 bytes', { type: 'a'.repeat(65) }, /1 to 64 bytes/],
    ['BODY_TYPE', 'no type', { text: 'a' }, /type/],
    ['BODY_SALT', 'a short salt in an unknown type', { type: 'poll', salt: salt.subarray(1) }, /16 bytes/],
    ['BODY_NOT_MAP', 'null', null, /found null/],
    ['BODY_NOT_MAP', 'a list', [], /found a list of 0/],
    ['BODY_NOT_MAP', 'text', 'post', /found "post"/],
    ['CBOR_FLOAT', 'a fraction in an unknown type', { type: 'poll', share: 0.5 }, /share is 0\.5/],
    ['CBOR_UTF8', 'a lone surrogate', { type: 'post', text: '\udc00' }, /text is text with a lone surrogate/]
  ]
  for (const [code, name, body, message] of mistakes) {
    it(`refuses ${name}`, () => assert.throws(() => encodeBody(body as Body), refuses(code, message)))
  }

  it('goes by characters, not code units, in names and tags', () => {
    assert.doesNotThrow(() => encodeBody({ type: 'post', text: '', tags: ['🙂'.repeat(64)] }))
    assert.throws(() => encodeBody({ type: 'profile', name: '🙂'.repeat(65) }), refuses('BODY_SCHEMA'))
  })
})

describe('checkBody', () => {
  it('never lets through what decodeBody cannot read', () => {
    const bases = known.map((body) => encodeBody(body))
    fc.assert(
      fc.property(fc.constantFrom(...bases), fc.nat(), fc.nat(255), (base, at, to) => {
        const bytes = Uint8Array.from(base)
        bytes[at % bytes.length] = to
        try {
          checkBody(bytes)
        } catch (error) {
          assert.ok(error instanceof FeedError, String(error))
          return
        }
        const body = decodeBody(bytes)
        assert.ok(typeof body.type === 'string' && body.salt?.length === SALT_SIZE)
        renderable(body)
      }),
      { numRuns: 1_000 }
    )
  })

  it('forgets the body before', () => {
    checkBody(encodeBody({ type: 'post', text: '' }))
    assert.throws(() => checkBody(encode({})), refuses('BODY_TYPE'))
    assert.throws(() => checkBody(encode({ type: 'a' })), refuses('BODY_SALT'))
    assert.throws(() => checkBody(encode([{ type: 'a', salt }])), refuses('BODY_NOT_MAP'))
  })
})

describe('renderable', () => {
  it('gives known bodies with their types, and nothing for the others', () => {
    const body = renderable({ type: 'post', text: 'Hello' })
    assert.ok(body?.type === 'post')
    assert.equal(body.text.length, 5)
    assert.equal(renderable({ type: 'poll' }), undefined)
    assert.equal(renderable({ type: 'post', text: 4 }), undefined)
    assert.equal(renderable({ type: 'toString' }), undefined)
  })

  it('knows the schema of each known type', () => {
    for (const { type } of known) assert.ok(schemaOf(type))
    assert.equal(schemaOf('constructor'), undefined)
  })

  it('takes no map with the look of a link for a link', () => {
    assert.equal(renderable({ type: 'reaction', to: { '/': 'a', bytes: 'a' }, emoji: 'x' }), undefined)
    assert.ok(link instanceof CID)
  })
})
