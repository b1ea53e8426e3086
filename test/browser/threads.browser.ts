// A thread on the page: its holes are filled or explained, what is new in it is marked, and what is erased leaves a trace.
import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { type NodeProcess, Stage, until } from '../support/processes.ts'
import { clientOf, launch, meet, Person } from './support.ts'

describe('a thread on the page', function () {
  this.timeout(120_000)
  let stage: Stage
  let browser: Browser
  let alice: Person
  let bob: NodeProcess
  let carol: NodeProcess

  before(async () => {
    stage = new Stage()
    browser = await launch()
    alice = await Person.return(stage, browser, 'alice')
    ;[bob, carol] = [await stage.up('bob'), await stage.up('carol')]
    await carol.json('profile', '--name', 'Carol')
    await bob.json('profile', '--name', 'Bob')
    await meet(alice, { node: bob })
    const [{ link }] = await bob.json('meet')
    await carol.json('meet', String(link), '--yes')
  })
  after(async () => {
    await browser.close()
    await stage[Symbol.asyncDispose]()
  })

  async function post(node: NodeProcess, text: string, ...more: string[]): Promise<string> {
    const [{ id }] = await node.json('post', text, ...more)
    return String(id)
  }

  it('shows what a friend answered, of somebody whom one does not follow, and where to follow them', async () => {
    const root = await post(carol, 'The bridge is closed until May.')
    await bob.entry('The bridge is closed until May.')
    const answer = await post(bob, 'Then by the ferry!', '--reply', root)
    await alice.page.getByText('Then by the ferry!').waitFor()
    await alice.page.goto(`${new URL(alice.page.url()).origin}/#/thread/${answer}`)
    await alice.sees('The bridge is closed until May.')
    await alice.sees(/You do not follow Carol#/)
    await alice.page.getByRole('link', { name: /^About Carol#/ }).click()
    await alice.page.getByRole('button', { name: 'Follow', exact: true }).waitFor()
  })

  it('says why something is missing, and counts all reactions', async () => {
    const nothing = `bafkrei${'a'.repeat(52)}`
    await alice.page.goto(`${new URL(alice.page.url()).origin}/#/thread/${nothing}`)
    await alice.sees(/nobody who is connected has it/)
    const root = await post(carol, 'Not for long')
    await bob.entry('Not for long')
    const answer = await post(bob, 'What a pity', '--reply', root)
    await bob.json('react', answer, '🌊')
    await alice.node.entry('What a pity')
    await carol.json('erase', root)
    await until(async () => (await bob.json('show', root))[0].type === 'erased', 'Bob has heard of it')
    await alice.page.goto(`${new URL(alice.page.url()).origin}/#/thread/${answer}`)
    await alice.sees('What a pity')
    await alice.sees('Something that is answered here was erased by its author.')
    await alice.page.getByRole('button', { name: '🌊: 1' }).waitFor()
  })

  it('marks what is new, says how long a post is kept, and keeps the place of what was erased', async () => {
    const root = await post(alice.node, 'Who brings the ladder?', '--expires', '7d')
    await bob.entry('Who brings the ladder?')
    await alice.page.goto(`${new URL(alice.page.url()).origin}/#/thread/${root}`)
    await alice.sees(/^kept until /)
    await alice.page.getByLabel(/^Reply to/).fill('I ask twice.')
    await alice.page.locator('button[type=submit]').click()
    const own = alice.page.getByRole('article').filter({ hasText: 'I ask twice.' })
    await own.waitFor()
    await alice.visit('Feed')
    await post(bob, 'I do.', '--reply', root)
    await alice.node.entry('I do.')
    await alice.page.goto(`${new URL(alice.page.url()).origin}/#/thread/${root}`)
    await alice.sees('New since you were here')
    await own.getByRole('button', { name: 'Erase' }).click()
    await alice.page.getByRole('dialog').getByRole('button', { name: 'Erase' }).click()
    await alice.sees(/^Erased by you. Those who keep a copy are asked to drop theirs/)
    await alice.page.reload()
    await alice.sees(/\d other nodes? says? that/)
    assert.deepEqual(alice.troubles, [])
  })

  it('asks the node seldom, however many answer at once', async () => {
    const root = await post(bob, 'What do you all say?')
    await alice.node.entry('What do you all say?')
    await alice.page.goto(`${new URL(alice.page.url()).origin}/#/thread/${root}`)
    await alice.sees('What do you all say?')
    let asked = 0
    alice.page.on('request', (request) => (asked += request.url().includes('/api/thread') ? 1 : 0))
    const client = clientOf(bob)
    const answers = Array.from({ length: 60 }, (_, i) => client.post('post', { text: `no ${i}`, reply: root }))
    await Promise.all(answers)
    await alice.page
      .getByText(/^no \d+$/)
      .nth(answers.length - 1)
      .waitFor()
    assert.ok(asked < answers.length / 2, `${asked} questions`)
  })
})
