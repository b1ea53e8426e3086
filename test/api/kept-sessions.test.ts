// Browsers that were let in before the node was started anew: what is kept of them, and what is not.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '../../src/api/client.ts'
import { serveApi, type Api } from '../../src/api/index.ts'
import { type KeptSession, SESSION_IDLE_MS, Sessions } from '../../src/api/sessions.ts'
import { type Comrade, createNode } from '../../src/index.ts'
import { Browser } from './server.ts'

describe('sessions that are kept', () => {
  const day = 86_400_000
  let kept: KeptSession[]
  let wasEnding: boolean[]
  const begin = (date: number): Sessions =>
    new Sessions({
      kept,
      date: () => date,
      onChange: (sessions, isEnding) => {
        kept = sessions
        wasEnding.push(isEnding)
      }
    })

  beforeEach(() => {
    kept = []
    wasEnding = []
  })

  it('go on in the next run, by a hash that lets nobody in by itself', () => {
    const first = begin(day)
    const secret = first.trade(first.issue())
    assert.ok(!JSON.stringify(kept).includes(secret))
    const next = begin(2 * day)
    assert.equal(next.use(kept[0].key), undefined)
    assert.ok(next.use(secret))
  })

  it('end 30 days after their last use, whatever the runs between', () => {
    const first = begin(day)
    const secret = first.trade(first.issue())
    assert.ok(begin(20 * day).use(secret))
    assert.ok(begin(20 * day + SESSION_IDLE_MS - 1).use(secret))
    assert.equal(begin(60 * day + SESSION_IDLE_MS).use(secret), undefined)
  })

  it('stay ended', () => {
    const first = begin(day)
    const [one, other] = [first.trade(first.issue()), first.trade(first.issue())]
    first.end(one)
    assert.deepEqual(wasEnding, [false, false, true])
    assert.equal(begin(day).use(one), undefined)
    assert.ok(begin(day).use(other))
    begin(day).endAll()
    assert.deepEqual(kept, [])
  })

  it('are written once an hour, not at each use', () => {
    const first = begin(day)
    const secret = first.trade(first.issue())
    const next = begin(day + 3_599_999)
    for (let i = 0; i < 100; i++) next.use(secret)
    assert.equal(wasEnding.length, 1)
    begin(day + 3_600_000).use(secret)
    assert.equal(wasEnding.length, 2)
  })

  it('outlast a machine that believes to be in 1970 for a while', () => {
    const first = begin(20_000 * day)
    const secret = first.trade(first.issue())
    assert.ok(begin(0).use(secret))
    assert.ok(begin(20_001 * day).use(secret))
  })
})

describe('a browser whose node is started anew', function () {
  this.retries(2) // between two runs another process may be given its port
  let directory: string
  let node: Comrade
  let api: Api | undefined
  const pathOf = (...names: string[]): string => join(directory, 'home', ...names)
  const start = async (port?: number): Promise<void> => {
    const [tokenPath, sessionsPath] = [pathOf('keys', 'api-token'), pathOf('keys', 'api-sessions')]
    const http = { port, tokenPath, sessionsPath }
    api = await serveApi({ comrade: node, socketPath: pathOf('api.sock'), http, onDown: async () => {} })
  }
  const end = async (): Promise<void> => {
    await api?.close()
    api = undefined
  }
  /** A browser that was let in. */
  const letIn = async (): Promise<Browser> => {
    const { url } = await createClient(pathOf('api.sock')).post<{ url: string }>('open')
    const browser = new Browser(url)
    assert.equal((await browser.post('/api/session', { code: new URL(url).hash.slice(1) })).status, 200)
    return browser
  }

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'comrade-sessions-'))
    node = await createNode({ home: pathOf(), listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
  })
  afterEach(async () => {
    await end()
    await rm(pathOf('keys', 'api-sessions'), { force: true })
  })
  after(async () => {
    await node.stop()
    await rm(directory, { recursive: true, force: true })
  })

  it('finds it at the same port, and is let in', async () => {
    await start()
    const browser = await letIn()
    await end()
    await assert.rejects(browser.get('/api/status'), { code: 'ECONNREFUSED' })
    await start()
    assert.equal(api?.url, browser.base.origin)
    assert.equal((await browser.get('/api/status')).status, 200)
    assert.equal((await letIn()).base.origin, browser.base.origin)
  })

  it('leaves no secret on the disk, and nothing that others may read', async () => {
    await start()
    const browser = await letIn()
    const text = await readFile(pathOf('keys', 'api-sessions'), 'utf8')
    for (const secret of browser.cookies.values()) assert.ok(!text.includes(secret))
    assert.equal((await stat(pathOf('keys', 'api-sessions'))).mode & 0o777, 0o600)
  })

  it('is shut out for good by `open --end`, and then nobody listens', async () => {
    await start()
    const browser = await letIn()
    await createClient(pathOf('api.sock')).post('open/end')
    await end()
    await start()
    assert.equal(api?.url, undefined)
    await end()
    await start(Number(browser.base.port))
    assert.equal((await browser.get('/api/status')).status, 401)
  })

  it('comes in anew where its port is taken by somebody else', async () => {
    await start()
    const browser = await letIn()
    await end()
    const other = createServer().listen(Number(browser.base.port), '127.0.0.1')
    try {
      await start()
      assert.equal(api?.url, undefined)
      assert.notEqual((await letIn()).base.origin, browser.base.origin)
    } finally {
      await new Promise((resolve) => other.close(resolve))
    }
  })

  it('is not let in with what it has shown to somebody else who listened at its port', async () => {
    await start()
    const browser = await letIn()
    const secret = [...browser.cookies.values()][0]
    await end()
    const other = createServer((_request, response) => response.end()).listen(Number(browser.base.port), '127.0.0.1')
    try {
      await once(other, 'listening')
      await start()
      const { base } = await letIn()
      const thief = new Browser(base.href)
      thief.cookies.set(`comrade-${base.port}`, secret)
      assert.equal((await thief.get('/api/status')).status, 401)
    } finally {
      await new Promise((resolve) => other.close(resolve))
    }
    await end()
    await start(Number(browser.base.port))
    assert.equal((await browser.get('/api/status')).status, 401)
  })

  for (const [what, spoil] of [
    ['is not of this program', (path: string) => writeFile(path, '{"sessions":[{"key":"x"}]}', { mode: 0o600 })],
    ['could be changed by others', (path: string) => chmod(path, 0o666)]
  ] as const)
    it(`comes in anew where what was kept ${what}`, async () => {
      await start()
      const browser = await letIn()
      await end()
      await spoil(pathOf('keys', 'api-sessions'))
      await start(Number(browser.base.port))
      assert.equal((await browser.get('/api/status')).status, 401)
    })
})
