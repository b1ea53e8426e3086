// The API of a real node, asked as friends and as strangers would: over its socket, and over loopback HTTP.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '../../src/api/client.ts'
import { serveApi, type Api } from '../../src/api/index.ts'
import type { Comrade } from '../../src/node/comrade.ts'
import { createNode } from '../../src/node/index.ts'
import { ask, codeOf, type Answer } from './server.ts'

describe('the local API', function () {
  let directory: string
  let node: Comrade
  let api: Api
  let socketPath: string
  let tokenPath: string
  let token: string
  let port: number
  let downs = 0

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'comrade-api-'))
    node = await createNode({ home: join(directory, 'home'), listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
    await node.start()
    socketPath = join(directory, 'home', 'api.sock')
    tokenPath = join(directory, 'home', 'keys', 'api-token')
    api = await serveApi({
      comrade: node,
      socketPath,
      http: { port: 0, tokenPath },
      onDown: async () => {
        downs += 1
      }
    })
    token = (await readFile(tokenPath, 'utf8')).trim()
    port = Number(new URL(api.url!).port)
  })

  after(async () => {
    await api?.close()
    await node?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  /** Over loopback HTTP as its owner would, but for these headers. */
  function askHttp(path: string, headers: Record<string, string> = {}, write?: string): Promise<Answer> {
    const method = write === undefined ? 'GET' : 'POST'
    return ask(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers }
      },
      write
    )
  }

  describe('on the unix socket', () => {
    it('has a socket that only its owner can use', async () => {
      const { mode } = await stat(socketPath)
      assert.equal(mode & 0o777, 0o600)
    })

    it('answers what was asked, with all promised fields', async () => {
      const client = createClient(socketPath)
      const status = await client.get<Record<string, unknown>>('status')
      for (const field of [
        'did',
        'device',
        'peerId',
        'addresses',
        'peers',
        'feeds',
        'entries',
        'bytes',
        'uptimeMs',
        'version'
      ])
        assert.ok(field in status, field)
      const post = await client.post<{ id: string }>('post', { text: 'hello', tags: ['a'] })
      const reply = await client.post<{ id: string }>('post', { text: 'and more', reply: post.id })
      const shown = await client.get<Record<string, unknown>>('show', { id: reply.id })
      assert.deepEqual([shown.text, shown.reply, shown.root, shown.group], ['and more', post.id, post.id, null])
      const entries = await Array.fromAsync(client.lines<{ id: string }>('feed', { limit: 2 }))
      assert.deepEqual(
        entries.map(({ id }) => id),
        [reply.id, post.id]
      )
    })

    it('tells errors with their code and a fitting status', async () => {
      const cases = [
        ['/api/show?id=bafkrei', 400, 'BAD_INPUT'],
        [`/api/show?id=bafkrei${'a'.repeat(52)}`, 404, 'NOT_FOUND'],
        ['/api/feed?who=nobody', 404, 'WHO_UNKNOWN'],
        ['/api/feed?limit=1&limit=2', 400, 'BAD_INPUT'],
        ['/api/nothing', 404, 'NOT_FOUND'],
        ['/', 404, 'NOT_FOUND'],
        ['/../../etc/passwd', 404, 'NOT_FOUND']
      ] as const
      for (const [path, status, code] of cases) {
        const answer = await ask({ socketPath, path })
        assert.deepEqual([path, answer.status, codeOf(answer)], [path, status, code])
      }
    })

    it('refuses bodies that are not JSON in UTF-8', async () => {
      for (const body of ['{', 'text', '\u{feff}{}', '{"text":"a"}{}']) {
        const answer = await ask(
          { socketPath, path: '/api/post', method: 'POST', headers: { 'content-type': 'application/json' } },
          body
        )
        assert.deepEqual([body, answer.status, codeOf(answer)], [body, 400, 'BAD_INPUT'])
      }
    })

    it('gives events from the moment on at which it says so', async () => {
      const client = createClient(socketPath)
      const events = client.lines<Record<string, unknown>>('events')
      assert.equal((await events.next()).value?.event, 'open')
      const { id } = await client.post<{ id: string }>('post', { text: 'seen at once' })
      const { value } = await events.next()
      assert.deepEqual([value?.event, value?.id, value?.text], ['entry', id, 'seen at once'])
      await events.return(undefined)
    })

    it('goes on with what arrives when a feed is followed', async () => {
      const client = createClient(socketPath)
      await client.post('post', { text: 'before' })
      const feed = client.lines<{ text: string }>('feed', { limit: 1, follow: true })
      assert.equal((await feed.next()).value?.text, 'before')
      const next = feed.next()
      await client.post('post', { text: 'after' })
      assert.equal((await next).value?.text, 'after')
      await feed.return(undefined)
    })

    it('answers down when the node has left', async () => {
      await createClient(socketPath).post('down')
      assert.equal(downs, 1)
    })
  })

  describe('on loopback HTTP', () => {
    it('answers its owner', async () => {
      const answer = await askHttp('/api/status')
      assert.equal(answer.status, 200)
      assert.equal((JSON.parse(answer.text) as { did: string }).did, node.identity.did)
    })

    it('keeps its token from others, and out of what it says', async () => {
      assert.equal((await stat(tokenPath)).mode & 0o777, 0o600)
      assert.equal(token.length, 43)
      const { text, headers } = await askHttp('/api/status', { authorization: `Bearer ${token}x` })
      assert.ok(!(text + JSON.stringify(headers)).includes(token))
    })

    it('listens on loopback only', async () => {
      const strange = connect({ port, host: '127.0.0.2' })
      await assert.rejects(once(strange, 'connect'), { code: 'ECONNREFUSED' })
    })

    it('answers 421 to another host, as DNS rebinding sends it', async () => {
      const answer = await askHttp('/api/status', { host: `evil.example:${port}` })
      assert.deepEqual([answer.status, codeOf(answer)], [421, 'MISDIRECTED'])
    })

    it('answers 403 to pages of other origins: form, JSON, null origin, event stream', async () => {
      const form = { origin: 'http://evil.example', 'content-type': 'application/x-www-form-urlencoded' }
      const answers = [
        await askHttp('/api/post', form, 'text=spam'),
        await askHttp('/api/post', { origin: 'http://evil.example' }, '{"text":"spam"}'),
        await askHttp('/api/post', { origin: 'null' }, '{"text":"spam"}'),
        await askHttp('/api/events', { origin: 'http://evil.example' }),
        await askHttp('/api/events', { 'sec-fetch-site': 'cross-site' })
      ]
      assert.deepEqual(
        answers.map(({ status }) => status),
        [403, 403, 403, 403, 403]
      )
      assert.ok(answers.every(({ headers }) => headers['access-control-allow-origin'] === undefined))
    })

    it('allows no preflight', async () => {
      const preflight = {
        origin: 'http://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization'
      }
      const { status, headers } = await ask({
        host: '127.0.0.1',
        port,
        path: '/api/post',
        method: 'OPTIONS',
        headers: preflight
      })
      assert.deepEqual([status, headers['access-control-allow-origin']], [403, undefined])
    })

    it('answers 401 without the token', async () => {
      const { status, headers } = await askHttp('/api/status', { authorization: '' })
      assert.deepEqual([status, headers['www-authenticate']], [401, 'Bearer'])
    })

    it('forbids sniffing, framing, caching and scripts with every answer', async () => {
      for (const answer of [
        await askHttp('/api/status'),
        await askHttp('/nothing'),
        await askHttp('/api/status', { host: 'evil.example' })
      ]) {
        assert.equal(answer.headers['x-content-type-options'], 'nosniff')
        assert.equal(answer.headers['x-frame-options'], 'DENY')
        assert.match(String(answer.headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/)
        assert.equal(answer.headers['cache-control'], 'no-store')
        assert.match(answer.headers['content-type']!, /^application\/json/)
      }
    })

    it('reads and writes no files', async () => {
      const answer = await askHttp('/api/export', {}, JSON.stringify({ file: join(directory, 'stolen') }))
      assert.deepEqual([answer.status, codeOf(answer)], [403, 'NOT_OWN'])
      await assert.rejects(lstat(join(directory, 'stolen')), { code: 'ENOENT' })
    })
  })

  describe('on both', () => {
    const head = (size: string): string =>
      `POST /api/post HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${size}\r\n\r\n`

    /** Sends bytes as they are. @returns all that comes back until the other side closes */
    async function raw(to: { path: string } | { port: number }, text: string): Promise<string> {
      const socket = connect(to)
      socket.on('error', () => {}) // reset by the other side: it does not read what it does not want
      socket.write(text)
      let back = ''
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        back += chunk
      })
      await once(socket, 'close')
      return back
    }

    it('answers 413 to a body of 1 GB before any of it is sent', async () => {
      for (const to of [{ path: socketPath }, { port }])
        assert.match(await raw(to, head('Content-Length: 1000000000')), /^HTTP\/1\.1 413 /)
    })

    it('answers 413 to one that asks whether it may send it', async () => {
      const back = await raw({ port }, head('Expect: 100-continue\r\nContent-Length: 1000000000'))
      assert.match(back, /^HTTP\/1\.1 413 /)
    })

    it('answers 413 to a body without a length, once it is too long', async () => {
      const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`
      for (const options of [{ socketPath }, { host: '127.0.0.1', port }]) {
        const asked = request({
          agent: false,
          ...options,
          path: '/api/post',
          method: 'POST',
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'transfer-encoding': 'chunked'
          }
        })
        asked.on('error', () => {}) // the answer may come before all is sent
        for (let i = 0; i < 20; i++) asked.write(chunk)
        asked.end()
        const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
        assert.equal(response.statusCode, 413)
        response.destroy()
      }
    })

    it('takes a body without a length that is short enough', async () => {
      const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
      const { status, text } = await ask(
        { socketPath, path: '/api/quota', method: 'POST', headers },
        '{"quota":1000000000}'
      )
      assert.deepEqual([status, (JSON.parse(text) as { quota: number }).quota], [200, 1_000_000_000])
    })

    it('goes on after requests that are not HTTP', async () => {
      await raw({ port }, 'GARBAGE\r\n\r\n')
      await raw({ path: socketPath }, '\0\0\0\0\r\n\r\n')
      assert.equal((await askHttp('/api/status')).status, 200)
    })
  })
})

describe('the socket of the local API', () => {
  let directory: string
  let node: Comrade

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'comrade-api-'))
    node = await createNode({ home: join(directory, 'home'), listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
  })

  after(async () => {
    await node?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  const serve = (socketPath: string): Promise<Api> => serveApi({ comrade: node, socketPath, onDown: async () => {} })

  it('replaces one that a killed node has left behind', async () => {
    const path = join(directory, 'stale.sock')
    const dead = createServer().listen(path)
    await once(dead, 'listening')
    const api = await serve(path)
    await createClient(path).get('id')
    await api.close()
    dead.close()
  })

  it('does not remove a file or a link that has its name', async () => {
    const file = join(directory, 'file.sock')
    await writeFile(file, 'precious')
    await assert.rejects(serve(file), { code: 'FAILED', message: /in the way/ })
    assert.equal(await readFile(file, 'utf8'), 'precious')
    const link = join(directory, 'link.sock')
    await symlink(file, link)
    await assert.rejects(serve(link), { code: 'FAILED', message: /in the way/ })
    assert.ok((await lstat(link)).isSymbolicLink())
  })

  it('says that a path is too long', async () => {
    await assert.rejects(serve(join(directory, 'a'.repeat(120))), { code: 'FAILED', message: /shorter --home/ })
  })

  it('is gone when the API has closed, and streams end with a reason', async () => {
    const path = join(directory, 'gone.sock')
    const api = await serve(path)
    const feed = createClient(path).lines('feed', { follow: true })
    const next = Array.fromAsync(feed)
    const ended = assert.rejects(next, { code: 'NOT_RUNNING' })
    await createClient(path).get('id') // the stream's request was taken before this one
    await api.close()
    await ended
    await assert.rejects(lstat(path), { code: 'ENOENT' })
    await assert.rejects(createClient(path).get('id'), { code: 'NOT_RUNNING' })
  })

  it('refuses a token file that is a link, and closes one that others can read', async () => {
    const secret = join(directory, 'secret')
    await writeFile(secret, 'something\n')
    await symlink(secret, join(directory, 'token-link'))
    const linked = serveApi({
      comrade: node,
      socketPath: join(directory, 't.sock'),
      http: { port: 0, tokenPath: join(directory, 'token-link') },
      onDown: async () => {}
    })
    await assert.rejects(linked, { code: 'KEYS_EXPOSED' })
    const open = join(directory, 'token-open')
    await writeFile(open, 'x'.repeat(43))
    await chmod(open, 0o644)
    const api = await serveApi({
      comrade: node,
      socketPath: join(directory, 't.sock'),
      http: { port: 0, tokenPath: open },
      onDown: async () => {}
    })
    assert.equal((await stat(open)).mode & 0o777, 0o600)
    await api.close()
  })
})
