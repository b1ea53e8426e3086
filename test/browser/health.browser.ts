// "Is it working?" as people see it: who is there, what comes, what is kept of whom; and the settings of the node.
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { Browser } from 'playwright-core'
import { Stage, until } from '../support/processes.ts'
import { launch, meet, Person } from './support.ts'

describe('how the node does, on the page', function () {
  this.timeout(120_000)
  let stage: Stage
  let browser: Browser
  let alice: Person
  let bob: Person

  before(async () => {
    stage = new Stage()
    browser = await launch()
    ;[alice, bob] = await Promise.all(['Alice', 'Bob'].map((name) => Person.return(stage, browser, name)))
  })
  after(async () => {
    await browser.close()
    await stage[Symbol.asyncDispose]()
  })

  it('says who is there, once each, how far they are, and how much is kept of them, and changes by itself', async () => {
    await alice.visit('Is it working?')
    await alice.sees('Nobody is there to exchange anything with.')
    await meet(alice, bob)
    await alice.sees('Up to date with 1 person.')
    const row = alice.page.locator('.peers li', { hasText: 'Bob' })
    await row.getByText('up to date').waitFor()
    assert.equal(await alice.page.locator('.peers li').count(), 1)
    assert.match((await row.textContent()) ?? '', /direct · connected/)
    await bob.node.json('post', 'x'.repeat(40_000))
    await alice.page.reload()
    const share = alice.page.locator('.shares li', { hasText: 'Bob' })
    await share.getByText(/4\d(\.\d)? kB/).waitFor()
    assert.match((await share.textContent()) ?? '', /you follow them/)
    await bob.node.json('down')
    await alice.sees('Nobody is connected now.')
  })

  it('keeps less only when that is meant, and goes by a setting at once or says from when on', async () => {
    const { page } = alice
    const choice = page.getByLabel('Keep for others')
    await choice.selectOption('own')
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.equal(await choice.inputValue(), 'all')
    await choice.selectOption('own')
    await page.getByRole('dialog').getByRole('button', { name: 'Keep less' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.equal((await alice.node.json('store'))[0].store, 'own')
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByLabel('Tell people when I have read').check()
    await page.getByLabel('Pass connections on').uncheck()
    await alice.sees('This holds when your node is started the next time.')
    await page.getByLabel('Vouches and votes leave').selectOption('guarded')
    const values = async (): Promise<unknown[]> =>
      Promise.all(
        ['readReceipts', 'relay', 'privacy'].map(async (key) => (await alice.node.json('config', 'get', key))[0].value)
      )
    await until(async () => isDeepStrictEqual(await values(), [true, 'off', 'guarded']), 'they are in the file')
    assert.equal(await page.locator('.setting .notice').count(), 1)
    assert.deepEqual(alice.troubles, [])
  })
})
