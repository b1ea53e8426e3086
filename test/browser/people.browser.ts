// People in what one writes: mentions, from the field in which one writes them to the other's page.
import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { Stage } from '../support/processes.ts'
import { launch, meet, Person } from './support.ts'

describe('a post that mentions somebody', function () {
  this.timeout(90_000)
  let stage: Stage
  let browser: Browser
  let [alice, bob] = [] as Person[]

  before(async () => {
    stage = new Stage()
    browser = await launch()
    alice = await Person.return(stage, browser, 'Alice')
    bob = await Person.return(stage, browser, 'Bob', { width: 390, colorScheme: 'dark' })
    await meet(alice, bob)
    await alice.node.json('name', bob.node.did, 'Bobby')
    await alice.node.json('name', 'did:key:z6MkiPBsMxVZyTu6YY9rV39jg8ANMu6vJTChgFhF6KWnBuU9', 'Bo')
    await alice.page.reload()
  })
  after(async () => {
    await browser.close()
    await stage[Symbol.asyncDispose]()
  })

  it('is written by keyboard alone: who is offered is chosen by arrows, and closed by Esc', async () => {
    const { page } = alice
    const field = page.getByRole('textbox', { name: 'What is there to say?' })
    const options = page.getByRole('listbox').getByRole('option')
    await field.pressSequentially('see @bo')
    await options.first().waitFor()
    assert.deepEqual(await options.allInnerTexts(), ['B\nBo', 'B\nBobby'])
    const active = async (): Promise<string | null> => field.getAttribute('aria-activedescendant')
    const first = await active()
    await page.keyboard.press('ArrowDown')
    assert.notEqual(await active(), first)
    await page.keyboard.press('Escape')
    await options.first().waitFor({ state: 'detached' })
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Backspace')
    await field.pressSequentially('@bo')
    await options.first().waitFor()
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    assert.equal(await field.inputValue(), 'see @Bobby ')
    await alice.sees('Mentions Bobby')
    await field.pressSequentially('about #apples and @nobody')
    await page.keyboard.press('Control+Enter')
  })

  it('calls them as its reader does, who hears of it', async () => {
    const own = alice.page.getByRole('article').getByRole('link', { name: '@Bobby' })
    await own.waitFor()
    assert.ok((await own.getAttribute('href'))?.includes(encodeURIComponent(bob.node.did)))
    const places = bob.page.getByRole('navigation', { name: 'Places' })
    await places.getByRole('link', { name: /1 new/ }).waitFor()
    await bob.visit('News for you')
    await bob.sees('mentioned you')
    await bob.page.getByRole('link', { name: /@Bob/ }).first().click()
    await bob.page.getByRole('article').getByRole('link', { name: '@Bob', exact: true }).waitFor()
    const text = await bob.page.locator('.text').first().innerText()
    assert.equal(text, 'see @Bob about #apples and @nobody')
    assert.deepEqual([...alice.troubles, ...bob.troubles], [])
  })
})
