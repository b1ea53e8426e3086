// How a browser comes to use a node, and what it and others may not: against the real server.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { createContext, runInContext } from 'node:vm'
import { OPEN_SCRIPT } from '../../src/api/open-page.ts'
import { blobCid } from '../../src/blobs/index.ts'
import { ask, asked, Browser, closed, codeOf, served, type Served } from './server.ts'

interface Opened {
  url: string
  expires: string
}

function codeIn(url: string): string {
  return new URL(url).hash.slice(1)
}

describe('a browser', () => {
  let there: Served
  /** Told when the node began to listen. */
  const opened: string[] = []

  before(async () => {
    there = await served({ onOpened: (url) => opened.push(url) })
  })

  after(() => there?.[Symbol.asyncDispose]())

  /** A browser that was let in. */
  async function letIn(): Promise<Browser> {
    const { url } = await there.client.post<Opened>('open')
    const browser = new Browser(url)
    assert.equal((await browser.post('/api/session', { code: codeIn(url) })).status, 200)
    return browser
  }

  it('finds nobody on loopback until it is let in, and nobody again when all were shut out', async () => {
    assert.equal(there.api.url, undefined)
    const browser = await letIn()
    assert.equal(there.api.url, browser.base.origin)
    assert.deepEqual(opened, [browser.base.origin])
    assert.equal((await browser.get('/api/status')).status, 200)
    assert.deepEqual(await there.client.post('open/end'), { ended: 1 })
    assert.equal(there.api.url, undefined)
    await assert.rejects(browser.get('/api/status'), { code: 'ECONNREFUSED' })
  })

  it('gets an address with a code in the fragment, and neither token nor code anywhere else', async () => {
    const { url, expires } = await there.client.post<Opened>('open')
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/open#[\w-]{43}$/)
    const leftMs = Date.parse(expires) - Date.now()
    assert.ok(leftMs > 30_000 && leftMs <= 60_000, `${leftMs}`)
    const browser = new Browser(url)
    const answers = [
      await browser.get('/open'),
      await browser.post('/api/session', { code: codeIn(url) }),
      await browser.get('/api/status')
    ]
    const said = answers.map(({ text, headers }) => text + JSON.stringify(headers)).join()
    assert.ok(!said.includes(await there.token()))
    assert.ok(!said.includes(codeIn(url)))
    assert.ok(!url.includes(await there.token()))
  })

  it('gets a cookie that no script, no other site and no other path can have', async () => {
    const { url } = await there.client.post<Opened>('open')
    const browser = new Browser(url)
    const { headers } = await browser.post('/api/session', { code: codeIn(url) })
    const [line, ...more] = headers['set-cookie'] ?? []
    assert.deepEqual(more, [])
    assert.match(line, new RegExp(`^comrade-${browser.base.port}=[\\w-]{43}; `))
    for (const attribute of ['Path=/api', 'HttpOnly', 'SameSite=Strict'])
      assert.ok(line.split('; ').includes(attribute), line)
  })

  it('reads and writes as its user, by the cookie alone', async () => {
    const browser = await letIn()
    const { status, text } = await browser.post('/api/post', { text: 'from a browser' })
    assert.equal(status, 200)
    const { id } = JSON.parse(text) as { id: string }
    const shown = await browser.get(`/api/show?id=${id}`)
    assert.equal((JSON.parse(shown.text) as { text: string }).text, 'from a browser')
  })

  it('is let in once by an address; a second use shuts the first one out', async () => {
    const { url } = await there.client.post<Opened>('open')
    const [first, second, other] = [new Browser(url), new Browser(url), await letIn()]
    assert.equal((await first.post('/api/session', { code: codeIn(url) })).status, 200)
    const refused = await second.post('/api/session', { code: codeIn(url) })
    assert.deepEqual([refused.status, codeOf(refused), refused.headers['set-cookie']], [409, 'USED', undefined])
    assert.equal((await first.get('/api/status')).status, 401)
    assert.equal((await other.get('/api/status')).status, 200)
  })

  it('is not let in by what is no code', async () => {
    const browser = await letIn()
    const stranger = new Browser(browser.base.href)
    const unknown = await stranger.post('/api/session', { code: 'x'.repeat(43) })
    assert.deepEqual([unknown.status, codeOf(unknown)], [410, 'EXPIRED'])
    for (const code of ['', 'x', 'x'.repeat(44), 7, null, [await there.token()]])
      assert.equal((await stranger.post('/api/session', { code })).status, 400)
    const asCookie = { cookie: `comrade-${browser.base.port}=${await there.token()}` }
    assert.equal((await stranger.get('/api/status', asCookie)).status, 401)
  })

  it('is told at once that a stranger may not send much', async () => {
    const browser = new Browser((await letIn()).base.href)
    const body = JSON.stringify({ code: 'x'.repeat(2_000) })
    const sent = [
      await browser.post('/api/session', body),
      await browser.post('/api/session', body, { 'transfer-encoding': 'chunked' }),
      await browser.post('/api/session?x=1', body)
    ]
    assert.deepEqual(
      sent.map(({ status }) => status),
      [413, 413, 413]
    )
    const code = { code: codeIn((await there.client.post<Opened>('open')).url) }
    assert.equal((await browser.post('/api/session', code, { 'transfer-encoding': 'chunked' })).status, 200)
  })

  it('cannot make addresses for others', async () => {
    const answer = await (await letIn()).post('/api/open')
    assert.deepEqual([answer.status, codeOf(answer)], [403, 'NOT_OWN'])
  })

  it('ends its own session, and no other', async () => {
    const [one, other] = [await letIn(), await letIn()]
    const stolen = new Map(one.cookies)
    assert.equal((await one.post('/api/session/end')).status, 200)
    assert.equal(one.cookies.size, 0)
    for (const [name, value] of stolen) one.cookies.set(name, value)
    assert.equal((await one.get('/api/status')).status, 401)
    assert.equal((await other.get('/api/status')).status, 200)
  })

  it('loses its streams with its session', async () => {
    const browser = await letIn()
    const response = await asked(browser.options('GET', '/api/events'))
    await once(response, 'data')
    response.on('error', () => {}) // cut off in the middle
    const closed = new Promise((resolve) => response.once('close', resolve))
    await browser.post('/api/session/end')
    await closed
  })

  it('reads what happens, and after a break what it has missed', async () => {
    const browser = await letIn()
    const first = await events(browser)
    assert.equal((await first.next()).event, 'open')
    const { id } = await there.node.feeds.publish({ type: 'post', text: 'seen' })
    const seen = await first.next()
    assert.deepEqual([seen.event, seen.id], ['entry', id])
    first.leave()
    const missed = await there.node.feeds.publish({ type: 'post', text: 'missed' })
    const second = await events(browser, first.lastId())
    assert.equal((await second.next()).event, 'open')
    assert.equal((await second.next()).id, missed.id)
    second.leave()
    const third = await events(browser, 'deadbeef-1')
    assert.deepEqual([(await third.next()).event, (await third.next()).event], ['open', 'reset'])
    third.leave()
  })

  it('is not confused by cookies of the same name that another port has set', async () => {
    const browser = await letIn()
    const name = `comrade-${browser.base.port}`
    const own = browser.cookies.get(name)!
    assert.equal((await browser.get('/api/status', { cookie: `${name}=x; ${name}=${own}; a=b` })).status, 200)
    assert.equal((await browser.get('/api/status', { cookie: `x${name}=${own}; ${name}x=${own}` })).status, 401)
    assert.equal((await browser.get('/api/status', { cookie: `comrade-1=${own}` })).status, 401)
  })

  it('may read a page that asks nothing of anybody but the node, and cannot be framed', async () => {
    const browser = await letIn()
    const { status, headers, text } = await new Browser(browser.base.href).get('/open', { 'sec-fetch-site': 'none' })
    assert.deepEqual([status, headers['content-type']], [200, 'text/html; charset=UTF-8'])
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; .*connect-src 'self'; frame-ancestors 'none'/)
    assert.ok(!policy.includes('unsafe'))
    for (const [kind, pattern] of [
      ['script', /<script type="module">(.*?)<\/script>/s],
      ['style', /<style>(.*?)<\/style>/s]
    ] as const) {
      const hash = createHash('sha256').update(pattern.exec(text)![1]).digest('base64')
      assert.ok(policy.includes(`${kind}-src 'sha256-${hash}'`), kind)
    }
    assert.deepEqual([headers['x-frame-options'], headers['x-content-type-options']], ['DENY', 'nosniff'])
    assert.ok(!/https?:/.test(text), 'loads nothing from elsewhere')
  })

  for (const hasPage of [true, false]) {
    it(`trades the code by that page, which takes it out of the address first${hasPage ? ', and goes on' : ''}`, async () => {
      const { url } = await there.client.post<Opened>('open')
      const browser = new Browser(url)
      const [state, end] = [{ textContent: '' }, Date.now() + 20_000]
      let address = url
      const go = (to: string): void => void (address = new URL(to, url).href)
      runOpenScript({
        location: { hash: new URL(url).hash, replace: go },
        history: { replaceState: (_state: null, _title: string, to: string) => go(to) },
        navigator: { language: 'en' },
        document: { getElementById: () => state },
        fetch: async (path: string, { method = 'GET', body }: { method?: string; body?: string } = {}) => {
          assert.ok(!address.includes(codeIn(url)), 'the code is no longer in the address')
          if (path === '/') return { ok: hasPage }
          const answer = method === 'POST' ? await browser.post(path, body) : await browser.get(path)
          return { ok: answer.status === 200, json: async () => JSON.parse(answer.text) as unknown }
        }
      })
      const isDone = (): boolean => state.textContent !== '' || address === `${browser.base.origin}/`
      while (!isDone() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
      assert.equal(browser.cookies.size, 1)
      assert.equal(address, `${browser.base.origin}/${hasPage ? '' : 'open'}`)
      assert.equal(state.textContent.includes(there.node.identity.did), !hasPage, state.textContent)
    })
  }

  describe('that shows pages of others', () => {
    const foreign: [name: string, headers: Record<string, string | undefined>, status: number][] = [
      ['a form', { origin: 'http://evil.example', 'content-type': 'application/x-www-form-urlencoded' }, 403],
      ['JSON', { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
      ['a null origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }, 403],
      ['another port', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }, 403],
      ['localhost for 127.0.0.1', { origin: 'http://localhost' }, 403],
      ['no origin', { origin: undefined }, 403],
      ['no word on the site', { 'sec-fetch-site': undefined }, 403],
      ['typed by the user', { 'sec-fetch-site': 'none' }, 403],
      ['DNS rebinding', { host: 'evil.example', origin: 'http://evil.example' }, 421],
      ['a wrong token beside the cookie', { authorization: 'Bearer x' }, 401]
    ]
    for (const [name, headers, status] of foreign) {
      it(`changes nothing by the cookie: ${name} gets ${status}`, async () => {
        const browser = await letIn()
        const before = (await there.node.status()).entries
        assert.equal((await browser.post('/api/post', { text: 'spam' }, headers)).status, status)
        assert.equal((await there.node.status()).entries, before)
      })
    }

    it('does not let them trade a code', async () => {
      const { url } = await there.client.post<Opened>('open')
      const code = { code: codeIn(url) }
      const browser = new Browser(url)
      for (const [, headers, status] of foreign)
        assert.equal((await browser.post('/api/session', code, headers)).status, status)
      assert.equal((await browser.post('/api/session', code)).status, 200)
    })

    it('does not let them read: script, image, frame, event stream', async () => {
      const browser = await letIn()
      const kinds = ['script', 'image', 'iframe', 'empty']
      for (const destination of kinds)
        for (const site of ['cross-site', 'same-site'])
          for (const path of ['/api/status', '/api/events', '/open'])
            assert.equal(
              (await browser.get(path, { 'sec-fetch-site': site, 'sec-fetch-dest': destination })).status,
              403
            )
    })

    it('changes nothing by GET, whatever the path', async () => {
      const browser = await letIn()
      const before = (await there.node.status()).entries
      for (const path of ['/api/post?text=spam', '/api/down', '/api/open/end', '/api/session?code=x'])
        assert.equal((await browser.get(path)).status, 404, path)
      assert.equal((await there.node.status()).entries, before)
    })

    it('gives strangers nothing that lies behind the files of the page', async () => {
      const stranger = new Browser((await letIn()).base.href)
      for (const path of ['/web/../api/status', '/open/../api/status', '/web/%2e%2e/api/status', '//api/status'])
        assert.equal((await stranger.get(path)).status, 401, path)
    })

    it('begins no stream for its head alone', async () => {
      const browser = await letIn()
      assert.equal((await ask(browser.options('HEAD', '/api/events'))).status, 404)
    })

    it('opens no WebSocket', async () => {
      const browser = await letIn()
      const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-key': 'x', origin: 'null' }
      assert.equal((await browser.get('/api/events', upgrade)).status, 403)
    })
  })

  it('shows text of others as JSON that is never a page', async () => {
    const browser = await letIn()
    const text = '<script>alert(1)</script><svg onload=alert(1)><img src=http://evil.example/x>[x](javascript:alert(1))'
    const { id } = JSON.parse((await browser.post('/api/post', { text })).text) as { id: string }
    const { headers } = await browser.get(`/api/show?id=${id}`)
    assert.match(headers['content-type']!, /^application\/json/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.match(String(headers['content-security-policy']), /^default-src 'none'/)
  })

  describe('that fetches files of others', () => {
    const page = Buffer.from('<script>fetch("/api/down", { method: "POST" })</script>')
    const hostile = [
      { data: page, name: 'page.html', mime: 'text/html' },
      { data: page, name: 'drawing.svg', mime: 'image/svg+xml' },
      { data: page, name: 'photo.png', mime: 'image/png' },
      { data: page, name: '../../"; x="\r\nSet-Cookie: a=b; \u202egnp.exe', mime: 'text/html\r\nSet-Cookie: a=b' },
      { data: page, name: '💾'.repeat(300) }
    ]

    it('gets them as files to be kept, whatever their authors call them', async () => {
      const browser = await letIn()
      for (const file of hostile) {
        const { id } = await there.node.feeds.publish({ type: 'post', text: 'look' }, { files: [file] })
        const { status, headers, text } = await browser.get(`/api/file?id=${id}`)
        assert.deepEqual([status, text], [200, page.toString()], file.name)
        const type = file.name === 'photo.png' ? 'image/png' : 'application/octet-stream'
        assert.deepEqual([headers['content-type'], headers['x-content-type-options']], [type, 'nosniff'])
        assert.match(String(headers['content-disposition']), /^attachment; filename\*=UTF-8''[\w.!~%-]+$/)
        assert.match(String(headers['content-security-policy']), /^default-src 'none'/)
        assert.equal(headers['set-cookie'], undefined)
        assert.equal((await browser.get(`/api/file?id=${id}&index=1`)).status, 404)
        assert.equal((await browser.get(`/api/file?id=${id}`, { 'sec-fetch-site': 'cross-site' })).status, 403)
      }
    })

    it('gets one of a post though nobody has another one', async () => {
      const browser = await letIn()
      const missing = { blobs: [blobCid(Buffer.alloc(32))], files: [{ name: 'a', size: 9 }] }
      const { id } = await there.node.feeds.publish({ type: 'post', text: 'two', ...missing }, { files: [hostile[0]] })
      assert.equal((await browser.get(`/api/file?id=${id}&index=1`)).text, page.toString())
    })

    it('gets what it only draws as far as there is room', async () => {
      const browser = await letIn()
      const missing = { blobs: [blobCid(Buffer.alloc(32))], files: [{ name: 'a', size: 9, mime: 'image/png' }] }
      const { id } = await there.node.feeds.publish({ type: 'post', text: 'one', ...missing })
      const { quota } = await there.node.quota()
      await there.node.quota(0)
      const answer = await browser.get(`/api/file?id=${id}`, { 'sec-fetch-dest': 'image' })
      assert.deepEqual([answer.status, codeOf(answer)], [404, 'NOT_FOUND'])
      await there.node.quota(quota)
    })

    it('gets those of messages in the same way, and is told where there are none', async () => {
      const browser = await letIn()
      const friend = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
      await there.node.contacts.follow(friend)
      const message = await there.node.messages.send(friend, { attachment: hostile[0] })
      const { headers, text } = await browser.get(`/api/messages/file?id=${message.id}`)
      assert.equal(text, page.toString())
      assert.equal(headers['content-disposition'], "attachment; filename*=UTF-8''page.html")
      const { id } = await there.node.feeds.publish({ type: 'post', text: 'nothing but words' })
      assert.equal((await browser.get(`/api/file?id=${id}`)).status, 404)
      assert.equal((await browser.get(`/api/messages/file?id=${'0'.repeat(32)}`)).status, 404)
    })
  })
})

describe('a node that was started with a port', () => {
  it('goes on listening when browsers are shut out', async () => {
    await using there = await served({ port: 0 })
    const { url } = await there.client.post<Opened>('open')
    assert.equal(new URL(url).origin, there.api.url)
    const browser = new Browser(url)
    await browser.post('/api/session', { code: codeIn(url) })
    await there.client.post('open/end')
    assert.equal((await browser.get('/api/status')).status, 401)
    const owner = { authorization: `Bearer ${await there.token()}` }
    assert.equal((await browser.get('/api/status', { ...owner, cookie: undefined })).status, 200)
  })
})

describe('a node that leaves', () => {
  it('answers who made it leave by HTTP, however long that takes', async () => {
    let leave = (): void => {}
    const left = new Promise<void>((resolve) => (leave = resolve))
    await using there = await served({ port: 0 }, undefined, async () => {
      there.api.retire()
      await left
    })
    const browser = new Browser(there.api.url!)
    const answer = browser.post('/api/down', {}, { authorization: `Bearer ${await there.token()}` })
    setTimeout(leave, 1_500)
    assert.equal((await answer).status, 200)
  })

  it('lets nobody in any more', async () => {
    await using there = await served()
    const pending = [there.client.post('open'), there.client.post('open/end'), there.client.post('open')]
    await Promise.allSettled(pending)
    await there.api.close()
    assert.ok(
      there.api.url === undefined ||
        (await fetch(there.api.url).then(
          () => false,
          () => true
        ))
    )
  })
})

describe('slow requests', () => {
  const timeouts = { headersMs: 1_000, requestMs: 2_000, uploadMs: 5_000 }
  let there: Served
  let port: number

  before(async () => {
    there = await served({ port: 0 }, timeouts)
    port = Number(new URL(there.api.url!).port)
  })

  after(() => there?.[Symbol.asyncDispose]())

  /** Sends bytes, one every 50 ms, until the other side closes. @returns what came back */
  async function trickle(begin: string, rest: string): Promise<string> {
    const socket = connect(port, '127.0.0.1')
    let back = ''
    socket.on('error', () => {}) // written to a connection that was just closed
    socket.setEncoding('utf8').on('data', (text: string) => (back += text))
    socket.write(begin)
    let at = 0
    const timer = setInterval(() => socket.write(rest[at++ % rest.length]), 50)
    await closed(socket)
    clearInterval(timer)
    return back
  }

  it('are ended while the head comes a byte at a time', async () => {
    assert.match(await trickle('GET /api/status HTTP/1.1\r\n', 'X-A: b\r\n'), /^(HTTP\/1\.1 408 |$)/)
  })

  it('are ended while the body comes a byte at a time', async () => {
    const head = [
      'POST /api/post HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      `Authorization: Bearer ${await there.token()}`,
      'Content-Type: application/json',
      'Content-Length: 100000',
      '\r\n'
    ]
    assert.match(await trickle(head.join('\r\n'), ' '), /^(HTTP\/1\.1 408 |$)/)
    assert.equal((await there.node.status()).entries, 1, 'nothing was written but the identity')
  })

  it('do not keep others out for long, though silent ones take all places', async () => {
    const silent = Array.from({ length: 300 }, () =>
      connect(port, '127.0.0.1')
        .on('error', () => {})
        .resume()
    )
    await Promise.all(silent.map(closed))
    const { status } = await ask({
      host: '127.0.0.1',
      port,
      path: '/api/status',
      headers: { authorization: `Bearer ${await there.token()}` }
    })
    assert.equal(status, 200)
  })
})

function runOpenScript(globals: Record<string, unknown>): void {
  runInContext(OPEN_SCRIPT, createContext(globals), { timeout: 5_000 })
}

interface Events {
  next(): Promise<Record<string, unknown>>
  lastId(): string
  leave(): void
}

/** Reads the event stream as an EventSource does. */
async function events(browser: Browser, lastId?: string): Promise<Events> {
  const headers = { accept: 'text/event-stream', 'last-event-id': lastId }
  const response = await asked(browser.options('GET', '/api/events', headers))
  assert.deepEqual([response.statusCode, response.headers['content-type']], [200, 'text/event-stream'])
  const lines = createInterface({ input: response })[Symbol.asyncIterator]()
  let id = ''
  return {
    async next() {
      for (;;) {
        const { value, done } = await lines.next()
        assert.ok(!done, 'the stream has ended')
        if (value.startsWith('id: ')) id = value.slice(4)
        if (value.startsWith('data: ')) return JSON.parse(value.slice(6)) as Record<string, unknown>
      }
    },
    lastId: () => id,
    leave: () => {
      response.on('error', () => {}).destroy()
    }
  }
}
