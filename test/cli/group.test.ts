// What `comrade group` says without a node: its actions, typos, and the warnings before something nameless is given.
import assert from 'node:assert/strict'
import { exposureOf, handleOf, shellWord } from '../../src/cli/group-lines.ts'
import { run } from './process.ts'

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
