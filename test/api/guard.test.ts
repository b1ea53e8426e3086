// The guard's rules, one valid request and one mutation for each.
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { MAX_REQUEST_SIZE, refusalOf, type RequestHead } from '../../src/api/guard.ts'
import { Sessions } from '../../src/api/sessions.ts'

const PORT = 4321
const sessions = new Sessions()
const TOKEN = 'a'.repeat(43)
const OWN = `127.0.0.1:${PORT}`

/** A request that is let in, with these headers changed; undefined takes one away. */
function request(changes: Record<string, string | undefined> = {}, url = '/api/status'): RequestHead {
  const all = { host: OWN, authorization: `Bearer ${TOKEN}`, ...changes }
  const headers = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >
  return { method: 'GET', url, headers, rawHeaders: Object.entries(headers).flat() }
}

function statusOf(head: RequestHead): number | undefined {
  return refusalOf(head, { port: PORT, token: TOKEN, sessions })?.status
}

describe('the guard of loopback HTTP', () => {
  it('lets in who names the right host and knows the token', () => {
    assert.equal(statusOf(request()), undefined)
    assert.equal(statusOf(request({ host: `localhost:${PORT}` })), undefined)
    assert.equal(statusOf(request({ origin: `http://${OWN}`, 'sec-fetch-site': 'same-origin' })), undefined)
    assert.equal(statusOf(request({ 'sec-fetch-site': 'none' })), undefined)
  })

  const foreignHosts = [
    undefined,
    '',
    'evil.example',
    `evil.example:${PORT}`,
    '127.0.0.1',
    `127.0.0.1:${PORT + 1}`,
    `127.0.0.1:${PORT}.evil.example`,
    `127.0.0.1.nip.io:${PORT}`,
    `evil@127.0.0.1:${PORT}`,
    `0.0.0.0:${PORT}`,
    `[::1]:${PORT}`,
    `LOCALHOST.:${PORT}`,
    ` ${OWN}`
  ]
  for (const host of foreignHosts) {
    it(`answers 421 to the host ${JSON.stringify(host)}`, () => assert.equal(statusOf(request({ host })), 421))
  }

  it('answers 421 to two hosts', () => {
    const head = request()
    assert.equal(statusOf({ ...head, rawHeaders: [...head.rawHeaders, 'Host', OWN] }), 421)
  })

  it('answers 421 to a whole URL in place of a path', () => {
    assert.equal(statusOf(request({}, 'http://evil.example/api/status')), 421)
    assert.equal(statusOf(request({}, '*')), 421)
  })

  const foreignOrigins = [
    'null',
    'http://evil.example',
    `https://${OWN}`,
    `http://127.0.0.1:${PORT + 1}`,
    'http://127.0.0.1',
    `http://localhost:${PORT}`,
    ''
  ]
  for (const origin of foreignOrigins) {
    it(`answers 403 to the origin ${JSON.stringify(origin)}, even with the token`, () =>
      assert.equal(statusOf(request({ origin })), 403))
  }

  for (const site of ['cross-site', 'same-site', 'cross-origin', '']) {
    it(`answers 403 to Sec-Fetch-Site ${JSON.stringify(site)}`, () =>
      assert.equal(statusOf(request({ 'sec-fetch-site': site })), 403))
  }

  const wrongTokens = [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}a`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer b${TOKEN.slice(1)}`,
    TOKEN,
    `Bearer ${TOKEN} ${TOKEN}`
  ]
  for (const authorization of wrongTokens) {
    it(`answers 401 to the authorization ${JSON.stringify(authorization?.slice(0, 20))} of ${authorization?.length ?? 0}`, () => {
      assert.equal(statusOf(request({ authorization })), 401)
    })
  }

  it('gives everybody the files of the page, and nothing behind them', () => {
    const status = (url: string, method = 'GET'): number | undefined =>
      statusOf({ ...request({ authorization: undefined }, url), method })
    for (const url of ['/', '/open', '/?x', '/web/page.js', '/web/page-3f2a.min.css'])
      assert.equal(status(url), undefined, url)
    const behind = [
      '/api/status',
      '/web/',
      '/web/..',
      '/web/../api/status',
      '/web/%2e%2e/api/status',
      '/web/a/../../api/status',
      '/web/.a',
      '/web/a.js/../../api/status',
      '/open/../api/status',
      '/open#/../api/status',
      '/open;/api/status',
      '//api/status',
      '/./api/status',
      '/\\api\\status',
      '/api/session'
    ]
    for (const url of behind) assert.equal(status(url), 401, url)
    for (const url of ['/', '/open', '/web/page.js']) assert.equal(status(url, 'POST'), 401, url)
    assert.equal(status('/api/session', 'POST'), 403)
  })

  it('does not take the token from the URL', () => {
    assert.equal(statusOf(request({ authorization: undefined }, `/api/status?token=${TOKEN}`)), 401)
  })
})

describe('the guard, whatever is sent', () => {
  const secret = sessions.trade(sessions.issue())
  const header = (...likely: string[]) =>
    fc.option(fc.oneof(fc.constantFrom(...likely), fc.string()), { nil: undefined })
  const head = fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'get'),
    url: fc.oneof(
      fc.constantFrom('/', '/open', '/web/a.js', '/api/session', '/api/status', '/web/../api/x'),
      fc.string()
    ),
    host: header(OWN, `localhost:${PORT}`, 'evil.example'),
    origin: header(`http://${OWN}`, `http://localhost:${PORT}`, 'null', 'http://evil.example'),
    site: header('same-origin', 'same-site', 'cross-site', 'none'),
    authorization: header(`Bearer ${TOKEN}`, 'Bearer x'),
    cookie: header(`comrade-${PORT}=${secret}`, `comrade-${PORT}=x`, `comrade-1=${secret}`)
  })

  it('lets in nobody but the owner, own pages with a session, and who fetches the page', () => {
    fc.assert(
      fc.property(head, ({ method, url, host, origin, site, authorization, cookie }) => {
        const asked = request({ host, origin, 'sec-fetch-site': site, authorization, cookie }, url)
        if (statusOf({ ...asked, method }) !== undefined) return
        assert.ok(host === OWN || host === `localhost:${PORT}`)
        assert.ok(url.startsWith('/'))
        assert.ok(origin === undefined || origin === `http://${host}`)
        assert.ok(site === undefined || site === 'same-origin' || site === 'none')
        if (authorization !== undefined) return assert.equal(authorization, `Bearer ${TOKEN}`)
        const [path] = url.split('?')
        const isPage = method === 'GET' && !path.startsWith('/api')
        const hasSession = cookie === `comrade-${PORT}=${secret}`
        assert.ok(isPage || hasSession || (method === 'POST' && path === '/api/session'))
        if (method === 'GET' || method === 'HEAD') return
        assert.deepEqual([origin, site], [`http://${host}`, 'same-origin'])
      }),
      { numRuns: 3_000 }
    )
  })
})

describe('the guard of both listeners', () => {
  const json = 'application/json'

  it('answers 413 to a length over 1 MiB, before anything is read', () => {
    const size = (bytes: number): RequestHead => request({ 'content-length': String(bytes), 'content-type': json })
    assert.equal(refusalOf(size(MAX_REQUEST_SIZE)), undefined)
    assert.equal(refusalOf(size(MAX_REQUEST_SIZE + 1))?.status, 413)
    assert.equal(refusalOf(size(2 ** 30))?.status, 413)
    assert.equal(refusalOf(request({ 'content-length': '9'.repeat(30), 'content-type': json }))?.status, 413)
  })

  for (const type of [
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'text/plain; application/json'
  ]) {
    it(`answers 415 to a body of type ${type ?? '(none)'}, as forms send it`, () => {
      assert.equal(refusalOf(request({ 'content-length': '2', 'content-type': type }))?.status, 415)
      assert.equal(refusalOf(request({ 'transfer-encoding': 'chunked', 'content-type': type }))?.status, 415)
    })
  }

  it('takes JSON with a charset', () => {
    assert.equal(
      refusalOf(request({ 'content-length': '2', 'content-type': 'application/json; charset=utf-8' })),
      undefined
    )
  })
})
