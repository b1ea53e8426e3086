// What the API takes and refuses, as tables of inputs.
import assert from 'node:assert/strict'
import { parseRequest, requests } from '../../src/api/requests.ts'

const ID = 'bafkrei' + 'a'.repeat(52)

function refuses(name: keyof typeof requests, input: unknown, message: RegExp): void {
  assert.throws(() => parseRequest(requests[name], input), { name: 'NodeError', code: 'BAD_INPUT', message })
}

describe('input of the API', () => {
  it('takes what is right and adds nothing to it', () => {
    assert.deepEqual(parseRequest(requests.post, { text: 'hi', reply: ID, tags: ['a'], expiresInMs: 1 }), {
      text: 'hi',
      reply: ID,
      tags: ['a'],
      expiresInMs: 1
    })
    assert.deepEqual(parseRequest(requests.feed, { limit: '10', follow: 'true' }), { limit: 10, follow: true })
    assert.deepEqual(parseRequest(requests.profile, { name: '' }), { name: '' })
    assert.deepEqual(parseRequest(requests.nothing, {}), {})
  })

  it('refuses what is not an object', () => {
    for (const input of [null, undefined, 1, 'text', [], true]) refuses('react', input, /JSON object|id is missing/)
  })

  it('names the field that is missing, unknown or wrong', () => {
    refuses('react', {}, /^id is missing$/)
    refuses('post', { text: 'a', txt: 'b' }, /^txt is not known here$/)
    refuses('post', { text: '' }, /^text must not be empty$/)
    refuses('post', { text: 1 }, /^text must be text$/)
    refuses('post', { text: 'a', tags: ['a', 'b c'] }, /^tags\.1 /)
  })

  it('refuses text over the limit, counted in bytes', () => {
    assert.equal(parseRequest(requests.post, { text: 'é'.repeat(32_768) }).text?.length, 32_768)
    refuses('post', { text: 'é'.repeat(32_769) }, /at most 65536 bytes/)
  })

  it('refuses lone surrogates, which have no UTF-8', () => {
    refuses('post', { text: 'a\ud800b' }, /well-formed/)
    refuses('name', { who: 'alice', petname: '\udc00' }, /well-formed/)
  })

  const notIds = [
    '',
    ID + 'a',
    ID.slice(1),
    ID.toUpperCase(),
    `${ID}\n`,
    'bafybei' + 'a'.repeat(52),
    '../../etc/passwd',
    7,
    null,
    [ID]
  ]
  for (const id of notIds) it(`refuses ${JSON.stringify(id)} as an id`, () => refuses('entry', { id }, /^id /))

  const notLimits = ['0', '-1', '1.5', '1e3', '10001', '9'.repeat(20), 'NaN', ' 5', '']
  for (const limit of notLimits)
    it(`refuses ${JSON.stringify(limit)} as a limit`, () => refuses('feed', { limit }, /^limit /))

  const notFiles = ['', 'feeds.car', './feeds', '../feeds', '/tmp/a\0b', `/${'a'.repeat(4_096)}`]
  for (const file of notFiles)
    it(`refuses ${JSON.stringify(file.slice(0, 20))} as a file`, () => refuses('export', { file }, /^file /))

  const notQuotas = [-1, 1.5, NaN, Infinity, 2 ** 53, '5']
  for (const quota of notQuotas) it(`refuses ${String(quota)} as a quota`, () => refuses('quota', { quota }, /^quota /))

  it('takes those settings alone that a running node changes', () => {
    assert.deepEqual(parseRequest(requests.config, { key: 'privacy', value: null }), { key: 'privacy', value: null })
    for (const key of ['listen', 'peers', 'logLevel', '__proto__', 'toString'])
      refuses('config', { key, value: 'off' }, /^key must be one of privacy, /)
    for (const value of [7, ['/ip4/192.0.2.1/tcp/1'], {}, 'a'.repeat(65)])
      refuses('config', { key: 'relay', value }, /^value /)
  })

  it('takes a new group, and refuses what it does not know about one', () => {
    const group = { name: 'portland', quorum: 'isqrt', open: false, history: true }
    assert.deepEqual(parseRequest(requests.newGroup, group), group)
    refuses('newGroup', { name: 'a'.repeat(65) }, /^name must have at most 64 characters$/)
    refuses('newGroup', { name: 'portland', open: 'yes' }, /^open must be true or false$/)
    refuses('newGroup', { name: 'portland', founders: [] }, /^founders is not known here$/)
  })

  const notMotions = ['', 'BAFKREI', 'bafkrei/..', 'a'.repeat(60), 7]
  for (const motion of notMotions)
    it(`refuses ${JSON.stringify(motion)} as a motion`, () =>
      refuses('groupMotion', { group: 'g', motion }, /^motion /))

  it('refuses __proto__ as a field, and it changes nothing', () => {
    refuses('person', JSON.parse('{"who":"alice","__proto__":{"isAdmin":true}}'), /^__proto__ is not known here$/)
    assert.equal(({} as Record<string, unknown>).isAdmin, undefined)
  })

  it('refuses hundreds of tags', () =>
    refuses('post', { text: 'a', tags: Array(33).fill('a') }, /^tags must be at most 32/))
})
