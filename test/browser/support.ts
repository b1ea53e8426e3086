// A browser and nodes in processes, for tests that look at the page as people do. Loopback only.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { type Client, createClient } from '../../src/api/client.ts'
import { socketPath } from '../../src/node/home.ts'
import type { NodeProcess, Stage } from '../support/processes.ts'

const ROOT = resolve(import.meta.dirname, '../..')
export const LIMIT_MS = 30_000
/** The first start bundles the sources. */
const START_LIMIT_MS = 60_000

/** Chromium of the system; scripts/test-browser.ts names the one that it has found. */
function executable(): string {
  return process.env.CHROMIUM ?? execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim()
}

/** @param args more switches of Chromium */
export function launch(...args: string[]): Promise<Browser> {
  // Inside a container of root's there is no sandbox to be had; what is shown comes from this machine alone.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ executablePath: executable(), args: [...sandbox, ...args] })
}

export interface LookOptions {
  width?: number
  locale?: string
  colorScheme?: 'light' | 'dark'
}

/** One person at a browser of their own, with their node. */
export class Person {
  readonly node: NodeProcess
  readonly context: BrowserContext
  readonly page: Page
  /** What went wrong in the page: errors of scripts, of the content security policy, and requests that left the node. */
  readonly troubles: string[] = []

  constructor(node: NodeProcess, context: BrowserContext, page: Page) {
    this.node = node
    this.context = context
    this.page = page
    page.setDefaultTimeout(LIMIT_MS)
    page.on('pageerror', (error) => this.troubles.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load')) this.troubles.push(message.text())
    })
    page.on('response', (response) => {
      if (response.status() >= 500)
        void response.text().then((text) => this.troubles.push(`${response.url()}: ${text}`))
    })
    page.on('dialog', (dialog) => {
      this.troubles.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', (request) => {
      if (new URL(request.url()).hostname !== '127.0.0.1') this.troubles.push(`asked ${request.url()}`)
    })
  }

  /** Starts a node, and comes to its page by an address as `comrade open` prints it. */
  static async come(stage: Stage, browser: Browser, name: string, options: LookOptions = {}): Promise<Person> {
    const person = await Person.#at(await stage.up(name), browser, options)
    await person.#open()
    return person
  }

  /** Does both in one, as newcomers do: `comrade up --open`. */
  static async begin(stage: Stage, browser: Browser, name: string, options: LookOptions = {}): Promise<Person> {
    const node = stage.spawnUp(name, '--open')
    const person = await Person.#at(node, browser, options)
    const { url } = await node.line(({ event }) => event === 'page', START_LIMIT_MS)
    await person.page.goto(String(url))
    return person
  }

  static async #at(node: NodeProcess, browser: Browser, options: LookOptions): Promise<Person> {
    const { width = 1280, locale = 'en-GB', colorScheme = 'light' } = options
    const viewport = { width, height: width > 600 ? 860 : 844 }
    const context = await browser.newContext({ viewport, locale, colorScheme })
    return new Person(node, context, await context.newPage())
  }

  /** The same, of somebody who was here before: with a name, past the first run. */
  static async return(stage: Stage, browser: Browser, name: string, options: LookOptions = {}): Promise<Person> {
    const person = await Person.#at(await stage.up(name), browser, options)
    await person.client.post('profile', { name })
    await person.#open()
    await person.page.getByRole('heading', { level: 1 }).waitFor()
    return person
  }

  /** Asks the node without starting a process for it. */
  get client(): Client {
    return clientOf(this.node)
  }

  async #open(): Promise<void> {
    const { url } = await this.client.post<{ url: string }>('open')
    await this.page.goto(url)
    await this.page.waitForURL((address) => address.pathname === '/')
  }

  /** Goes to a place of the page by its name in the menu. */
  async visit(name: string): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name }).click()
    await this.page.getByRole('heading', { name, level: 1 }).waitFor()
  }

  /** Presses a button, or follows a link that looks like one. */
  press(name: string | RegExp): Promise<void> {
    return this.page.getByRole('button', { name }).or(this.page.getByRole('link', { name })).first().click()
  }

  /** Waits until the page shows a text. */
  sees(text: string | RegExp): Promise<void> {
    return this.page.getByText(text).first().waitFor()
  }

  picture(name: string): Promise<void> {
    return keepPicture(this.page, name)
  }
}

/** Keeps a picture in docs/images, when SCREENSHOTS is set. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS === undefined) return
  mkdirSync(join(ROOT, 'docs/images'), { recursive: true })
  await page.screenshot({ path: join(ROOT, 'docs/images', `${name}.png`), animations: 'disabled' })
}

/** Asks a node without starting a process for it. */
export function clientOf({ home }: NodeProcess): Client {
  return createClient(socketPath(home))
}

/** Has two people meet, by their nodes. */
export async function meet(one: Pick<Person, 'node'>, other: Pick<Person, 'node'>): Promise<void> {
  const { link } = await clientOf(one.node).post<{ link: string }>('meet/invite')
  await clientOf(other.node).post('meet', { with: link })
}
