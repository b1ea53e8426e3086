// How the page behaves in time: many posts, a node that ends and comes back. Figures are those of `npm run bench:page`.
import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { createNode } from '../../src/node/index.ts'
import { Stage } from '../support/processes.ts'
import { launch, LIMIT_MS, Person } from './support.ts'

const MANY = Number(process.env.POSTS ?? 5_000)

describe('a page that is open', function () {
  this.timeout(120_000)
  let stage: Stage
  let browser: Browser

  before(async () => {
    stage = new Stage()
    browser = await launch()
  })
  after(async () => {
    await browser.close()
    await stage[Symbol.asyncDispose]()
  })

  it('says that the node is gone, and goes on by itself when it is started anew', async () => {
    let node = await stage.up('carol')
    const context = await browser.newContext()
    const page = await context.newPage()
    const [{ url }] = await node.json('open')
    await node.json('profile', '--name', 'Carol')
    await page.goto(String(url))
    await page.getByRole('heading', { name: 'Feed' }).waitFor({ timeout: LIMIT_MS })
    await node.end('SIGKILL')
    await page.getByText(/The connection to your node is gone/).waitFor({ timeout: LIMIT_MS })
    await page.getByLabel('What is there to say?').fill('written while you were away')
    node = await stage.up('carol')
    await page.getByText(/The connection to your node is gone/).waitFor({ state: 'hidden', timeout: LIMIT_MS })
    await page.getByRole('button', { name: 'Post', exact: true }).click()
    await page.getByRole('feed').getByText('written while you were away').waitFor({ timeout: LIMIT_MS })
    await context.close()
  })

  it(`keeps as many rows as the screen shows, of ${MANY} posts`, async () => {
    await write(stage.home('dora'), MANY)
    const dora = await Person.come(stage, browser, 'dora')
    await dora.page.getByText(`note ${MANY - 1}.`).waitFor()
    const { rows, last } = await dora.page.evaluate(async () => {
      let rows = 0
      for (let frame = 0; frame < 240; frame += 1) {
        scrollBy(0, 400)
        await new Promise((resolve) => requestAnimationFrame(resolve))
        rows = Math.max(rows, document.querySelectorAll('.list-row').length)
      }
      return { rows, last: [...document.querySelectorAll('.text')].at(-1)?.textContent ?? '' }
    })
    assert.ok(rows < 80, `${rows} rows`)
    assert.ok(Number(/\d+/.exec(last)![0]) < MANY - 150, `scrolled to "${last}"`)
    assert.deepEqual(dora.troubles, [])
    await dora.context.close()
  })
})

/** Writes posts into a home without a running node. */
async function write(home: string, count: number): Promise<void> {
  await using node = await createNode({ home, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
  await node.start()
  await node.profile({ name: 'Dora' })
  for (let from = 0; from < count; from += 2_000) {
    const texts = Array.from({ length: Math.min(2_000, count - from) }, (_, index) => textOf(from + index))
    await node.feeds.publishAll(texts.map((text) => ({ type: 'post', text })))
  }
}

/** Of one to five lines. */
function textOf(index: number): string {
  return `note ${index}.${' The lathe runs again, and the window is mended.'.repeat(index % 6)}`
}
