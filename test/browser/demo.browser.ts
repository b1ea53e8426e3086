// `npm run demo`: what a newcomer looks at first. It has to be full of life, and to leave nothing behind.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { until } from '../support/processes.ts'
import { keepPicture, launch } from './support.ts'

const ROOT = resolve(import.meta.dirname, '../..')
/** Seven nodes start side by side, and tell each other everything. */
const READY_MS = 180_000

describe('the demo', function () {
  this.timeout(READY_MS + 60_000)
  let demo: ChildProcess
  let browser: Browser
  let said = ''

  before(async () => {
    browser = await launch()
    demo = spawn(process.execPath, ['scripts/demo.ts'], { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] })
    demo.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text))
    await until(() => said.includes('Enter: new addresses') || demo.exitCode !== null, 'the pages', READY_MS)
  })
  after(async () => {
    await browser.close()
    if (demo.exitCode === null) demo.kill('SIGKILL')
  })

  async function pageOf(name: string, options: Parameters<Browser['newContext']>[0]): Promise<Page> {
    const before = said.length
    demo.stdin!.write('\n')
    await until(() => said.includes('Enter: new addresses', before), 'new addresses')
    const url = [...said.matchAll(new RegExp(`^  ${name} +(http\\S+)$`, 'gm'))].at(-1)![1]
    const page = await (await browser.newContext({ locale: 'en-GB', ...options })).newPage()
    await page.goto(url)
    await page.getByRole('heading', { name: 'Feed' }).waitFor()
    return page
  }

  it('has a page for each, with threads, pictures, groups and messages', async () => {
    const page = await pageOf('Chiara', { viewport: { width: 1280, height: 1000 } })
    await page.getByText('Take the small ladder').waitFor()
    await keepPicture(page, 'feed')
    const picture = page.getByRole('img', { name: 'ridge.png' })
    await picture.scrollIntoViewIfNeeded()
    await until(
      () => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth === 640),
      'the picture has come from a friend'
    )
    await keepPicture(page, 'picture')
    await page.getByRole('link', { name: 'Groups' }).click()
    await page.getByText('@orchard').click()
    await page.getByText('The key is under the third pot').waitFor()
    await keepPicture(page, 'group')
    await page.getByRole('link', { name: 'Is it working?' }).click()
    await page.getByText('All is well with this node.').waitFor()
    await page.locator('.peers > li').nth(4).waitFor()
    await keepPicture(page, 'health')
  })

  it('can be looked at on a phone, in the dark', async () => {
    const page = await pageOf('Ben', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' })
    await page.getByText('Take the small ladder').waitFor()
    await keepPicture(page, 'feed-phone-dark')
    await page.getByRole('link', { name: 'Messages' }).click()
    await page
      .getByRole('link', { name: /^A Ada/ })
      .or(page.locator('main a', { hasText: 'Ada' }))
      .first()
      .click()
    await page.getByText('Yes, the 9:40').waitFor()
    await keepPicture(page, 'messages-phone-dark')
  })

  it('ends at ^C, and leaves nothing behind', async () => {
    const directory = /nodes in (\S+)/.exec(said)![1]
    assert.ok(existsSync(directory))
    demo.kill('SIGINT')
    const [code] = (await once(demo, 'close')) as [number | null]
    assert.equal(code, 0)
    assert.ok(!existsSync(directory))
  })
})
