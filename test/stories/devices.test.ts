// A laptop and a Pi are one person: each writes while the other is off, one is ended, and joining survives a crash.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fixedAddress, type Line, type NodeProcess, sleep, Stage, until } from '../support/processes.ts'

describe('the devices of one person', function () {
  this.timeout(180_000)

  it('write in turns while the other is off, and are one person to a friend, until one is ended by name', async () => {
    await using stage = new Stage()
    const listen = await fixedAddresses('laptop', 'pi', 'friend')
    const up = (name: string): Promise<NodeProcess> => stage.up(name, '--listen', listen[name])
    const [laptop, friend] = await Promise.all([up('laptop'), up('friend')])
    await laptop.json('post', 'before')
    await laptop.json('follow', friend.did)
    await friend.json('follow', laptop.did)
    await laptop.end()
    const again = await stage.up('laptop', '--listen', listen.laptop, '--peer', friend.address)
    await friend.entry('before')

    const { link, expires } = (await again.json('device', 'invite'))[0]
    assert.match(String(link), /^comrade:device\//)
    assert.ok(Date.parse(String(expires)) - Date.now() <= 15 * 60_000)
    const joined = await stage.run(stage.home('pi'), 'device', 'join', String(link), '--name', 'pi')
    assert.equal(joined.code, 0, joined.stderr)
    const { did, device, name, state } = JSON.parse(joined.stdout) as Line
    assert.deepEqual([did, name, state], [again.did, 'pi', 'this'])
    assert.ok(readdirSync(stage.home('pi')).includes('keys'))

    const pi = await up('pi')
    assert.deepEqual([pi.did, pi.device], [again.did, device])
    await pi.entry('before')
    await until(async () => (await pi.json('contacts')).some((each) => each.did === friend.did), 'it knows the friend')
    await until(async () => hasPeer(friend, pi), 'the friend knows the new device')

    await again.end()
    await pi.json('post', 'by the pi, the laptop is off')
    await friend.entry('by the pi, the laptop is off')
    await pi.end()
    const third = await up('laptop')
    await third.json('post', 'by the laptop, the pi is off')
    await friend.entry('by the laptop, the pi is off')
    await third.entry('by the pi, the laptop is off')
    const back = await up('pi')
    await back.entry('by the laptop, the pi is off')

    const texts = ['by the laptop, the pi is off', 'by the pi, the laptop is off', 'before']
    for (const node of [friend, third, back]) {
      const feed = await node.json('feed', again.did)
      assert.deepEqual(
        feed.map(({ text }) => text),
        texts
      )
      assert.deepEqual([...new Set(feed.map(({ author }) => author))], [again.did])
    }
    assert.equal((await friend.json('contacts')).length, 1)

    const devices = await third.json('device', 'list')
    assert.deepEqual(
      devices.map((each) => each.state),
      ['this', 'active']
    )
    assert.deepEqual(await third.json('device', 'revoke', 'pi'), [{ device, name: 'pi', state: 'revoked' }])
    await back.line((line) => line.event === 'warning' && line.code === 'REVOKED')
    const refused = await back.run('post', 'too late')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /"SIGNING_PAUSED".*revoked by another/)
    assert.match(String((await back.json('status'))[0].paused), /revoked/)
    assert.equal((await back.run('device', 'invite')).code, 1)
    assert.equal((await friend.json('feed', again.did)).length, 3)
  })

  it('are replaced by a new one that is restored from the phrase: the old posts and contacts come back', async () => {
    await using stage = new Stage()
    const file = join(stage.path, 'phrase')
    const [old, friend] = await Promise.all([stage.up('old', '--recovery-file', file), stage.up('friend')])
    await friend.json('follow', old.did)
    await old.json('follow', friend.did)
    await old.json('post', 'before')
    await old.json('name', friend.did, 'my friend')
    await old.end()
    const again = await stage.up('old', '--peer', friend.address)
    await friend.entry('before')
    const { entries } = (await again.json('status'))[0]
    await until(async () => (await friend.json('status'))[0].entries === entries, 'the friend holds everything')
    await again.end('SIGKILL') // it is lost

    const phrase = readFileSync(file, 'utf8')
    const wrong = await stage.run(stage.home('new'), 'restore', '--phrase-file', join(stage.path, 'nothing'))
    assert.equal(wrong.code, 2)
    const restored = await stage.run(stage.home('new'), 'restore', '--phrase-file', file)
    assert.equal(restored.code, 0, restored.stderr)
    assert.equal((JSON.parse(restored.stdout) as Line).did, old.did)
    assert.ok(!restored.stderr.includes(phrase.split(' ')[0]))
    assert.equal((await stage.run(stage.home('new'), 'restore', '--phrase-file', file)).code, 1)

    const node = await stage.up('new', '--peer', friend.address)
    await node.entry('before')
    await until(async () => (await node.json('status'))[0].paused === undefined, 'it may sign')
    await until(async () => (await node.json('contacts')).some(({ name }) => name === 'my friend'), 'contacts are back')
    assert.deepEqual(
      (await node.json('device', 'list')).map(({ device, state }) => [device, state]),
      [
        [old.device, 'active'],
        [node.device, 'this']
      ]
    )
    assert.equal((await node.json('device', 'revoke', old.device))[0].state, 'revoked')
    await node.json('post', 'after')
    await friend.entry('after')
    const feed = await friend.json('feed', old.did)
    assert.deepEqual(
      feed.map(({ text, author }) => [text, author]),
      [
        ['after', old.did],
        ['before', old.did]
      ]
    )
    const found = await stage.up('old', '--peer', friend.address)
    await found.line((line) => line.event === 'warning' && line.code === 'REVOKED')
    assert.equal((await found.run('post', 'by the finder')).code, 1)
  })

  it('join with the same link after a crash at any moment, and are one device then', async () => {
    await using stage = new Stage()
    const laptop = await stage.up('laptop')
    const started = performance.now()
    const { link } = (await laptop.json('device', 'invite'))[0]
    const whole = await stage.run(stage.home('first'), 'device', 'join', String(link))
    assert.equal(whole.code, 0, whole.stderr)
    const takesMs = performance.now() - started
    for (let i = 1; i <= 5; i++) {
      const { link } = (await laptop.json('device', 'invite'))[0]
      const home = stage.home(`device-${i}`)
      const crashed = stage.start(home, ['device', 'join', String(link), '--name', `number ${i}`])
      await sleep((takesMs * (i + 2)) / 9)
      await crashed.end('SIGKILL')
      const before = (await laptop.json('device', 'list')).length
      const isWhole = readdirSync(home, { withFileTypes: true }).length > 0 && hasKeys(home)
      const again = await stage.run(home, 'device', 'join', String(link), '--name', `number ${i}`)
      if (isWhole) assert.match(again.stderr, /there is an identity in/)
      else assert.equal(again.code, 0, again.stderr)
      const devices = await laptop.json('device', 'list')
      assert.equal(devices.length, i + 2, `the log named ${before} devices when it was killed`)
      const node = await stage.up(home)
      assert.deepEqual([node.did, node.device], [laptop.did, devices[i + 1].device])
      await node.end()
    }
  })

  it('do not begin an identity of their own where joining was cut short', async () => {
    await using stage = new Stage()
    const laptop = await stage.up('laptop')
    const { link } = (await laptop.json('device', 'invite'))[0]
    const home = stage.home('pi')
    const { child } = laptop
    child.kill('SIGSTOP') // it takes the connection, and never answers
    const waiting = stage.start(home, ['device', 'join', String(link)])
    await until(() => readdirSync(stage.path).includes('pi') && readdirSync(home).includes('keys.joining'), 'it asks')
    await waiting.end('SIGKILL')
    child.kill('SIGCONT')
    const refused = stage.spawnUp('pi')
    assert.equal(await refused.end('SIGCONT'), 1)
    assert.match(refused.stderr, /about to join an identity/)
    assert.equal((await stage.run(home, 'device', 'join', String(link))).code, 0)
    assert.equal((await stage.up('pi')).did, laptop.did)
  })
})

function hasKeys(home: string): boolean {
  return readdirSync(home).includes('keys') && readdirSync(join(home, 'keys')).includes('device.key')
}

async function hasPeer(node: NodeProcess, other: NodeProcess): Promise<boolean> {
  return (await node.json('peers')).some(({ peerId, did }) => peerId === other.peerId && did === other.did)
}

/** Addresses that stay the same from start to start. */
async function fixedAddresses(...names: string[]): Promise<Record<string, string>> {
  const addresses: Record<string, string> = {}
  for (const name of names) addresses[name] = await fixedAddress()
  return addresses
}
