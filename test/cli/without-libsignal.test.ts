// A node where libsignal is not installed: a copy of the sources beside all packages but that one.
import assert from 'node:assert/strict'
import { cp, mkdir, readdir, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { NodeProcess, scratch } from './process.ts'

const ROOT = resolve(import.meta.dirname, '../..')

describe('a node without libsignal', function () {
  this.timeout(60_000)
  let directory: Awaited<ReturnType<typeof scratch>>
  let without: NodeProcess
  let friend: NodeProcess

  before(async () => {
    directory = await scratch()
    const main = await installWithout('@signalapp', join(directory.path, 'comrade'))
    const homes = ['without', 'friend'].map((name) => join(directory.path, name))
    ;[without, friend] = await Promise.all([NodeProcess.up(homes[0], [], { main }), NodeProcess.up(homes[1])])
    const [{ link }] = await without.json('meet')
    const [meeting] = await friend.json('meet', String(link), '--yes', '--name', 'alice')
    assert.equal(meeting.state, 'met')
  })
  after(async () => {
    await Promise.allSettled([without, friend].map((node) => node?.[Symbol.asyncDispose]()))
    await directory?.[Symbol.asyncDispose]()
  })

  it('says so in its status, and what to do in doctor', async () => {
    const [{ messages }] = await without.json<{ messages: { available: boolean; reason: string } }>('status')
    assert.equal(messages.available, false)
    assert.match((await without.run(['status'])).stdout, /^note +no private messages: .* is not installed$/m)
    assert.match(messages.reason, /libsignal.* is not installed/)
    const { code, stdout } = await without.run(['doctor', '--json'])
    const checks = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const { ok, todo } = checks.find(({ check }) => check === 'messages')!
    assert.deepEqual([code, ok, todo], [1, false, 'npm install --include=optional'])
    assert.deepEqual((await friend.json('status'))[0].messages, { available: true })
  })

  it('writes no message, and says why', async () => {
    const [{ did }] = await friend.json('id')
    const { code, stderr } = await without.run(['message', String(did), 'hello', '--json'])
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } }
    assert.deepEqual([code, error.code], [1, 'UNAVAILABLE'])
    assert.match(error.message, /which is not installed/)
    assert.deepEqual(await without.json('messages'), [])
  })

  it('does all else, and what a friend writes to it waits there', async () => {
    const [{ state }] = await friend.json('message', 'alice', 'are you there?')
    assert.equal(state, 'queued')
    const [{ id }] = await without.json('post', 'I have no private messages here')
    await friend.line(({ event, id: arrived }) => event === 'entry' && arrived === id)
    assert.equal((await friend.json('messages', 'alice'))[0].state, 'queued')
    assert.equal(without.stderr.match(/no private messages/g)?.length, 1, without.stderr)
  })
})

/** Packages that are linked find each other where they really are; only the sources look here. @returns the program */
async function installWithout(left: string, root: string): Promise<string> {
  await cp(join(ROOT, 'src'), join(root, 'src'), { recursive: true })
  await cp(join(ROOT, 'package.json'), join(root, 'package.json'))
  await mkdir(join(root, 'node_modules'))
  const packages = (await readdir(join(ROOT, 'node_modules'))).filter((name) => name !== left)
  for (const name of packages) await symlink(join(ROOT, 'node_modules', name), join(root, 'node_modules', name))
  return join(root, 'src/cli/main.ts')
}
