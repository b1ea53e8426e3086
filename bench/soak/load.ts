// What happens in the town: posts and what follows them, messages, files, pages that come and go, strangers, a restart.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { socketPath } from '../../src/node/home.ts'
import { startTcpNode } from '../../test/support/network.ts'
import { type Name, NAMES, RESTLESS, type Town } from './town.ts'

const FILE_SIZE = 200_000
/** Of what was posted, so much can be answered, reacted to, and erased. */
const KEPT = 40
/** How long some posts and messages are kept, in ms. */
const LIFETIME_MS = 60_000
/** How long a page is open, in ms. */
const PAGE_MS = 5_000
/** How long a stranger stays, in ms. */
const STAY_MS = 1_500
const MAX_REASON_LENGTH = 60
/** What a page asks for, among others. */
const READ = ['contacts', 'meet/requests', 'group/list', 'conversation/list', 'peers', 'store', 'files', 'doctor']

interface Posted {
  id: string
  by: Name
}

/** What is done again and again. */
interface Habit {
  what: string
  everySeconds: number
  /** @param turn how often it was done before */
  work: (turn: number) => Promise<unknown>
}

export class Load {
  readonly #town: Town
  readonly #directory: string
  readonly #posted: Posted[] = []
  readonly #eventIds = new Map<Name, string>()
  /** How often what was done. */
  readonly done = new Map<string, number>()
  /** What went wrong, by what was said, and how often. Somebody is always just being restarted. */
  readonly failed = new Map<string, number>()
  readonly #habits: readonly Habit[]

  /** @param directory for files that are attached */
  constructor(town: Town, directory: string) {
    this.#town = town
    this.#directory = directory
    this.#habits = [
      { what: 'posts', everySeconds: 2, work: (turn) => this.#post(turn) },
      { what: 'posts to the group', everySeconds: 5, work: (turn) => this.#postToGroup(turn) },
      { what: 'answers', everySeconds: 3, work: (turn) => this.#answer(turn) },
      { what: 'reactions', everySeconds: 4, work: (turn) => this.#react(turn) },
      { what: 'erased posts', everySeconds: 20, work: () => this.#erase() },
      { what: 'messages', everySeconds: 3, work: (turn) => this.#message(turn) },
      { what: 'messages to all', everySeconds: 10, work: (turn) => this.#messageAll(turn) },
      { what: 'posts with a file', everySeconds: 60, work: (turn) => this.#attach(turn) },
      { what: 'messages with a file', everySeconds: 60, work: (turn) => this.#attachToMessage(turn) },
      { what: 'visits of a page', everySeconds: 10, work: (turn) => this.#visit(turn) },
      { what: 'strangers', everySeconds: 3, work: (turn) => this.#passBy(turn) },
      { what: 'restarts', everySeconds: 180, work: () => this.#town.restart(RESTLESS) }
    ]
  }

  /** Lives for one second. What takes longer goes on beside what follows. */
  tick(second: number): void {
    for (const { what, everySeconds, work } of this.#habits) {
      if (second % everySeconds !== 0) continue
      work(second / everySeconds).then(
        () => count(this.done, what),
        ({ message }: Error) => count(this.failed, `${what}: ${message.slice(0, MAX_REASON_LENGTH)}`)
      )
    }
  }

  async #post(turn: number): Promise<void> {
    const expiresInMs = turn % 5 === 0 ? LIFETIME_MS : undefined
    await this.#publish(personOf(turn), { text: `note ${turn} by the river`, tags: ['river'], expiresInMs })
  }

  async #postToGroup(turn: number): Promise<void> {
    const by = NAMES[turn % 3]
    await this.#publish(by, { text: `for the group ${turn}`, to: this.#town.group })
  }

  async #answer(turn: number): Promise<void> {
    const about = this.#posted[turn % this.#posted.length]
    if (about === undefined) return
    await this.#publish(NAMES[turn % 3], { text: `answer ${turn}`, reply: about.id })
  }

  async #react(turn: number): Promise<void> {
    const about = this.#posted[(turn * 7) % this.#posted.length]
    if (about === undefined) return
    await this.#town.client(NAMES[turn % 3]).post('react', { id: about.id, emoji: turn % 2 === 0 ? '👍' : '🌻' })
  }

  async #erase(): Promise<void> {
    const oldest = this.#posted.shift()
    if (oldest !== undefined) await this.#town.client(oldest.by).post('erase', { id: oldest.id })
  }

  async #publish(by: Name, post: object): Promise<void> {
    const { id } = await this.#town.client(by).post<{ id: string }>('post', post)
    this.#posted.push({ id, by })
    if (this.#posted.length > KEPT) this.#posted.shift()
  }

  async #message(turn: number): Promise<void> {
    const from = personOf(turn)
    const to = personOf(turn + 1 + (turn % 3))
    const expiresInMs = turn % 4 === 0 ? LIFETIME_MS : undefined
    await this.#town.client(from).post('message', { who: this.#town.did(to), text: `quietly ${turn}`, expiresInMs })
  }

  async #messageAll(turn: number): Promise<void> {
    await this.#town.client(personOf(turn)).post('message', { who: this.#town.conversation, text: `to all ${turn}` })
  }

  async #attach(turn: number): Promise<void> {
    const to = turn % 2 === 0 ? this.#town.group : undefined
    await this.#publish(NAMES[turn % 3], { text: `a picture ${turn}`, attach: [this.#file()], to })
  }

  async #attachToMessage(turn: number): Promise<void> {
    const to = this.#town.did(personOf(turn + 1))
    await this.#town.client(personOf(turn)).post('message', { who: to, text: `a map ${turn}`, attach: this.#file() })
  }

  #file(): string {
    const path = join(this.#directory, 'file.bin')
    writeFileSync(path, randomBytes(FILE_SIZE))
    return path
  }

  /** A page that is opened, reads, and is closed after some seconds: with events from where it broke off. */
  async #visit(turn: number): Promise<void> {
    const name = personOf(turn)
    const { home } = this.#town.at(name)
    const lastId = this.#eventIds.get(name)
    const headers = { accept: 'text/event-stream', ...(lastId === undefined ? {} : { 'last-event-id': lastId }) }
    const asked = request({ socketPath: socketPath(home), path: '/api/events', headers, agent: false }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    response.setEncoding('utf8').on('data', (text: string) => {
      const id = [...text.matchAll(/^id: (.+)$/gm)].at(-1)?.[1]
      if (id !== undefined) this.#eventIds.set(name, id)
    })
    response.on('error', () => {})
    const client = this.#town.client(name)
    await Array.fromAsync(client.lines('feed', { limit: 50 }))
    await Array.fromAsync(client.lines('messages', { limit: 50 }))
    for (const verb of READ) await client.get(verb)
    const about = this.#posted.at(-1)
    if (about !== undefined) await client.get('thread', { id: about.id })
    await sleep(PAGE_MS)
    response.destroy()
  }

  /** Somebody whom nobody knows connects, and is gone: some at once, some when they have got to know each other. */
  async #passBy(turn: number): Promise<void> {
    await using stranger = await startTcpNode()
    await stranger.connect(this.#town.at(personOf(turn)).address)
    if (turn % 2 === 0) await sleep(STAY_MS)
  }
}

function personOf(turn: number): Name {
  return NAMES[turn % NAMES.length]
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1)
}
