// Every place of the page, in both colour schemes and on a phone's width, looked at by axe; and by keyboard alone.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { Stage } from '../support/processes.ts'
import { launch, meet, Person } from './support.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Fault {
  id: string
  impact: string
  nodes: { html: string }[]
}

describe('the page for everybody', function () {
  this.timeout(120_000)
  let stage: Stage
  let browser: Browser
  let places: string[]
  let person: Person

  before(async () => {
    stage = new Stage()
    browser = await launch()
    person = await Person.return(stage, browser, 'alice')
    const bob = await Person.return(stage, browser, 'bob')
    await meet(person, bob)
    const [{ id }] = await person.node.json('post', 'The apples are ripe #apples')
    await bob.node.entry('The apples are ripe #apples')
    await bob.node.json('post', 'I come on Saturday', '--reply', String(id))
    await bob.node.json('react', String(id), '❤️')
    await person.node.entry('❤️')
    const [{ id: group }] = await person.node.json('group', 'create', 'orchard')
    await person.node.json('group', 'propose', 'orchard', bob.node.did)
    await person.node.json('message', bob.node.did, 'Are you coming?')
    places = [
      'feed',
      `thread/${id}`,
      'notices',
      'messages',
      `conversation/${bob.node.did}`,
      'people',
      `person/${bob.node.did}`
    ]
    places.push('meet/invite', 'meet/link', 'groups', `group/${group}`, 'health', 'settings')
  })
  after(async () => {
    await browser.close()
    await stage[Symbol.asyncDispose]()
  })

  for (const [width, colorScheme, locale] of [
    [1280, 'light', 'en-GB'],
    [390, 'dark', 'de-DE']
  ] as const) {
    it(`has no serious fault: ${width} pixels, ${colorScheme}, ${locale}`, async () => {
      const context = await browser.newContext({
        viewport: { width, height: 844 },
        colorScheme,
        locale,
        bypassCSP: true
      })
      const page = await context.newPage()
      const [{ url }] = await person.node.json('open')
      await page.goto(String(url))
      await page.waitForURL(({ pathname }) => pathname === '/')
      const faults: string[] = []
      for (const place of places) {
        await page.goto(`/#/${place}`.replace('/', new URL(page.url()).origin + '/'))
        await page.locator('main h1').waitFor()
        await page.waitForTimeout(300)
        await page.locator('main details').evaluateAll((all) => all.forEach((each) => each.setAttribute('open', '')))
        await page.waitForTimeout(200)
        for (const { id, nodes } of await look(page))
          faults.push(`${place}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`)
        const { scrolls, inner } = await page.evaluate(() => ({
          scrolls: document.documentElement.scrollWidth,
          inner: innerWidth
        }))
        if (scrolls > inner) faults.push(`${place}: ${scrolls} pixels wide`)
      }
      assert.deepEqual(faults, [])
      await context.close()
    })
  }

  it('can be used by keyboard alone', async () => {
    const { page } = person
    await page.reload()
    await page.locator('main h1').waitFor()
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '')
    await page.keyboard.press('Tab')
    assert.equal(await focused(), 'Skip to the content')
    await page.keyboard.press('Enter')
    assert.equal(await focused(), 'Feed')
    for (let step = 0; step < 3; step += 1) {
      await page.keyboard.press('Tab')
      if (await page.evaluate(() => document.activeElement?.tagName === 'TEXTAREA')) break
    }
    await page.keyboard.type('written without a mouse')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('article').getByText('written without a mouse').waitFor()
    for (let step = 0; step < 20 && (await focused()) !== 'Erase'; step += 1) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
  })

  it('names its places to a screen reader, and takes the focus to what was opened', async () => {
    const { page } = person
    await person.visit('People')
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1')
    assert.equal(await page.getByRole('navigation', { name: 'Places' }).count(), 1)
    assert.equal(await page.getByRole('main').count(), 1)
  })
})

/** Serious and critical faults. */
async function look(page: Page): Promise<Fault[]> {
  await page.evaluate(AXE)
  const faults = (await page.evaluate('axe.run().then(({ violations }) => violations)')) as Fault[]
  return faults.filter(({ impact }) => impact === 'serious' || impact === 'critical')
}
