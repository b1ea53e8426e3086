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
      'tag/apples',
      'welcome',
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
    it(`has no fault: ${width} pixels, ${colorScheme}, ${locale}`, async () => {
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
        await open(page, place)
        for (const { id, nodes } of await look(page))
          faults.push(`${place}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`)
        // As it is, at twice the size on a desktop, and at four times: WCAG 2.2, 1.4.10.
        for (const narrow of [width, 640, 320].filter((each) => each <= width)) {
          await page.setViewportSize({ width: narrow, height: 844 })
          const scrolls = await page.evaluate(() => document.documentElement.scrollWidth)
          if (scrolls > narrow) faults.push(`${place}: ${scrolls} pixels wide, of ${narrow}`)
        }
        await page.setViewportSize({ width, height: 844 })
      }
      assert.deepEqual(faults, [])
      await context.close()
    })
  }

  it('says in German what the node says', async () => {
    const context = await browser.newContext({ locale: 'de-DE' })
    const page = await context.newPage()
    await page.goto(String((await person.node.json('open'))[0].url))
    await page.waitForURL(({ pathname }) => pathname === '/')
    await open(page, 'health')
    await page.getByText('dieses Gerät unterschreibt, was du schreibst').waitFor()
    const english = (await person.node.json('doctor')).flatMap(({ detail, todo }) => [String(detail), String(todo)])
    const shown = await page.locator('.checks').innerText()
    assert.deepEqual(
      english.filter((text) => text.length > 20 && shown.includes(text)),
      []
    )
    await open(
      page,
      places.find((place) => place.startsWith('group/'))!
    )
    await page.getByText(/^alice.* hat die Gruppe gegründet\.$/).waitFor()
    await context.close()
  })

  it('goes through every place by the tabulator: to what can be seen and has a name, and out again', async () => {
    const { page } = person
    for (const place of places) {
      await open(page, place)
      await page.evaluate(() => document.querySelector<HTMLElement>('.skip, main :is(select, button)')?.focus())
      const visited: string[] = []
      for (let step = 0; step < 150; step += 1) {
        const stop = await focused(page)
        if (stop === undefined) break
        assert.equal(stop.fault, '', `${place}: ${stop.html}`)
        visited.push(stop.html)
        await page.keyboard.press('Tab')
      }
      assert.ok(visited.length > 1 && visited.length < 150, `${place}: ${visited.length} stops`)
    }
  })

  it('tells where one is without colours of its own', async () => {
    const { page } = person
    await open(page, 'feed')
    await page.emulateMedia({ forcedColors: 'active' })
    const here = page.locator('.places a[aria-current]')
    assert.equal(await here.evaluate((link) => getComputedStyle(link).outlineStyle), 'solid')
    await page.emulateMedia({ forcedColors: 'none' })
  })

  it('can be used by keyboard alone', async () => {
    const { page } = person
    await open(page, 'feed')
    await page.reload()
    await page.locator('main h1').waitFor()
    const words = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '')
    await page.keyboard.press('Tab')
    assert.equal(await words(), 'Skip to the content')
    await page.keyboard.press('Enter')
    assert.equal(await words(), 'Feed')
    for (let step = 0; step < 3; step += 1) {
      await page.keyboard.press('Tab')
      if (await page.evaluate(() => document.activeElement?.tagName === 'TEXTAREA')) break
    }
    await page.keyboard.type('written without a mouse')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('article').getByText('written without a mouse').waitFor()
    for (let step = 0; step < 20 && (await words()) !== 'Erase'; step += 1) await page.keyboard.press('Tab')
    const question = page.getByRole('dialog', { name: 'Erase this post?' })
    await page.keyboard.press('Enter')
    await question.waitFor()
    for (let step = 0; step < 4; step += 1) {
      await page.keyboard.press('Tab')
      // The browser's own bar may have its turn; what is behind the question may not.
      assert.ok(
        await page.evaluate(
          () => document.activeElement?.closest('dialog, body > *, main') !== document.querySelector('main')
        )
      )
    }
    await page.keyboard.press('Escape')
    await page.locator('dialog').waitFor({ state: 'detached' }) // closed it is hidden, and goes a moment later
    assert.equal(await words(), 'Erase', 'the focus is back where it was')
    await page.keyboard.press('Enter')
    await question.getByRole('button', { name: 'Erase' }).focus()
    await page.keyboard.press('Enter')
    await question.waitFor({ state: 'hidden' })
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1')
  })

  it('names its places to a screen reader, and takes the focus to what was opened', async () => {
    const { page } = person
    await person.visit('People')
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1')
    assert.equal(await page.getByRole('navigation', { name: 'Places' }).count(), 1)
    assert.equal(await page.getByRole('main').count(), 1)
    assert.equal(await page.title(), 'People · Comrade')
  })
})

/** Goes to a place, with all that can be opened there open. */
async function open(page: Page, place: string): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/#/${place}`)
  await page.locator('main h1').waitFor()
  await page.waitForTimeout(150)
  await page.locator('main details').evaluateAll((all) => all.forEach((each) => each.setAttribute('open', '')))
  await page.waitForTimeout(100)
}

/** What has the focus, and what is wrong with it; undefined when that is nothing of the page. */
function focused(page: Page): Promise<{ html: string; fault: string } | undefined> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null
    if (element === null || element === document.body) return undefined
    const { top, bottom, left, right, width, height } = element.getBoundingClientRect()
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    const labels = (element as HTMLInputElement).labels ?? []
    const names = [
      element.getAttribute('aria-label'),
      element.textContent,
      ...[...labels].map((each) => each.textContent)
    ]
    const isNamed = names.some((name) => (name ?? '').trim() !== '')
    const isSeen = width > 0 && height > 0 && bottom > 0 && right > 0 && top < innerHeight && left < innerWidth
    const isMarked = outlineStyle !== 'none' && parseFloat(outlineWidth) > 0
    const faults = [!isNamed && 'has no name', !isSeen && 'is not on the screen', !isMarked && 'is not marked']
    return { html: element.outerHTML.slice(0, 120), fault: faults.filter(Boolean).join(', ') }
  })
}

/** All that axe finds, also what it calls moderate or minor. */
async function look(page: Page): Promise<Fault[]> {
  await page.evaluate(AXE)
  return (await page.evaluate('axe.run().then(({ violations }) => violations)')) as Fault[]
}
