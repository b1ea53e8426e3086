// Files that are handed over to be attached, by pages and by whoever is no page of the node's.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { MAX_UPLOAD_SIZE } from '../../src/api/guard.ts'
import type { UploadShape } from '../../src/api/shapes.ts'
import { type Answer, ask, closed, codeOf, served, type Served } from './server.ts'

const FRIEND = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'

/** Whether a file of the folder of blobs is one that is being written. */
const isComing = (name: string): boolean => name.startsWith('new-')

describe('files that are handed over to be attached', () => {
  let there: Served
  let port: number
  let token: string

  before(async () => {
    there = await served({ port: 0 }, { headersMs: 5_000, requestMs: 1_000, uploadMs: 20_000 })
    port = Number(new URL(there.api.url!).port)
    token = await there.token()
    await there.node.contacts.follow(FRIEND)
  })

  after(() => there?.[Symbol.asyncDispose]())

  function options(query: Record<string, string>, headers: Record<string, string | undefined> = {}) {
    const all = { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', ...headers }
    const sent = Object.entries(all).filter(([, value]) => value !== undefined)
    const path = `/api/files?${new URLSearchParams(query).toString()}`
    return { host: '127.0.0.1', port, method: 'POST', path, headers: Object.fromEntries(sent) }
  }

  async function upload(data: Buffer, query: Record<string, string>): Promise<UploadShape> {
    const answer = await ask(options(query, { 'content-length': String(data.length) }), data)
    assert.equal(answer.status, 200, answer.text)
    return JSON.parse(answer.text) as UploadShape
  }

  function post(path: string, body: object): Promise<Answer> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    return ask({ host: '127.0.0.1', port, method: 'POST', path: `/api/${path}`, headers }, JSON.stringify(body))
  }

  const blobs = async (): Promise<string[]> => readdir(join(there.node.home, 'blobs'))

  /** Blobs are written and let go behind. */
  async function settled(expected: (files: string[]) => boolean): Promise<void> {
    const limit = AbortSignal.timeout(20_000)
    while (!expected(await blobs())) {
      limit.throwIfAborted()
      await wait(20)
    }
  }

  it('go with a post, with what they show, and are then used up', async () => {
    const text = Buffer.from('the map of the orchard')
    const { id, expires, ...said } = await upload(text, { name: 'map.txt', mime: 'text/plain' })
    assert.deepEqual(said, { name: 'map.txt', size: text.length, mime: 'text/plain' })
    assert.ok(Date.parse(expires) > Date.now())
    const answer = await post('post', { text: 'look', files: [{ id, alt: 'a map' }] })
    const { id: entry } = JSON.parse(answer.text) as { id: string }
    const item = await there.node.feeds.get(entry)
    assert.equal(item?.files?.[0].alt, 'a map')
    assert.equal(item?.files?.[0].isHere, true)
    const got = await ask({ ...options({}), method: 'GET', path: `/api/file?id=${entry}` })
    assert.equal(got.text, text.toString())
    const again = await post('post', { text: 'again', files: [{ id }] })
    assert.deepEqual([again.status, codeOf(again)], [404, 'NOT_FOUND'])
  })

  it('go with a post without a word, and with a message, sealed', async () => {
    const secret = randomBytes(40_000)
    const picture = await upload(Buffer.from('GIF89a'), { name: 'a.gif' })
    assert.equal((await post('post', { files: [{ id: picture.id }] })).status, 200)
    assert.equal((await post('post', {})).status, 400)
    const { id } = await upload(secret, { name: 'keys' })
    const answer = await post('message', { who: FRIEND, file: { id, alt: 'a bunch of keys' } })
    assert.equal(answer.status, 200, answer.text)
    const { attachment } = JSON.parse(answer.text) as { attachment: { alt: string; isHere: boolean } }
    assert.deepEqual([attachment.alt, attachment.isHere], ['a bunch of keys', true])
  })

  it('are not readable on the disk as long as they wait, and leave it when they are let go', async () => {
    const before = new Set(await blobs())
    const mark = 'nobody else may read this'
    const { id } = await upload(Buffer.from(mark.repeat(100)), { name: 'diary.txt' })
    const fresh = (await blobs()).filter((name) => !before.has(name))
    assert.equal(fresh.length, 2)
    for (const name of fresh)
      assert.ok(!(await readFile(join(there.node.home, 'blobs', name))).includes('nobody else'), name)
    assert.deepEqual(JSON.parse((await post('files/discard', { id })).text), { id, discarded: true })
    assert.deepEqual(JSON.parse((await post('files/discard', { id })).text), { id, discarded: false })
    await settled((names) => names.every((name) => before.has(name)))
  })

  for (const [name, kept] of [
    ['../../etc/passwd', 'passwd'],
    ['/etc/shadow', 'shadow'],
    ['C:\\boot.ini', 'boot.ini'],
    ['a\0b.png', 'a_b.png'],
    ['\u202egnp.exe', '_gnp.exe'],
    ['..', 'attachment'],
    ['x'.repeat(300), 'x'.repeat(255)]
  ])
    it(`are one name and no path: ${JSON.stringify(name.slice(0, 20))}`, async () => {
      const { id, name: given } = await upload(Buffer.from('x'), { name })
      assert.equal(given, kept)
      await post('files/discard', { id })
    })

  it('are never a page, whatever they are called', async () => {
    const page = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    for (const query of [
      { name: 'a.png', mime: 'image/png' },
      { name: 'a.svg', mime: 'image/svg+xml' },
      { name: 'a.html', mime: 'text/html' }
    ]) {
      const { id } = await upload(page, query)
      const { id: entry } = JSON.parse((await post('post', { files: [{ id }] })).text) as { id: string }
      const { headers } = await ask({ ...options({}), method: 'GET', path: `/api/file?id=${entry}` })
      assert.equal(headers['content-type'], query.name === 'a.png' ? 'image/png' : 'application/octet-stream')
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.match(String(headers['content-disposition']), /^attachment/)
    }
    const wrong = await ask(options({ name: 'a', mime: 'text/html\r\nX: y' }, { 'content-length': '1' }), 'x')
    assert.equal(wrong.status, 400)
  })

  it('are refused by their head: foreign pages, strangers, forms, no length, too much', async () => {
    const refusal = async (
      headers: Record<string, string | undefined>,
      query = { name: 'a' }
    ): Promise<[number, string]> => {
      const answer = await ask(options(query, { 'content-length': '1', ...headers }), 'x')
      return [answer.status, codeOf(answer)]
    }
    assert.deepEqual(await refusal({ origin: 'http://evil.example' }), [403, 'FORBIDDEN'])
    assert.deepEqual(await refusal({ 'sec-fetch-site': 'cross-site' }), [403, 'FORBIDDEN'])
    assert.deepEqual(await refusal({ authorization: undefined }), [401, 'UNAUTHORIZED'])
    assert.deepEqual(await refusal({ host: `evil.example:${port}` }), [421, 'MISDIRECTED'])
    for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/json', undefined])
      assert.deepEqual(await refusal({ 'content-type': type }), [415, 'UNSUPPORTED_TYPE'], type)
    const chunked = { 'content-length': undefined, 'transfer-encoding': 'chunked' }
    assert.deepEqual(await refusal(chunked), [411, 'LENGTH_REQUIRED'])
    for (const size of [MAX_UPLOAD_SIZE + 1, 2 ** 30])
      assert.deepEqual(await refusal({ 'content-length': String(size) }), [413, 'TOO_LARGE'])
    assert.deepEqual((await ask(options({ name: 'a' }, { 'content-length': '0' }))).status, 400)
    assert.deepEqual((await ask(options({}, { 'content-length': '1' }), 'x')).status, 400, 'no name')
  })

  it('leave nothing when they break off', async () => {
    const asked = request(options({ name: 'half' }, { 'content-length': '5000000' }))
    asked.on('error', () => {})
    asked.write(Buffer.alloc(1_000_000))
    await settled((names) => names.some(isComing))
    asked.destroy()
    await settled((names) => !names.some(isComing))
  })

  it('are ended when they come a byte at a time, and leave nothing', async () => {
    const head = [
      'POST /api/files?name=slow HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      `Authorization: Bearer ${token}`,
      'Content-Type: application/octet-stream',
      'Content-Length: 100000',
      '\r\n'
    ]
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    let back = ''
    socket.setEncoding('utf8').on('data', (text: string) => (back += text))
    socket.write(head.join('\r\n'))
    const timer = setInterval(() => socket.write('x'), 50)
    await closed(socket)
    clearInterval(timer)
    assert.match(back, /^HTTP\/1\.1 408 /)
    await settled((names) => !names.some(isComing))
  })

  it('may take longer than other requests as long as they come', async () => {
    const size = 400_000
    const asked = request(options({ name: 'steady' }, { 'content-length': String(size) }))
    const answered = once(asked, 'response') as Promise<[{ statusCode: number }]>
    for (let sent = 0; sent < size; sent += 50_000) {
      asked.write(Buffer.alloc(50_000))
      await wait(250)
    }
    asked.end()
    const [{ statusCode }] = await answered
    assert.equal(statusCode, 200)
  })
})
