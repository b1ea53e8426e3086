// `npm run demo` as a newcomer runs it: seven nodes in processes of their own, on loopback, until they are told to end.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { GroupShape } from '../../src/api/group-shapes.ts'
import type { MessageShape } from '../../src/api/message-shapes.ts'
import type { EntryShape } from '../../src/api/shapes.ts'
import { type Client, createClient } from '../../src/api/client.ts'
import { homeAt } from '../../src/node/home.ts'
import { lockHolder } from '../../src/node/lock.ts'
import { PEOPLE, type PersonId } from '../../scripts/demo/people.ts'
import { until } from '../support/processes.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const LIMIT_MS = 150_000

/** The demo as a process. */
class Demo implements AsyncDisposable {
  output = ''
  /** Where it makes its directory, and nobody else theirs. */
  readonly temporary = mkdtempSync(join(tmpdir(), 'comrade-test-'))
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>

  constructor(...args: string[]) {
    this.#child = spawn(process.execPath, ['scripts/demo.ts', ...args], {
      cwd: ROOT,
      env: { ...process.env, NODE_NO_WARNINGS: '1', TMPDIR: this.temporary },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    this.#closed = once(this.#child, 'close')
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text))
  }

  /** Waits until it has said something. */
  async says(what: string | RegExp): Promise<void> {
    const isSaid = (): boolean => (typeof what === 'string' ? this.output.includes(what) : what.test(this.output))
    await until(() => isSaid() || this.#child.exitCode !== null, `it says ${what}: ${this.output}`, LIMIT_MS)
    assert.ok(isSaid(), this.output)
  }

  home(id: PersonId): string {
    return join(this.temporary, readdirSync(this.temporary)[0], id)
  }

  client(id: PersonId): Client {
    return createClient(homeAt(this.home(id)).socket)
  }

  /** The processes of all nodes. */
  pids(): number[] {
    return PEOPLE.map(({ id }) => lockHolder(homeAt(this.home(id)).lock)!)
  }

  /** Sends a signal, and waits for the end. @returns the exit code */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal)
    await this.#closed
    return this.#child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) await this.end('SIGTERM')
    rmSync(this.temporary, { recursive: true, force: true })
  }
}

describe('npm run demo', function () {
  this.timeout(2 * LIMIT_MS)

  it('shows seven people who go on writing, answers what one writes, outlives one of them, and leaves nothing', async () => {
    await using demo = new Demo('--pace', '0.2')
    await demo.says('Enter: new addresses')
    const pids = demo.pids()
    assert.equal(new Set(pids).size, 7)
    assert.equal(demo.output.match(/http:\/\/127\.0\.0\.1:\d+\/open#\S{43}\n/g)?.length, 7)

    const ada = demo.client('ada')
    const feed = await Array.fromAsync(ada.lines<EntryShape>('feed', { limit: 200 }))
    assert.ok(new Set(feed.map(({ author }) => author)).size >= 5, 'several people write')
    assert.ok(feed.some(({ files }) => files.length > 0) && feed.some(({ type }) => type === 'reaction'))
    assert.ok(feed.some(({ reply }) => reply !== null) && feed.some(({ tags }) => tags.includes('apples')))
    const fatima = await demo.client('fatima').get<GroupShape[]>('group/list')
    const standing = fatima.map(({ name, size, you }) => `${name} ${size} ${you}`).toSorted((a, b) => (a < b ? -1 : 1))
    assert.deepEqual(standing, ['choir 3 member', 'orchard 5 candidate'])
    assert.equal((await ada.get<unknown[]>('meet/requests')).length, 1)
    const messages = await Array.fromAsync(ada.lines<MessageShape>('messages'))
    assert.ok(messages.length >= 8 && messages.some(({ attachment }) => attachment !== null))

    await demo.client('ben').post('message', { who: 'Ada', text: 'what only I would ask' })
    await demo.client('greta').post('post', { text: 'what nobody else would say' })
    await demo.says('Ada answers your message to them as Ben')
    await demo.says('answers what you wrote as Greta')
    await demo.says('all is said')
    assert.doesNotMatch(demo.output, /somebody could not/)

    process.kill(lockHolder(homeAt(demo.home('chiara')).lock)!, 'SIGKILL')
    await demo.says('the node of Chiara has ended (SIGKILL); the others go on')
    assert.equal(await demo.end('SIGINT'), 0)
    assert.deepEqual(readdirSync(demo.temporary), [])
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  })

  it('ends as cleanly before all is there', async () => {
    await using demo = new Demo()
    await demo.says('they say who they are')
    assert.equal(await demo.end('SIGTERM'), 0)
    assert.deepEqual(readdirSync(demo.temporary), [])
    assert.doesNotMatch(demo.output, /ready|demo:/)
  })
})
