// What others write, what other pages try, and what names pretend, in a real browser against a real node.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { Stage } from '../support/processes.ts'
import { launch, meet, Person } from './support.ts'

/** Each would do something if it were taken for more than text. */
const POSTS = [
  `<script>document.title='owned'</script>`,
  `<img src=x onerror="document.title='owned'">`,
  `<svg onload="document.title='owned'"><a xlink:href="javascript:document.title='owned'">x</a></svg>`,
  `<iframe srcdoc="<script>parent.document.title='owned'</script>"></iframe>`,
  `javascript:document.title='owned' data:text/html,<script>1</script>`,
  `![picture](https://tracker.example/pixel.png) <link rel=stylesheet href=https://tracker.example/a.css>`,
  `{{constructor.constructor("document.title='owned'")()}} \${document.title='owned'}`,
  `https://bank.example@tracker.example/ https://аpple.com/ok`,
  `safe\u202Etxt.exe\u202C and\u200Bzero\u{E0041}`,
  'a\u0300'.repeat(3_000),
  'W'.repeat(20_000)
]

describe('a page of hostile texts', function () {
  this.timeout(90_000)
  let stage: Stage
  let browser: Browser
  let [alice, mallory] = [] as Person[]
  let evil: Server
  let asked: IncomingHttpHeaders[] = []

  before(async () => {
    stage = new Stage()
    browser = await launch('--host-resolver-rules=MAP evil.example 127.0.0.1')
    ;[alice, mallory] = await Promise.all([
      Person.return(stage, browser, 'Alice'),
      Person.return(stage, browser, 'Mallory')
    ])
    await meet(alice, mallory)
    evil = createServer(({ headers }, response) => {
      asked.push(headers)
      response.setHeader('content-type', 'text/html').end('<h1>evil</h1>')
    })
    evil.listen(0, '127.0.0.1')
    await once(evil, 'listening')
  })
  after(async () => {
    evil.close()
    await browser.close()
    await stage[Symbol.asyncDispose]()
  })

  it('shows posts as the text that they are', async () => {
    for (const text of POSTS) await mallory.client.post('post', { text })
    for (const text of POSTS) await alice.node.entry(text)
    await alice.visit('Feed')
    await alice.sees('safe\\u{202e}txt.exe\\u{202c} and\\u{200b}zero\\u{e0041}')
    const shown = async (): Promise<string> => (await alice.page.locator('.text').allTextContents()).join('\n')
    const seen = new Set<string>()
    for (let turn = 0; turn < 40 && seen.size < 7; turn += 1) {
      const texts = await shown()
      for (const text of POSTS.slice(0, 7)) if (texts.includes(text.slice(0, 40))) seen.add(text)
      await alice.page.mouse.wheel(0, 500)
      await alice.page.waitForTimeout(50)
    }
    assert.equal(seen.size, 7)
    assert.equal(await alice.page.title(), 'Feed · Comrade')
    assert.equal(await alice.page.locator('.list :is(script, iframe, img, svg, link)').count(), 0)
    assert.deepEqual(alice.troubles, [])
  })

  it('leads to addresses only as they are, in a page that learns nothing', async () => {
    await alice.page.getByRole('searchbox').fill('bank')
    await alice.page.keyboard.press('Enter')
    const link = alice.page.getByRole('link', { name: 'https://xn--pple-43d.com/ok' })
    assert.equal(await link.getAttribute('href'), 'https://xn--pple-43d.com/ok')
    assert.equal(await link.getAttribute('rel'), 'noopener noreferrer')
    assert.equal(await alice.page.locator('a[href*="tracker"]').count(), 0)
    await alice.page.getByRole('searchbox').fill('')
  })

  it('lets a page that is led to learn neither where one came from nor any cookie', async () => {
    const address = `http://evil.example:${(evil.address() as AddressInfo).port}/here`
    await mallory.node.json('post', `read this: ${address}`)
    await alice.visit('Feed')
    asked = []
    const [opened] = await Promise.all([
      alice.context.waitForEvent('page'),
      alice.page.getByRole('link', { name: address }).click()
    ])
    await opened.getByRole('heading', { name: 'evil' }).waitFor()
    const [{ referer, origin, cookie }] = asked // what follows is asked for by that page itself
    assert.deepEqual({ referer, origin, cookie }, { referer: undefined, origin: undefined, cookie: undefined })
    assert.deepEqual(await opened.evaluate(() => [window.opener, document.referrer]), [null, ''])
    await opened.close()
  })

  it('is not torn apart by long words and heaps of accents', async () => {
    const { scrolls, width } = await alice.page.evaluate(() => ({
      scrolls: document.documentElement.scrollWidth,
      width: innerWidth
    }))
    assert.ok(scrolls <= width, `${scrolls} pixels wide, of ${width}`)
  })

  it('marks a name that passes for one that is known', async () => {
    await mallory.node.json('profile', '--name', 'Alicе\u202E')
    await alice.visit('People')
    await alice.page.locator('.warn').waitFor()
    await alice.sees('Alicе\\u{202e}')
  })

  it('cannot be reached by another host name that leads to this machine', async () => {
    const page = await alice.context.newPage()
    const port = new URL(alice.page.url()).port
    const answer = await page.goto(`http://evil.example:${port}/api/status`)
    assert.equal(answer?.status(), 421)
    await page.close()
  })

  it('gives pages of other origins nothing, and lets them do nothing', async () => {
    const own = new URL(alice.page.url()).origin
    const before = (await alice.node.json('status'))[0].entries
    for (const host of ['evil.example', '127.0.0.1']) {
      const page = await alice.context.newPage()
      await page.goto(`http://${host}:${(evil.address() as AddressInfo).port}/`)
      const got = await page.evaluate(async (node) => {
        const ask = async (path: string, init?: RequestInit): Promise<string> =>
          fetch(node + path, { credentials: 'include', ...init }).then(
            async (answer) => `${answer.type} ${answer.status} ${await answer.text()}`,
            () => 'refused'
          )
        const body = '{"text":"spam"}'
        const stream = new EventSource(`${node}/api/events`, { withCredentials: true })
        const heard = new Promise<string>((resolve) => {
          stream.addEventListener('message', () => resolve('heard'))
          stream.addEventListener('error', () => resolve('refused'))
        })
        return [
          await ask('/api/status'),
          await ask('/api/post', { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
          await ask('/api/post', { method: 'POST', body, mode: 'no-cors' }),
          await heard
        ]
      }, own)
      assert.deepEqual(got, ['refused', 'refused', 'refused', 'refused'], host)
      const framed = page.waitForResponse(`${own}/`)
      await page.setContent(
        `<iframe src="${own}/"></iframe><form method=post action="${own}/api/post" enctype="text/plain"><input name='{"text":"spam","x":"' value='"}'></form>`
      )
      const frame = await framed
      assert.equal(frame.status(), 403)
      const [posted] = await Promise.all([
        page.waitForResponse(`${own}/api/post`),
        page.evaluate(() => document.querySelector('form')!.submit())
      ])
      assert.equal(posted.status(), 403)
      await page.waitForLoadState()
    }
    assert.equal((await alice.node.json('status'))[0].entries, before)
  })
})
