// `comrade group`: its actions, typos, the promised fields, and the warnings before something nameless is given.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { exposureOf } from '../../src/cli/exposure.ts'
import { handleOf, shellWord } from '../../src/cli/group-lines.ts'
import { NodeProcess, run, scratch, start } from './process.ts'

const OTHER = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
const GROUP = 'id name link members size quorum you reading rule representative warnings sentences'
const CANDIDATE = 'did name warnings motion vouches needed ring'
const MOTION = 'motion kind did name rule ballots needed ring isCarried'
const ACTIONS =
  'create list show link open apply candidates propose vouch retract join leave expel rule motions ballot log forget'

describe('comrade group', () => {
  it('lists its actions in its help, examples first', async () => {
    const { code, stdout } = await run(['group', '--help'])
    assert.equal(code, 0)
    assert.match(stdout, /^Examples:\n {2}\$ comrade group create @portland\n/)
    for (const action of ACTIONS.split(' ')) assert.match(stdout, new RegExp(`^  ${action}\\b.* {2,}\\S`, 'm'), action)
  })

  it('names the nearest action on a typo', async () => {
    const { code, stdout, stderr } = await run(['group', 'vuoch', '@portland', 'alice'])
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /not 'vuoch'\n\(Did you mean vouch\?\)\n$/)
  })

  it('refuses what is no action at all, and what only a table of JavaScript would have', async () => {
    for (const name of ['xyzzy', '__proto__', 'constructor', 'help']) {
      const { code, stderr } = await run(['group', name, '--json'])
      assert.equal(code, 2)
      assert.equal((JSON.parse(stderr) as { error: { code: string } }).error.code, 'BAD_INPUT')
    }
  })

  it('says what an action takes, before it asks any node', async () => {
    for (const args of [['vouch', '@portland'], ['create'], ['list', 'all'], ['create', 'my', 'group']]) {
      const { code, stderr } = await run(['group', ...args, '--home', '/nowhere'])
      assert.equal(code, 2, args.join(' '))
      assert.match(stderr, new RegExp(`^error: comrade group ${args[0]} takes `))
    }
  })

  it('is completed in three shells, with its actions and options', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { stdout } = await run(['completion', shell])
      for (const word of [...ACTIONS.split(' '), 'quorum', 'history']) assert.match(stdout, new RegExp(`\\b${word}\\b`))
    }
  })
})

describe('comrade group, where a node runs', () => {
  let directory: Awaited<ReturnType<typeof scratch>>
  let node: NodeProcess

  before(async () => {
    directory = await scratch()
    node = await NodeProcess.up(join(directory.path, 'home'))
    await node.json('name', OTHER, 'bob')
  })

  after(async () => {
    await node?.[Symbol.asyncDispose]()
    await directory?.[Symbol.asyncDispose]()
  })

  const group = (...args: string[]): Promise<Record<string, unknown>[]> => node.json('group', ...args)
  const fieldsOf = (value: object): string => Object.keys(value).join(' ')

  it('founds, lists and shows groups, with the promised fields', async () => {
    const [made] = await group('create', '@portland', '--quorum', 'constant:2', '--history')
    assert.equal(fieldsOf(made), GROUP)
    assert.deepEqual(
      [made.name, made.size, made.quorum, made.you, made.reading],
      ['portland', 1, 1, 'member', 'members']
    )
    assert.deepEqual([made.rule, made.representative], ['constant:2', null])
    assert.deepEqual((made.members as object[]).map(fieldsOf), ['did name warnings vouches atLeastNow'])
    // Who carries for the others is known a moment later.
    const lately = async (...args: string[]) =>
      (await group(...args)).map((each) => ({ ...each, representative: null }))
    assert.deepEqual(await lately('show', 'portland'), [made])
    assert.deepEqual(await lately('list'), [made])
    assert.deepEqual(await lately('open', String(made.link)), [made], 'what is kept already')
    assert.deepEqual((await group('link', '@portland')).map(fieldsOf), ['id name link'])
    assert.equal((await group('create', 'lisbon', '--open'))[0].reading, 'open')
  })

  it('posts to a group, and reads what was posted there apart from the feed', async () => {
    const [{ id }] = await group('list')
    await group('create', 'basel')
    const [post] = await node.json('post', 'for members', '--to', '@portland', '--tag', 'keys')
    assert.deepEqual(Object.keys(post), ['id', 'feed', 'seq'])
    const [answer] = await node.json('post', 'for them too', '--reply', String(post.id))
    await node.json('react', String(post.id), '🔑')
    const texts = async (...args: string[]) => (await node.json('feed', ...args)).map((entry) => entry.text)
    assert.deepEqual(await texts('--in', 'portland'), ['🔑', 'for them too', 'for members'])
    assert.deepEqual(await texts('--in', String(id), '--tag', 'keys'), ['for members'])
    assert.deepEqual(await texts('--in', 'portland', '--before', String(answer.id)), ['for members'])
    assert.deepEqual(await texts('--in', 'basel'), [])
    assert.deepEqual(await texts(), [])
    const [shown] = await node.json('show', String(answer.id))
    assert.deepEqual([shown.type, shown.text, shown.group, shown.root], ['post', 'for them too', id, post.id])
    const { stdout } = await node.run(['show', String(post.id), '--quiet'])
    assert.match(stdout, new RegExp(`^ {2}to the group ${String(id)}$`, 'm'))
    for (const args of [
      ['post', 'x', '--to', 'porto'],
      ['feed', '--in', 'porto']
    ])
      assert.match((await node.run(args)).stderr, /^error: there is no group porto here/)
    const { error } = JSON.parse((await node.run(['feed', '--in', 'porto', '--json'])).stderr) as { error: object }
    const text = 'there is no group porto here: comrade group list'
    const sentence = { code: 'refusal.noGroup', values: { name: 'porto' }, text }
    assert.deepEqual(error, { code: 'NOT_FOUND', message: text, sentence })
    const expiring = await node.run(['post', 'x', '--to', 'portland', '--expires', '1d'])
    assert.deepEqual([expiring.code, /cannot expire/.test(expiring.stderr)], [2, true])
  })

  it('vouches, with a warning where nobody is hidden, also for programs', async () => {
    const [proposed] = await group('propose', '@portland', 'bob')
    assert.equal(fieldsOf(proposed), CANDIDATE)
    assert.deepEqual([proposed.did, proposed.vouches, proposed.needed, proposed.ring], [OTHER, 0, 1, 1])
    const { code, stdout, stderr } = await node.run(['group', 'vouch', '@portland', 'bob', '--json'])
    assert.equal(code, 0)
    assert.equal(fieldsOf(JSON.parse(stdout) as object), CANDIDATE)
    const { warning } = JSON.parse(stderr) as { warning: { code: string; message: string } }
    assert.equal(warning.code, 'NOT_ANONYMOUS')
    assert.match(warning.message, /^not anonymous at this size: /)
    const again = await node.run(['group', 'vouch', '@portland', 'bob', '--quiet', '--no-input'])
    assert.equal(again.code, 1)
    assert.match(
      again.stderr,
      /^warning: not anonymous at this size: .*\nerror: you vouched for this candidate already\n$/
    )
    await group('retract', '@portland', 'bob')
    assert.deepEqual(
      (await group('candidates', '@portland')).map(({ did, vouches }) => [did, vouches]),
      [[OTHER, 0]]
    )
  })

  it('moves, votes, and tells why somebody is a member or is not', async () => {
    const [moved] = await group('rule', '@portland', 'percent:10')
    assert.equal(fieldsOf(moved), MOTION)
    assert.deepEqual(
      [moved.kind, moved.rule, moved.did, moved.ballots, moved.needed],
      ['rule', 'percent:10', null, 1, 1]
    )
    assert.ok((await group('motions', '@portland')).some(({ motion }) => motion === moved.motion))
    const log = await group('log', '@portland')
    assert.deepEqual(log.map(fieldsOf), ['did name isMember reasons sentences', 'did name isMember reasons sentences'])
    assert.deepEqual(
      log.map(({ isMember }) => isMember),
      [true, false]
    )
  })

  it('goes on with what changes, and up tells of it', async () => {
    const { id } = (await group('create', 'porto'))[0]
    const child = start(['group', 'candidates', 'porto', '--follow', '--json', '--home', node.home])
    const lines = createInterface({ input: child.stdout! })
    const first = once(lines, 'line')
    await group('propose', 'porto', 'bob')
    assert.equal((JSON.parse(((await first) as string[])[0]) as { did: string }).did, OTHER)
    const event = await node.line((line) => line.event === 'group' && line.kind === 'candidate' && line.group === id)
    assert.equal(fieldsOf(event), 'event group name kind did person rule motion count needed')
    assert.deepEqual([event.name, event.did, event.person, event.needed], ['porto', OTHER, 'bob', 1])
    child.kill('SIGINT')
    assert.deepEqual(await once(child, 'close'), [130, null])
  })

  it('leaves and forgets, and refuses what is not to be', async () => {
    const refused = async (...args: string[]): Promise<unknown[]> => {
      const { code, stderr } = await node.run(['group', ...args, '--json'])
      const last = stderr.trim().split('\n').at(-1)!
      return [code, (JSON.parse(last) as { error: { code: string } }).error.code]
    }
    assert.deepEqual(await refused('show', '@nowhere'), [1, 'NOT_FOUND'])
    assert.deepEqual(await refused('vouch', '@portland', 'nobody'), [1, 'WHO_UNKNOWN'])
    assert.deepEqual(await refused('expel', '@portland', 'bob'), [1, 'NOT_FOUND'])
    assert.deepEqual(await refused('ballot', '@portland', 'bafkreiaaaa'), [1, 'NOT_FOUND'])
    assert.deepEqual(await refused('rule', '@portland', 'most'), [2, 'BAD_INPUT'])
    assert.deepEqual(await refused('create', 'a/b'), [2, 'BAD_INPUT'])
    assert.deepEqual(await refused('open', 'comrade:meet/AAAA'), [2, 'BAD_INPUT'])
    assert.deepEqual(await refused('join', '@portland'), [1, 'FAILED'])
    assert.deepEqual(await refused('forget', '@portland'), [1, 'FAILED'])
    assert.equal((await group('leave', '@portland'))[0].you, 'outside')
    assert.deepEqual(await refused('propose', '@portland', 'bob'), [1, 'NOT_OWN'])
    const [forgotten] = await group('forget', '@portland')
    assert.deepEqual([fieldsOf(forgotten), forgotten.name], ['id name forgotten', 'portland'])
    assert.deepEqual(await refused('show', '@portland'), [1, 'NOT_FOUND'])
  })
})

describe('before a vouch or a ballot is given', () => {
  it('says that nobody is hidden among fewer than five', () => {
    for (const ring of [1, 2, 3, 4])
      assert.match(exposureOf('vouch', ring, 0) ?? '', /^not anonymous at this size: /, `ring of ${ring}`)
    assert.match(exposureOf('ballot', 3, 0) ?? '', /only 3 members can give a ballot/)
    assert.equal(exposureOf('vouch', 5, 0), undefined)
    assert.equal(exposureOf('ballot', 64, 62), undefined)
  })

  it('says when all of a ring will have given theirs', () => {
    assert.match(exposureOf('vouch', 5, 4) ?? '', /when all 5 have given theirs/)
    assert.equal(exposureOf('vouch', 5, 3), undefined)
  })
})

describe('the next command line', () => {
  it('has a name that somebody else chose only where no shell would find anything in it', () => {
    const id = 'bafkreiabc'
    assert.equal(handleOf({ id, name: 'portland' }), '@portland')
    for (const name of ['$(reboot)', 'a b', 'x;y', '-rf', "it's", '', 'a\nb', '`id`', '\u202eevil'])
      assert.equal(handleOf({ id, name }), id, name)
  })

  it('quotes what the user has typed', () => {
    assert.equal(shellWord('@portland'), '@portland')
    assert.equal(shellWord("bob's $(friends)"), "'bob'\\''s $(friends)'")
  })
})
