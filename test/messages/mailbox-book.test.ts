// What a device keeps of its queues at others' nodes.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FeedStore, sha256 } from '../../src/feeds/index.ts'
import { MailboxBook, type OwnQueue } from '../../src/messages/index.ts'
import { Vault } from '../../src/node/vault.ts'

const CONTACT = new Uint8Array(32).fill(7)
const HOST = new Uint8Array(32).fill(8)

const keysOf = ({ receive, send }: OwnQueue): string[] =>
  [receive, send].flatMap(({ id, secret }) => [id, secret].map((bytes) => Buffer.from(bytes).toString('hex')))

describe('the book of own mailboxes', () => {
  let directory: string
  let store: FeedStore
  const bookWith = (seed: string): MailboxBook => new MailboxBook(store, new Vault(sha256(Buffer.from(seed))))
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'comrade-book-'))
    store = FeedStore.open(join(directory, 'feeds.sqlite'))
  })
  afterEach(() => {
    store.close()
    rmSync(directory, { recursive: true, force: true })
  })

  it('gives back what was made, with the keys by which it is read and written', () => {
    const made = bookWith('home').add(CONTACT, 'host', 0)
    assert.deepEqual(bookWith('home').all().map(keysOf), [keysOf(made)])
    bookWith('home').setMade(made, HOST)
    const [{ contact, host, state, ...queue }] = bookWith('home').of(CONTACT)
    assert.deepEqual([contact, host, state, queue.peer], [CONTACT, HOST, 'made', 'host'])
    bookWith('home').setEnding(made)
    assert.deepEqual(bookWith('home').of(CONTACT), [])
    assert.deepEqual(
      bookWith('home')
        .at('host')
        .map((each) => [each.state, ...keysOf(each)]),
      [['ending', ...keysOf(made)]]
    )
    bookWith('home').remove(made)
    assert.deepEqual(bookWith('home').all(), [])
  })

  it('has no secret that opens without the keys of the home', () => {
    const { receive, send } = bookWith('home').add(CONTACT, 'host', 0)
    assert.deepEqual(bookWith('another home').all(), [])
    const bytes = Buffer.concat(readdirSync(directory).map((name) => readFileSync(join(directory, name))))
    assert.ok(bytes.includes(Buffer.from(receive.id)), 'the queue is there')
    for (const { secret } of [receive, send]) assert.ok(!bytes.includes(Buffer.from(secret)))
  })
})
