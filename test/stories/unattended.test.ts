// A node as a service: nobody sees what it prints but a log, and nobody is there to start it again.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/documents.ts'
import { fixedAddress, type NodeProcess, Stage, until } from '../support/processes.ts'

const UNIT = join(ROOT, 'examples/comrade.service')
const unit = readFileSync(UNIT, 'utf8')

function setting(name: string): string {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? ''
}

describe('a node that runs by itself', function () {
  this.timeout(90_000)

  it('is a unit that systemd understands', function () {
    const env = { ...process.env, XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? '/tmp' }
    const { error, stderr } = spawnSync('systemd-analyze', ['verify', '--user', '--man=no', UNIT], {
      env,
      timeout: 30_000,
      encoding: 'utf8'
    })
    if (error !== undefined) return this.skip() // no systemd here
    const about = stderr
      .split('\n')
      .filter((line) => line.includes('comrade.service') && !line.includes('is not executable'))
    assert.deepEqual(about, [])
    assert.doesNotMatch(stderr, /Failed to initialize/)
  })

  it('prints nothing of what people write, nor who they are, and goes on as ever', async () => {
    await using stage = new Stage()
    const [first, friend] = await Promise.all([stage.up('service'), stage.up('friend')])
    await Promise.all([first.json('follow', friend.did), friend.json('follow', first.did)])
    await first.end()
    const [, ...args] = setting('ExecStart').split(' ').slice(1)
    assert.deepEqual(args, ['--unattended'])
    const service = await stage.up('service', ...args, '--peer', friend.address)
    await friend.json('post', 'nobody else is to read this')
    await until(async () => (await texts(service)).includes('nobody else is to read this'), 'it has come')
    await service.json('react', (await service.json('feed'))[0].id as string, '❤')
    await friend.end()
    await until(async () => (await service.json('peers')).length === 0, 'the friend is gone')
    assert.equal(await service.end(), 0)
    assert.deepEqual(
      service.lines.map(({ event }) => event),
      ['ready']
    )
    assert.equal(service.stderr, '')
  })

  it('says what is wrong with itself', async () => {
    await using stage = new Stage()
    const words = join(stage.path, 'words')
    const nobody = `${await fixedAddress()}/p2p/12D3KooWBaMpXi9pK9UXMkTAuuigYpzYqeBzEd6U15CNuq19vNYM`
    const node = await stage.up('service', '--unattended', '--recovery-file', words, '--peer', nobody)
    await node.line(({ event, code }) => event === 'warning' && code === 'UNREACHABLE')
    assert.equal(readFileSync(words, 'utf8').trim().split(' ').length, 24)
    assert.equal(await node.end(), 0)
  })

  it('makes no identity whose words nobody would see, nor puts the address of its page into a log', async () => {
    await using stage = new Stage()
    const home = stage.home('nobody')
    for (const more of [[], ['--open', '--recovery-file', join(stage.path, 'words')]]) {
      const { code, stderr } = await stage.run(home, 'up', '--unattended', ...more)
      assert.deepEqual([code, stderr.includes('BAD_INPUT')], [2, true], stderr)
    }
    const nowhere = join(stage.path, 'nowhere', 'words')
    const { code, stderr } = await stage.run(home, 'up', '--unattended', '--recovery-file', nowhere)
    assert.deepEqual([code, stderr.includes('could not be written'), stderr.split('\n').length], [2, true, 2], stderr)
    assert.deepEqual(
      readdirSync(stage.path).filter((name) => name === 'words'),
      []
    )
  })

  it('is not started again where that would end in the same way, and is after all else', async () => {
    await using stage = new Stage()
    const node = await stage.up('service')
    const hopeless = setting('RestartPreventExitStatus').split(' ').map(Number)
    assert.equal(setting('Restart'), 'always')
    const again = (): Promise<{ code: number | null }> => stage.run(node.home, 'up', '--unattended')
    assert.ok(!hopeless.includes((await again()).code ?? NaN), 'another node may still be leaving')
    assert.equal(await node.end(), 0)
    writeFileSync(join(node.home, 'config.json'), '{"mdns":7}')
    assert.ok(hopeless.includes((await again()).code ?? NaN), 'a setting that nobody mends')
  })
})

async function texts(node: NodeProcess): Promise<unknown[]> {
  return (await node.json('feed')).map(({ text }) => text)
}
