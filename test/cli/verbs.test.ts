// What each verb gives, with a real node: the promised fields, and text from elsewhere made harmless.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NodeProcess, run, scratch } from './process.ts'

const ENTRY_FIELDS = [
  'id',
  'feed',
  'seq',
  'author',
  'name',
  'warnings',
  'time',
  'type',
  'text',
  'tags',
  'reply',
  'root',
  'group',
  'files',
  'mentions',
  'replies',
  'reactions',
  'expires',
  'gone'
]
const OTHER = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'

describe('the verbs of the command line', () => {
  let directory: Awaited<ReturnType<typeof scratch>>
  let node: NodeProcess

  before(async () => {
    directory = await scratch()
    node = await NodeProcess.up(join(directory.path, 'home'))
  })

  after(async () => {
    await node?.[Symbol.asyncDispose]()
    await directory?.[Symbol.asyncDispose]()
  })

  it('posts, reads, shows, answers, reacts and erases', async () => {
    const [post] = await node.json('post', 'hello #world', '--tag', 'a', '--tag', 'b')
    assert.deepEqual(Object.keys(post), ['id', 'feed', 'seq'])
    const [reply] = await node.json('post', 'indeed', '--reply', String(post.id), '--expires', '7d')
    const entries = await node.json('feed', '--limit', '2')
    assert.deepEqual(
      entries.map(({ id }) => id),
      [reply.id, post.id]
    )
    assert.deepEqual(Object.keys(entries[0]), ENTRY_FIELDS)
    assert.deepEqual([entries[0].reply, entries[0].root, entries[1].tags], [post.id, post.id, ['a', 'b']])
    assert.match(String(entries[0].time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    const [shown] = await node.json('show', String(reply.id))
    assert.equal(shown.text, 'indeed')
    assert.ok('id' in (await node.json('react', String(post.id), '👍'))[0])
    const [erased] = await node.json('erase', String(post.id))
    assert.deepEqual([erased.id, erased.erased], [post.id, true])
    assert.deepEqual(
      (await node.json('show', String(post.id))).map(({ type, text }) => [type, text]),
      [['erased', null]]
    )
  })

  it('finds by tag, by words, and what is older', async () => {
    const [first] = await node.json('post', 'the quick brown fox', '--tag', 'animals')
    const [second] = await node.json('post', 'the lazy dog', '--tag', 'animals')
    const ids = async (...args: string[]): Promise<unknown[]> => (await node.json('feed', ...args)).map(({ id }) => id)
    assert.deepEqual(await ids('--tag', 'animals'), [second.id, first.id])
    assert.deepEqual(await ids('--search', 'quick fox'), [first.id])
    assert.deepEqual(await ids('--tag', 'animals', '--before', String(second.id)), [first.id])
    assert.deepEqual(await ids('--limit', '1'), [second.id])
  })

  it('lets browsers in, and shuts them out', async () => {
    const [opened] = await node.json('open')
    assert.deepEqual(Object.keys(opened), ['url', 'expires'])
    const { origin, hash } = new URL(String(opened.url))
    await node.line(({ event, url }) => event === 'http' && url === origin)
    const traded = await fetch(`${origin}/api/session`, {
      method: 'POST',
      headers: { origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' },
      body: JSON.stringify({ code: hash.slice(1) })
    })
    assert.equal(traded.status, 200)
    const token = (await readFile(join(node.home, 'keys', 'api-token'), 'utf8')).trim()
    const cookie = /=([\w-]{43});/.exec(traded.headers.get('set-cookie') ?? '')![1]
    for (const secret of [token, cookie, hash.slice(1)])
      assert.ok(![...node.lines, node.stderr, ...node.child.spawnargs].some((said) => said.includes(secret)))
    assert.deepEqual(await node.json('open', '--end'), [{ ended: 1 }])
    await assert.rejects(fetch(origin))
  })

  it('posts what stands on stdin', async () => {
    const { code, stdout } = await node.run(['post', '-', '--json'], { input: 'two\nlines\n' })
    assert.equal(code, 0)
    const { id } = JSON.parse(stdout) as { id: string }
    assert.equal((await node.json('show', id))[0].text, 'two\nlines')
  })

  it('posts text that begins with a dash, after two of them', async () => {
    const { code, stdout } = await run(['post', '--home', node.home, '--json', '--', '--json'])
    assert.equal(code, 0)
    assert.equal((await node.json('show', (JSON.parse(stdout) as { id: string }).id))[0].text, '--json')
  })

  it('tells who one is', async () => {
    const [profile] = await node.json('profile', '--name', 'Alice', '--about', 'bees')
    assert.deepEqual([profile.name, profile.about], ['Alice', 'bees'])
    const [id] = await node.json('id')
    assert.deepEqual([Object.keys(id), id.name], [['did', 'device', 'name'], 'Alice'])
    const qr = await node.run(['id', '--qr'])
    assert.match(qr.stdout, /[▀▄█]/)
  })

  it('makes links to meet, and refuses what cannot be met', async () => {
    const [made] = await node.json('meet', '--expires', '2h')
    assert.deepEqual(Object.keys(made), ['link', 'expires'])
    assert.ok(Math.abs(Date.parse(String(made.expires)) - Date.now() - 7_200_000) < 60_000)
    const text = await node.run(['meet', '--no-input'])
    assert.match(text.stdout, /^comrade:meet\/[\w-]+\n$/, 'no QR code without a terminal')
    assert.deepEqual(await node.json('meet', 'requests'), [])
    const refused = async (...args: string[]): Promise<unknown[]> => {
      const { code, stdout, stderr } = await node.run(['meet', ...args, '--json'])
      assert.equal(stdout, '')
      return [code, (JSON.parse(stderr) as { error: { code: string } }).error.code]
    }
    assert.deepEqual(await refused(OTHER), [2, 'BAD_INPUT'], 'without --yes')
    assert.deepEqual(await refused(String(made.link), '--yes'), [2, 'BAD_INPUT'], 'with oneself')
    assert.deepEqual(await refused('comrade:meet/abc', '--yes'), [2, 'BAD_INPUT'])
    assert.deepEqual(await refused('somebody', '--yes'), [2, 'BAD_INPUT'])
    assert.deepEqual(await refused('accept'), [2, 'BAD_INPUT'])
    assert.deepEqual(await refused('accept', 'somebody'), [1, 'NOT_FOUND'])
    assert.deepEqual(await refused('--expires', '5 minutes'), [2, 'BAD_INPUT'])
  })

  it('follows, names, blocks, and takes it back', async () => {
    const relation = async (...args: string[]): Promise<unknown> => (await node.json(...args))[0].relation
    assert.equal(await relation('follow', OTHER), 'followed')
    const [named] = await node.json('name', OTHER, 'bob')
    assert.deepEqual(Object.keys(named), [
      'did',
      'name',
      'claimed',
      'warnings',
      'relation',
      'vouches',
      'groups',
      'lastSeen'
    ])
    assert.equal(named.name, 'bob')
    assert.equal(await relation('unfollow', 'bob'), 'none')
    assert.equal(await relation('block', 'bob'), 'blocked')
    assert.equal(await relation('unblock', 'bob'), 'none')
    assert.ok((await node.json('contacts')).some(({ did, name }) => did === OTHER && name === 'bob'))
    const unknown = await node.run(['follow', 'nobody', '--json'])
    assert.deepEqual(
      [unknown.code, (JSON.parse(unknown.stderr) as { error: { code: string } }).error.code],
      [1, 'WHO_UNKNOWN']
    )
  })

  it('shows status, peers, store, quota and doctor', async () => {
    const [status] = await node.json('status')
    const fields = ['did', 'device', 'peerId', 'addresses', 'peers', 'feeds', 'entries', 'bytes', 'uptimeMs', 'version']
    assert.deepEqual(
      fields.filter((field) => !(field in status)),
      []
    )
    assert.deepEqual(await node.json('peers'), [])
    assert.deepEqual(Object.keys((await node.json('store', 'own'))[0]), [
      'store',
      'quota',
      'used',
      'distances',
      'groups',
      'unwanted',
      'people',
      'others',
      'files'
    ])
    assert.equal((await node.json('store'))[0].store, 'own')
    assert.equal((await node.json('quota', '2GiB'))[0].quota, 2 ** 31)
    assert.equal((await node.run(['store', 'some'])).code, 2)
    assert.match((await node.run(['config', 'set', 'readReceipts', 'on'])).stderr, /from now on/)
    assert.match((await node.run(['config', 'set', 'relay', 'off'])).stderr, /comrade down, then comrade up/)
    assert.equal((await node.json('config', 'get', 'relay'))[0].value, 'off')
    for (const check of await node.json('doctor'))
      assert.deepEqual(Object.keys(check), ['check', 'ok', 'detail', 'todo', 'sentences', 'advice'])
  })

  it('carries feeds by hand, named from where one stands', async () => {
    const { code, stdout } = await node.run(['export', 'feeds.comrade', '--json'], { cwd: directory.path })
    assert.equal(code, 0)
    const written = JSON.parse(stdout) as { entries: number; bytes: number }
    assert.ok(written.entries > 0 && written.bytes > 0)
    const again = await node.json('import', join(directory.path, 'feeds.comrade'))
    assert.deepEqual(Object.keys(again[0]), ['entries', 'bytes'])
    assert.equal((await node.run(['import', join(directory.path, 'nothing')])).code, 2)
  })

  const hostile = 'a\u001b]52;c;cm0gLXJm\u0007b\u001b[2Jc\rd\be\u0000f\u009bg\u202eh\u2066i\u200bj\u{e0041}k'
  it('shows escapes where text would act on a terminal, and keeps it exact in JSON', async () => {
    const text = hostile.replace('\0', '') // argv cannot hold it; stdin with it is refused as binary
    const [{ id }] = await node.json('post', text)
    await node.json('name', OTHER, 'mallory')
    for (const verb of [
      ['feed', '--limit', '1'],
      ['show', String(id)]
    ]) {
      const { stdout } = await node.run(verb)
      assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u)
      assert.match(stdout, /a\\u\{1b\}\]52;c;cm0gLXJm\\u\{7\}b/)
    }
    const { stdout } = await node.run(['show', String(id), '--json'])
    assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/)
    assert.equal((JSON.parse(stdout) as { text: string }).text, text)
  })

  it('shows escapes in errors too', async () => {
    const { code, stderr } = await node.run(['follow', 'x\u001b[31m\u202ey'])
    assert.notEqual(code, 0)
    assert.doesNotMatch(stderr, /[\u001b\u202e]/)
  })

  it('keeps stdout for results: hints go to stderr, and --quiet has none', async () => {
    const loud = await node.run(['post', 'hello'])
    assert.match(loud.stdout, /^bafkrei[a-z2-7]{52}\n$/)
    assert.match(loud.stderr, /^next: comrade show bafkrei/)
    const quiet = await node.run(['post', 'hello', '--quiet'])
    assert.equal(quiet.stderr, '')
  })

  it('reads a link from stdin, so that it stands in no list of processes', async () => {
    await using directory = await scratch()
    const args = ['device', 'join', '-', '--home', join(directory.path, 'home')]
    const { code, stderr } = await run(args, { input: 'comrade:meet/abc\n' })
    assert.equal(code, 2)
    assert.match(stderr, /found a link to meet somebody/)
  })

  it('has no colour where there is no terminal', async () => {
    const { stdout } = await node.run(['feed', '--limit', '1'], { env: { NO_COLOR: undefined } })
    assert.ok(!stdout.includes('\u001b'))
  })
})
