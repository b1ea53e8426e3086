// Three people at their pages, from the first run to a group with three members and a private message.
import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { Stage } from '../support/processes.ts'
import { launch, Person } from './support.ts'

/** A picture of one pixel. */
const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64'
)

describe('three people, each with a browser', function () {
  this.timeout(120_000)
  this.bail(true) // each step begins where the one before it has ended
  let stage: Stage
  let browser: Browser
  let [alice, bob, carol] = [] as Person[]
  let startMs = 0

  before(async () => {
    stage = new Stage()
    stage.cloneCheckout()
    browser = await launch()
  })
  after(async () => {
    await browser.close()
    await stage[Symbol.asyncDispose]()
  })

  it('come by one command: a name, the recovery phrase, and a next step', async () => {
    startMs = performance.now()
    alice = await Person.begin(stage, browser, 'alice')
    await alice.page.getByLabel('Your name').waitFor()
    await alice.picture('welcome')
    const words = await sayWho(alice, 'Alice')
    assert.ok(!alice.node.stderr.includes(words.slice(0, 2).join(' ')), 'the words are not on the terminal')
    await alice.press('I have written them down')
    const fields = alice.page.getByLabel(/^Word \d+$/)
    for (const field of await fields.all()) await field.fill('wrong')
    await alice.press('Continue')
    await alice.sees('These are not the words')
    await confirm(alice, words)
    await alice.sees('Good to have you, Alice')
    const { url } = await alice.node.line(({ event }) => event === 'page')
    await alice.page.goto(String(url)) // once more, from the terminal
    await alice.sees('Good to have you, Alice')
    assert.deepEqual(await alice.page.evaluate(() => fetch('/api/recovery').then((answer) => answer.json())), {
      phrase: null
    })
  })

  it('meet by a link', async () => {
    await alice.press('Invite somebody')
    await alice.press('Make a link')
    const link = await alice.page.getByLabel('Link to invite somebody').textContent()
    await alice.page.getByRole('img', { name: 'The link as a QR code' }).waitFor()
    await alice.picture('invite')

    bob = await Person.begin(stage, browser, 'bob', { width: 390, colorScheme: 'dark' })
    const words = await sayWho(bob, 'Bob')
    await bob.press('I have written them down')
    await confirm(bob, words)
    await bob.press('I have an invite')
    await bob.page.getByLabel(/^The link that you were given/).fill(link!)
    await bob.press('See whom it is about')
    await bob.page.getByLabel('What you call them').fill('alice')
    await bob.press('Meet')
    await bob.page.getByRole('heading', { name: 'alice', level: 1 }).waitFor()
    await alice.sees('You have met')
  })

  it('read each other at once, answer and react', async () => {
    await alice.visit('Feed')
    await alice.page.getByLabel('What is there to say?').fill('The apples are ripe, come and pick #apples')
    await alice.press('Post')
    await alice.sees('The apples are ripe')

    await bob.visit('Feed')
    await bob.sees('The apples are ripe')
    const seconds = Math.round((performance.now() - startMs) / 100) / 10
    process.stdout.write(`      from a fresh checkout to reading the other's post: ${seconds} s, without the install\n`)
    await bob.press('React')
    await bob.press('React with ❤️')
    await bob.page.getByRole('button', { name: '❤️: 1' }).waitFor()
    await bob.press('Reply')
    await bob.page.getByLabel('Reply to alice').fill('I come on Saturday with two baskets')
    await bob.page.keyboard.press('Control+Enter')
    await bob.page.getByRole('article').getByText('two baskets').waitFor()

    await alice.page.getByRole('button', { name: '❤️: 1' }).waitFor()
    await alice.press('1 reply')
    await alice.page.getByRole('article').getByText('two baskets').waitFor()
    await alice.visit('News for you')
    await alice.sees('reacted with ❤️')
    await alice.sees('replied')
  })

  it('write in private, and see how far it has come', async () => {
    await alice.visit('Messages')
    await alice.page.getByRole('link', { name: 'Bob' }).click()
    await alice.page.getByLabel(/^Message to/).fill('Are you coming by train?')
    await alice.press('Send')
    await bob.visit('Messages')
    await bob.page.getByRole('link', { name: 'alice' }).click()
    await bob.sees('Are you coming by train?')
    await bob.page.getByLabel(/^Message to/).fill('Yes, the 9:40')
    await bob.press('Send')
    await alice.sees('Yes, the 9:40')
    await alice.sees('delivered')
  })

  it('found a group, vouch, and write to it', async () => {
    carol = await Person.return(stage, browser, 'carol')
    const [{ link }] = await alice.node.json('meet')
    await carol.node.json('meet', String(link), '--yes')

    await alice.visit('Groups')
    await alice.page.getByLabel('Name of the group').fill('orchard')
    await alice.press('Start')
    await alice.page.getByRole('heading', { name: '@orchard' }).waitFor()
    const [{ link: group }] = await alice.node.json('group', 'link', 'orchard')
    for (const [index, person] of [bob, carol].entries()) {
      await person.visit('Groups')
      await person.page.getByText('Open a group by its link').click()
      await person.page.getByLabel('Link to the group').fill(String(group))
      await person.press('Open')
      await person.page.getByRole('heading', { name: '@orchard' }).waitFor()
      await person.press('Ask to become a member')
      await vouch(alice)
      await person.press('Become a member')
      await person.sees(`${index + 2} members`)
    }
    await alice.sees('3 members')
    await alice.page.getByLabel('Write to @orchard').fill('The key is under the mat')
    const picture = { name: 'mat.png', mimeType: 'image/png', buffer: DOT }
    await alice.page.locator('input[type=file]').setInputFiles([picture])
    await alice.page.getByRole('textbox', { name: 'What mat.png shows' }).fill('a red mat')
    await alice.press('Post')
    await carol.sees('The key is under the mat')
    for (const { page } of [bob, carol]) {
      const seen = page.getByRole('img', { name: 'a red mat' })
      await seen.waitFor()
      assert.equal(
        await seen.evaluate(async (image: HTMLImageElement) => (await image.decode(), image.naturalWidth)),
        1
      )
    }
  })

  it('see that it works', async () => {
    await alice.visit('Is it working?')
    await alice.sees('All is well with this node.')
    await alice.page.locator('.peers > li').nth(1).waitFor()
    assert.equal(await alice.page.locator('.peers > li').count(), 2)
    assert.deepEqual(carol.troubles, [])
    await carol.node.end()
    await alice.page.locator('.peers > li').nth(1).waitFor({ state: 'detached' })
  })

  it('had a page without errors, that asked nobody but its node', async () => {
    await alice.visit('Feed')
    await alice.sees('two baskets')
    await bob.visit('Feed')
    await bob.sees('two baskets')
    assert.deepEqual([alice.troubles, bob.troubles], [[], []])
  })
})

/** The first step of the first run. @returns the recovery phrase that the second one shows */
async function sayWho(person: Person, name: string): Promise<string[]> {
  await person.page.getByLabel('Your name').fill(name)
  await person.press('Continue')
  await person.sees('Write these 24 words on paper')
  const words = await person.page.locator('.words li').allTextContents()
  assert.equal(words.length, 24)
  return words
}

/** Gives the words that are asked for again. */
async function confirm(person: Person, words: readonly string[]): Promise<void> {
  for (const field of await person.page.getByLabel(/^Word \d+$/).all()) {
    const place = Number(/\d+/.exec(await field.evaluate((input) => input.parentElement!.textContent))![0])
    await field.fill(words[place - 1])
  }
  await person.press('Continue')
}

/** Gives the vouch that is waited for; in so small a group one is asked twice. */
async function vouch({ page }: Person): Promise<void> {
  await page.getByRole('button', { name: 'Vouch', exact: true }).click()
  const question = page.getByRole('dialog')
  await question.getByText(/can give it/).waitFor()
  await question.getByRole('button', { name: 'Vouch', exact: true }).click()
  await question.waitFor({ state: 'hidden' })
}
