// Exit codes and messages, each from a real process, as scripts meet them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from '../../src/api/client.ts'
import { NodeProcess, run, scratch, start } from './process.ts'

function errorOf(stderr: string): { code: string; message: string } {
  return (JSON.parse(stderr) as { error: { code: string; message: string } }).error
}

describe('the command line without a node', () => {
  it('exits with 69 from every verb that needs one', async () => {
    await using directory = await scratch()
    const id = `bafkrei${'a'.repeat(52)}`
    const calls = [['status'], ['feed'], ['post', 'hello'], ['show', id], ['export', 'x'], ['down']]
    const results = await Promise.all(calls.map((args) => run([...args, '--json', '--home', directory.path])))
    for (const [i, { code, stdout, stderr }] of results.entries()) {
      assert.deepEqual([calls[i][0], code, stdout, errorOf(stderr).code], [calls[i][0], 69, '', 'NOT_RUNNING'])
    }
  })

  const wrong: [args: string[], message: RegExp][] = [
    [[], /a verb is needed/],
    [['stauts'], /Did you mean status\?/],
    [['toString'], /unknown command/],
    [['status', '--jsno'], /Did you mean --json\?/],
    [['post'], /there is nothing to post: give a text, or a file/],
    [['show'], /missing required argument 'id'/],
    [['post', 'a', '--alt', 'bees'], /--alt is given 1 times and --attach 0 times/],
    [['post', 'a', 'b'], /too many arguments/],
    [['post', ''], /the text is empty/],
    [['post', '-5 degrees'], /goes after --/],
    [['post', 'a', '--expires', '7'], /--expires <duration>: expected a duration/],
    [['post', 'a', '--expires', '0d'], /expected a duration/],
    [['feed', '--limit', '0'], /--limit <n>: expected a whole number from 1/],
    [['feed', '--limit', '1e9'], /expected a whole number/],
    [['quota', 'much'], /expected a size/],
    [['up', '--http', '70000'], /--http <port>: expected a whole number/],
    [['config', 'lst'], /expected list, get, set or schema/],
    [['config', 'get'], /takes 1 more/],
    [['config', 'set', 'listen', 'here'], /multiaddr/],
    [['config', 'get', '__proto__'], /not a setting/],
    [['completion', 'tcsh'], /expected bash, zsh or fish/],
    [['post', 'a', '--attached', 'file'], /unknown option '--attached'/],
    [['group', 'vouch', 'portland'], /takes <group> <who>/],
    [['device', 'add'], /expected list, invite, join or revoke/],
    [['device', 'join'], /takes a link/],
    [['device', 'list', 'all'], /takes nothing more/],
    [['device', 'join', 'comrade:device/AAAA'], /changed or cut off/],
    [['restore', '--no-input'], /--phrase-file/],
    [['restore', '--phrase-file', 'nowhere.txt'], /cannot be read/],
    [['meet', 'accept'], /takes 1 people/],
    [['meet', 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK', 'x'], /takes 0 people/],
    [['meet', 'comrade:meet/abc', '--no-input'], /say so with --yes/],
    [['meet', '--expires', 'soon'], /expected a duration/],
    [['befriend'], /unknown command/]
  ]
  it('exits with 2 when it is used wrongly, and says what was expected', async () => {
    await using directory = await scratch()
    const results = await Promise.all(
      wrong.map(([args]) => run(args, { env: { COMRADE_HOME: join(directory.path, 'home') } }))
    )
    for (const [i, { code, stdout, stderr }] of results.entries()) {
      assert.deepEqual([wrong[i][0], code, stdout], [wrong[i][0], 2, ''])
      assert.match(stderr, wrong[i][1])
    }
  }).timeout(60_000)

  it('tells wrong usage as JSON under --json, in one line and nothing else', async () => {
    const { code, stderr } = await run(['stauts', '--json'])
    assert.deepEqual([code, stderr.split('\n').length, errorOf(stderr).code], [2, 2, 'BAD_INPUT'])
  })

  it('loads neither libp2p nor the server for a verb that asks the node', async () => {
    await using directory = await scratch()
    const hook = `import { registerHooks } from 'node:module'
      registerHooks({ resolve(name, context, next) {
        if (/^(libp2p|@libp2p|hono|@hono|valibot|multiformats)(\\/|$)/.test(name)) throw new Error('loads ' + name)
        return next(name, context)
      } })`
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` }
    const { code, stderr } = await run(['status', '--home', directory.path], { env })
    assert.deepEqual([code, stderr.startsWith('error: no node is running')], [69, true])
    assert.match((await run(['quota', '1GB', '--home', directory.path], { env })).stderr, /loads /) // so the hook works
  })

  it('shows examples first in help, and exits with 0', async () => {
    for (const args of [['--help'], ['post', '--help']]) {
      const { code, stdout, stderr } = await run(args)
      assert.deepEqual([code, stderr], [0, ''])
      assert.ok(stdout.indexOf('$ comrade post') < stdout.indexOf('Usage:'), stdout)
    }
  })

  it('has its version in words and in JSON', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    assert.equal((await run(['--version'])).stdout, `${version}\n`)
    assert.deepEqual(JSON.parse((await run(['--version', '--json'])).stdout), { version })
  })

  it('refuses stdin that is too large, binary or not UTF-8, before it asks for a node', async () => {
    await using directory = await scratch()
    const cases: [input: string | Uint8Array, message: RegExp][] = [
      ['', /nothing to post/],
      ['a'.repeat(65_537), /more than 65536 bytes/],
      ['é'.repeat(1_000_000), /more than 65536 bytes/],
      [Uint8Array.of(0xff, 0xfe, 0x41), /not UTF-8/],
      [Uint8Array.of(0x41, 0, 0x42), /binary/]
    ]
    for (const [input, message] of cases) {
      const { code, stderr } = await run(['post', '-', '--home', directory.path], { input })
      assert.equal(code, 2)
      assert.match(stderr, message)
    }
    const { code } = await run(['post', '-', '--home', directory.path], { input: 'a'.repeat(65_536) })
    assert.equal(code, 69)
  })

  it('changes settings, and keeps them', async () => {
    await using directory = await scratch()
    const home = join(directory.path, 'home')
    const set = await run(['config', 'set', 'mdns', 'off', '--home', home, '--json'])
    assert.deepEqual(JSON.parse(set.stdout), { key: 'mdns', value: false, isSet: true })
    const get = await run(['config', 'get', 'mdns', '--home', home, '--json'])
    assert.equal(get.stdout, set.stdout)
    const schema = await run(['config', 'schema', '--json'])
    assert.ok(
      schema.stdout
        .trim()
        .split('\n')
        .every((line) => 'default' in (JSON.parse(line) as object))
    )
  })

  it('has a doctor that finds a home that others can enter, and exits with 1', async () => {
    await using directory = await scratch()
    const home = join(directory.path, 'home')
    assert.equal((await run(['doctor', '--home', home])).code, 0)
    await mkdir(home, { mode: 0o700 })
    await chmod(home, 0o755)
    const { code, stdout } = await run(['doctor', '--home', home, '--json'])
    assert.equal(code, 1)
    const wrong = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { check: string; ok: boolean; todo: string })
      .filter(({ ok }) => !ok)
    assert.deepEqual(
      wrong.map(({ check, todo }) => [check, todo]),
      [['home', `chmod 700 ${home}`]]
    )
  })

  it('writes completions that a shell can read', async () => {
    const { stdout } = await run(['completion', 'bash'])
    const { spawnSync } = await import('node:child_process')
    const shell = spawnSync('bash', [
      '-c',
      `${stdout}\nCOMP_WORDS=(comrade feed --se); COMP_CWORD=2; _comrade; echo "\${COMPREPLY[@]}"\nCOMP_WORDS=(comrade unf); COMP_CWORD=1; _comrade; echo "\${COMPREPLY[@]}"`
    ])
    assert.equal(shell.stdout.toString(), '--search\nunfollow\n')
    for (const other of ['zsh', 'fish']) assert.match((await run(['completion', other])).stdout, /unfollow/)
  })
})

describe('comrade up', () => {
  it('is ready with the promised fields, and leaves at SIGTERM and SIGINT with 0', async () => {
    await using directory = await scratch()
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const node = await NodeProcess.up(join(directory.path, 'home'))
      assert.deepEqual(Object.keys(JSON.parse(node.lines[0])), [
        'event',
        'did',
        'device',
        'peerId',
        'addresses',
        'home'
      ])
      assert.equal(await node.end(signal), 0)
    }
  })

  it('ends at once at a second signal, with 130', async () => {
    await using directory = await scratch()
    const node = await NodeProcess.up(join(directory.path, 'home'))
    node.child.kill('SIGINT')
    assert.equal(await node.end('SIGTERM'), 130)
  })

  it('shows the recovery phrase once, framed, on stderr', async () => {
    await using directory = await scratch()
    const home = join(directory.path, 'home')
    const first = await NodeProcess.up(home)
    await first.end()
    assert.match(first.stderr, /-{64}\n.*recovery phrase[^]*\n((?:[a-z]+ ){5}[a-z]+\n){4}-{64}\n/)
    assert.ok(!first.lines.join('').includes('phrase'))
    const second = await NodeProcess.up(home)
    await second.end()
    assert.equal(second.stderr, '')
  })

  it('opens its page: the recovery phrase is on no terminal, and is there until it was put by', async () => {
    await using directory = await scratch()
    const home = join(directory.path, 'home')
    const phraseOf = async (path: string): Promise<unknown> =>
      ((await createClient(join(path, 'api.sock')).get('recovery')) as { phrase: unknown }).phrase
    const first = await NodeProcess.up(home, ['--open'])
    const { url, expires } = await first.line(({ event }) => event === 'page')
    assert.match(String(url), /^http:\/\/127\.0\.0\.1:\d+\/open#[\w-]{43}$/)
    assert.ok(Date.parse(String(expires)) > Date.now() + 300_000, 'time to come back to the terminal')
    const words = String(await phraseOf(home)).split(' ')
    assert.equal(words.length, 24)
    const again = await run(['--home', home, '--json', 'up', '--open'])
    assert.equal(again.code, 0)
    assert.match(again.stdout, /^\{"event":"page",.*\}\n$/)
    await first.end('SIGKILL')
    assert.ok(!(first.lines.join('') + first.stderr).includes(words.slice(0, 2).join(' ')))
    await using second = await NodeProcess.up(home)
    assert.deepEqual(String(await phraseOf(second.home)).split(' '), words)
    await second.end()
    const file = join(directory.path, 'phrase.txt')
    await using third = await NodeProcess.up(home, ['--recovery-file', file])
    assert.equal(await readFile(file, 'utf8'), `${words.join(' ')}\n`)
    assert.equal(await phraseOf(third.home), null)
  })

  it('writes the recovery phrase to a file that only its owner can read, and over no other', async () => {
    await using directory = await scratch()
    const file = join(directory.path, 'phrase.txt')
    await using node = await NodeProcess.up(join(directory.path, 'home'), ['--recovery-file', file])
    assert.match(await readFile(file, 'utf8'), /^([a-z]+ ){23}[a-z]+\n$/)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.ok(!node.stderr.includes('-'.repeat(64)))
    const other = await run(['up', '--home', join(directory.path, 'other'), '--recovery-file', file])
    assert.equal(other.code, 2)
    assert.match(other.stderr, /not overwritten/)
    await assert.rejects(stat(join(directory.path, 'other', 'keys', 'root.key')), { code: 'ENOENT' })
  })

  it('lets one node run in a home: the second exits with 75, and the first goes on', async () => {
    await using directory = await scratch()
    await using node = await NodeProcess.up(join(directory.path, 'home'))
    const second = await run(['up', '--home', node.home, '--json', '--no-mdns'])
    assert.deepEqual([second.code, second.stdout, errorOf(second.stderr).code], [75, '', 'HOME_IN_USE'])
    assert.equal((await node.json('status')).length, 1)
  })

  it('leaves at `down`, which comes back when another node can have the home', async () => {
    await using directory = await scratch()
    const node = await NodeProcess.up(join(directory.path, 'home'))
    const ended = once(node.child, 'exit')
    assert.equal((await node.run(['down'])).code, 0)
    await using next = await NodeProcess.up(node.home)
    assert.deepEqual(await ended, [0, null])
    assert.equal((await next.json('id')).length, 1)
  })

  it('is killed, and the next one begins in the same home', async () => {
    await using directory = await scratch()
    const node = await NodeProcess.up(join(directory.path, 'home'))
    await node.end('SIGKILL')
    assert.equal((await node.run(['status'])).code, 69)
    await using next = await NodeProcess.up(node.home)
    assert.equal((await next.json('status')).length, 1)
  })

  it('exits with 4 when the keys have a passphrase and nobody can be asked', async () => {
    await using directory = await scratch()
    const home = join(directory.path, 'home')
    const file = join(directory.path, 'passphrase')
    await writeFile(file, 'correct horse\n', { mode: 0o600 })
    const node = await NodeProcess.up(home, [], { env: { COMRADE_PASSPHRASE_FILE: file } })
    await node.end()
    const locked = await run(['up', '--home', home, '--no-input', '--json', '--no-mdns'])
    assert.deepEqual([locked.code, errorOf(locked.stderr).code], [4, 'LOCKED'])
    await writeFile(file, 'wrong\n')
    const wrong = await run(['up', '--home', home, '--json', '--no-mdns'], { env: { COMRADE_PASSPHRASE_FILE: file } })
    assert.deepEqual([wrong.code, errorOf(wrong.stderr).code], [4, 'LOCKED'])
    const missing = await run(['up', '--home', home, '--json', '--no-mdns'], {
      env: { COMRADE_PASSPHRASE_FILE: `${file}.not` }
    })
    assert.equal(missing.code, 4)
  })

  it('serves loopback HTTP only when it is asked to, and says where', async () => {
    await using directory = await scratch()
    await using node = await NodeProcess.up(join(directory.path, 'home'), ['--http', '0'])
    const { url } = await node.line(({ event }) => event === 'http')
    const token = (await readFile(join(node.home, 'keys', 'api-token'), 'utf8')).trim()
    const answer = await fetch(`${String(url)}/api/id`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(answer.status, 200)
    assert.ok(!(node.lines.join('') + node.stderr).includes(token))
  })
})

describe('a verb that goes on', () => {
  it('is a node that leaves cleanly when nobody reads its events any more', async () => {
    await using directory = await scratch()
    const node = await NodeProcess.up(join(directory.path, 'home'))
    const exited = once(node.child, 'exit')
    node.child.stdout!.destroy()
    await node.run(['post', 'seen by nobody'])
    assert.deepEqual(await exited, [0, null])
    await assert.rejects(stat(join(node.home, 'api.sock')), { code: 'ENOENT' })
  })

  it('ends with 130 when it is interrupted', async () => {
    await using directory = await scratch()
    await using node = await NodeProcess.up(join(directory.path, 'home'))
    await node.json('post', 'hello')
    const child = start(['feed', '--follow', '--json', '--home', node.home])
    await once(child.stdout!, 'data')
    const closed = once(child, 'close')
    child.kill('SIGINT')
    assert.deepEqual(await closed, [130, null])
  })

  it('ends with 69 when the node leaves', async () => {
    await using directory = await scratch()
    const node = await NodeProcess.up(join(directory.path, 'home'))
    await node.json('post', 'hello')
    const child = start(['feed', '--follow', '--json', '--home', node.home])
    const closed = once(child, 'close')
    await once(child.stdout!, 'data')
    await node.end()
    assert.deepEqual(await closed, [69, null])
  })

  it('ends quietly with 0 when nobody reads on', async () => {
    await using directory = await scratch()
    await using node = await NodeProcess.up(join(directory.path, 'home'))
    await node.json('post', 'one')
    const child = start(['feed', '--follow', '--json', '--home', node.home])
    let stderr = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const exited = once(child, 'exit')
    await once(child.stdout!, 'data')
    child.stdout!.destroy()
    await node.json('post', 'two')
    assert.deepEqual([await exited, stderr], [[0, null], ''])
  })
})
