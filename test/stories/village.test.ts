// A village meets: strangers by a link, by a friend, and by nothing but a did; one of them has two devices and loses one.
// Only the command line is used, in fresh homes, as new users would.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { type Line, type NodeProcess, Stage, until } from '../support/processes.ts'

describe('a village of fresh homes', function () {
  this.timeout(180_000)

  it('meets by link, by a friend and by did; a laptop and a Pi are one person; a lost laptop is replaced', async () => {
    await using stage = new Stage()
    const [laptop, bob] = await Promise.all([
      stage.up('laptop', '--recovery-file', stage.home('alice.words')),
      stage.up('bob')
    ])
    await laptop.json('profile', '--name', 'Alice')
    await bob.json('profile', '--name', 'Bob')
    await laptop.json('post', 'the bees are back')
    await bob.json('post', 'the bread is done')

    // By a link: each reads what the other wrote before.
    const start = performance.now()
    await meet(bob, laptop, 'alice')
    await Promise.all([reads(bob, 'alice', 'the bees are back'), reads(laptop, bob.did, 'the bread is done')])
    assert.ok(performance.now() - start < 10_000)
    await laptop.json('name', bob.did, 'bob')

    // The Pi joins, and posts while the laptop is off; the laptop posts while the Pi is off.
    const [{ link: invite }] = await laptop.json('device', 'invite')
    const [joined] = parse(await stage.run(stage.home('pi'), 'device', 'join', String(invite), '--name', 'pi'))
    assert.equal(joined.state, 'this')
    let pi = await stage.up('pi')
    assert.equal(pi.did, laptop.did)
    await until(async () => (await relationOf(pi, bob.did)) === 'friend', 'the Pi knows whom Alice knows')
    assert.equal(await laptop.end(), 0)
    await pi.json('post', 'from the Pi')
    await reads(bob, 'alice', 'the bees are back', 'from the Pi')
    assert.equal(await pi.end(), 0)
    let laptopAgain = await stage.up('laptop')
    await reads(laptopAgain, laptop.did, 'the bees are back', 'from the Pi')
    await laptopAgain.json('post', 'from the laptop')
    await reads(bob, 'alice', 'the bees are back', 'from the Pi', 'from the laptop')

    // Carol meets Bob by a link, and Alice through Bob.
    const carol = await stage.up('carol')
    await carol.json('profile', '--name', 'Carol')
    await meet(carol, bob, 'bob')
    await until(async () => (await bob.json('contacts')).length === 2, 'Bob knows Carol')
    await bob.json('meet', 'introduce', 'alice', carol.did)
    for (const [node, did] of [
      [carol, laptop.did],
      [laptopAgain, carol.did]
    ] as const) {
      await until(
        async () => (await node.json('meet', 'requests')).some((request) => request.did === did),
        'introduced'
      )
    }
    const [request] = await carol.json('meet', 'requests')
    assert.deepEqual([request.inCommon, request.by], [1, ['bob']])
    await carol.json('meet', 'accept', laptop.did)
    await laptopAgain.json('meet', 'accept', carol.did)
    await reads(carol, laptop.did, 'from the Pi', 'from the laptop')

    // Dora knows nothing but Carol's did, and one node of the network.
    const dora = await stage.up('dora', '--peer', bob.address)
    await dora.json('profile', '--name', 'Dora')
    await until(async () => (await dora.run('resolve', carol.did)).code === 0, "Carol's device is found")
    const [asked] = await dora.json('meet', carol.did, '--yes')
    assert.equal(asked.state, 'requested')
    await until(
      async () => (await carol.json('meet', 'requests')).some(({ did }) => did === dora.did),
      'Dora has asked'
    )
    assert.equal((await carol.json('meet', 'accept', dora.did))[0].state, 'met')
    await carol.json('post', 'welcome Dora')
    await reads(dora, carol.did, 'welcome Dora')

    // The laptop is lost. On another machine the words bring Alice back: her posts, her contacts; the laptop is ended.
    pi = await stage.up('pi')
    await reads(pi, laptop.did, 'from the laptop')
    await laptopAgain.end('SIGKILL')
    rmSync(laptop.home, { recursive: true })
    const restored = parse(await stage.run(stage.home('new'), 'restore', '--phrase-file', stage.home('alice.words')))
    assert.equal(restored[0].did, laptop.did)
    laptopAgain = await stage.up('new', '--peer', bob.address)
    await reads(laptopAgain, laptop.did, 'the bees are back', 'from the Pi', 'from the laptop')
    await until(async () => (await relationOf(laptopAgain, bob.did)) !== undefined, 'the contacts are back')
    const lost = (await laptopAgain.json('device', 'list')).find(({ device }) => device === laptop.device)
    assert.equal(lost?.state, 'active')
    await until(async () => (await laptopAgain.json('status'))[0].paused === undefined, 'the new machine signs', 40_000)
    await laptopAgain.json('device', 'revoke', laptop.device)
    await laptopAgain.json('post', 'from the new machine')
    await reads(bob, 'alice', 'the bees are back', 'from the Pi', 'from the laptop', 'from the new machine')
    await until(
      async () =>
        (await pi.json('device', 'list')).some(({ device, state }) => device === laptop.device && state === 'revoked'),
      'the Pi knows'
    )

    // Whom Bob blocks he no longer carries, also not for Dora.
    await bob.json('block', carol.did)
    await carol.json('post', 'does Bob still listen?')
    await reads(dora, carol.did, 'does Bob still listen?')
    assert.deepEqual(
      (await bob.json('feed', carol.did)).filter(({ text }) => text === 'does Bob still listen?'),
      []
    )
  })
})

async function meet(guest: NodeProcess, host: NodeProcess, petname: string): Promise<void> {
  const [{ link }] = await host.json('meet')
  const [meeting] = await guest.json('meet', String(link), '--yes', '--name', petname)
  assert.deepEqual([meeting.did, meeting.name, meeting.state], [host.did, petname, 'met'])
}

/** Waits until a node shows these texts as that person's. */
function reads(node: NodeProcess, who: string, ...texts: string[]): Promise<void> {
  return until(
    async () => {
      const shown = (await node.json('feed', who)).map(({ text }) => text)
      return texts.every((text) => shown.includes(text))
    },
    `${texts.join(', ')} can be read`
  )
}

async function relationOf(node: NodeProcess, did: string): Promise<unknown> {
  return (await node.json('contacts')).find((contact) => contact.did === did)?.relation
}

function parse({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }): Line[] {
  assert.equal(code, 0, stderr)
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
}
