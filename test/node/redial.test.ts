import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RedialLoop, redialDelayMs, type Clock, type RedialTarget } from '../../src/node/redial.ts'
import { addressOf, connect, startMemoryNode, until } from '../support/network.ts'

/** Time that passes only when told to. */
class FakeClock implements Clock {
  #now = 0
  #timers = new Map<number, { atMs: number; callback: () => void }>()
  #next = 0
  now = () => this.#now
  setTimeout = (callback: () => void, delayMs: number): unknown => {
    this.#timers.set(++this.#next, { atMs: this.#now + delayMs, callback })
    return this.#next
  }
  clearTimeout = (timer: unknown) => void this.#timers.delete(timer as number)
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await new Promise(setImmediate)
      const first = [...this.#timers].toSorted(([, a], [, b]) => a.atMs - b.atMs)[0]
      if (first === undefined || first[1].atMs > end) break
      const [id, timer] = first
      this.#now = timer.atMs
      this.#timers.delete(id)
      timer.callback()
    }
    this.#now = end
  }
}

function setup(
  targets: RedialTarget[],
  answer: (target: RedialTarget, signal: AbortSignal) => Promise<string> = async () =>
    Promise.reject(new Error('offline'))
) {
  const clock = new FakeClock()
  const connected = new Set<string>()
  const relayed = new Set<string>()
  const dials: { name: string; atMs: number }[] = []
  const loop = new RedialLoop({
    clock,
    random: () => 1,
    targets: () => targets,
    isConnected: ({ peerId }) => connected.has(peerId!) || relayed.has(peerId!),
    isRelayed: ({ peerId }) => relayed.has(peerId!) && !connected.has(peerId!),
    dial: async (target, signal) => {
      dials.push({ name: target.peerId ?? target.multiaddrs[0], atMs: clock.now() })
      const peerId = await answer(target, signal)
      connected.add(peerId)
      return peerId
    }
  })
  return { clock, connected, relayed, dials, loop }
}

const peer = (peerId: string, priority = 0): RedialTarget => ({ peerId, multiaddrs: [], priority })

describe('redial', () => {
  it('waits ever longer, from one second to ten minutes, with jitter', () => {
    assert.deepEqual(
      [0, 1, 2, 9, 10, 1_000_000].map((failures) => redialDelayMs(failures, 1)),
      [1_000, 2_000, 4_000, 512_000, 600_000, 600_000]
    )
    assert.equal(redialDelayMs(0, 0), 500)
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const delay = redialDelayMs(failures, random)
        assert.ok(delay >= 500 && delay <= 600_000)
      })
    )
  })

  it('never gives up on a peer that stays away for days', async () => {
    const { clock, dials, loop } = setup([peer('bob')])
    loop.start()
    await clock.pass(86_400_000)
    assert.deepEqual(
      dials.slice(0, 5).map(({ atMs }) => atMs),
      [0, 1_000, 3_000, 7_000, 15_000]
    )
    const last = dials.slice(-2).map(({ atMs }) => atMs)
    assert.equal(last[1] - last[0], 600_000)
    await loop.stop()
  })

  it('does not dial who is connected, and dials soon after a good connection was lost', async () => {
    const { clock, connected, dials, loop } = setup([peer('bob')], async () => 'bob')
    loop.start()
    await clock.pass(3_600_000)
    assert.equal(dials.length, 1)
    connected.delete('bob')
    loop.look()
    await clock.pass(1_000)
    assert.equal(dials.length, 2)
    await loop.stop()
  })

  it('backs off from a peer that accepts and hangs up at once', async () => {
    const { clock, connected, dials, loop } = setup([peer('bob')], async () => 'bob')
    loop.start()
    for (let i = 0; i < 600; i++) {
      await clock.pass(1_000)
      connected.clear()
      loop.look()
    }
    assert.ok(dials.length < 15, `${dials.length} dials`)
    await loop.stop()
  })

  it('tries directly, ever less often, who is connected through a relay, and soon again when that ends', async () => {
    const { clock, relayed, dials, loop } = setup([peer('bob')])
    relayed.add('bob')
    loop.start()
    await clock.pass(3_600_000)
    const gaps = dials.slice(1).map(({ atMs }, i) => atMs - dials[i].atMs)
    assert.deepEqual(
      gaps.slice(0, 3),
      [2_000, 4_000, 8_000].map((gap) => gap * 1)
    )
    assert.equal(gaps.at(-1), 600_000)
    const before = dials.length
    relayed.delete('bob')
    loop.look()
    await clock.pass(1_000)
    assert.equal(dials.length, before + 1)
    assert.match(String(loop.stateOf('bob')!.error), /offline/)
    await loop.stop()
  })

  it('leaves who is connected directly alone, whether or not there is a relayed connection too', async () => {
    const { clock, connected, relayed, dials, loop } = setup([peer('bob')])
    relayed.add('bob')
    connected.add('bob')
    loop.start()
    await clock.pass(3_600_000)
    assert.equal(dials.length, 0)
    await loop.stop()
  })

  it('dials at once when asked to', async () => {
    const { clock, dials, loop } = setup([peer('bob'), peer('carol')])
    loop.start()
    await clock.pass(100_000)
    const before = dials.length
    loop.retryNow()
    await clock.pass(0)
    assert.equal(dials.length, before + 2)
    loop.retryNow('carol')
    await clock.pass(0)
    assert.equal(dials.at(-1)!.name, 'carol')
    assert.equal(dials.length, before + 3)
    await loop.stop()
  })

  it('dials eight at a time, those with the highest priority first, and reaches everybody', async () => {
    const targets = Array.from({ length: 20 }, (_, i) => peer(`p${i}`, i))
    const { clock, dials, loop } = setup(
      targets,
      (_, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    )
    loop.start()
    await clock.pass(0)
    assert.deepEqual(
      dials.map(({ name }) => name),
      ['p19', 'p18', 'p17', 'p16', 'p15', 'p14', 'p13', 'p12']
    )
    await clock.pass(300_000)
    assert.equal(new Set(dials.map(({ name }) => name)).size, 20)
    await loop.stop()
  })

  it('learns who answers at an address without a peer id', async () => {
    const { clock, dials, loop } = setup([{ multiaddrs: ['/ip4/1.2.3.4/tcp/5'], priority: 0 }], async () => 'bob')
    loop.start()
    await clock.pass(600_000)
    assert.equal(dials.length, 1)
    await loop.stop()
  })

  it('stops with dials underway, and drops who is no longer wanted', async () => {
    const targets = [peer('bob')]
    const { clock, dials, loop } = setup(
      targets,
      (_, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    )
    loop.start()
    await clock.pass(0)
    targets.pop()
    await loop.stop()
    await clock.pass(600_000)
    assert.equal(dials.length, 1)
  })

  it('finds a real node again that comes up later', async () => {
    await using alice = await startMemoryNode()
    await using bob = await startMemoryNode()
    const target = { peerId: bob.peerId.toString(), multiaddrs: [addressOf(bob)], priority: 0 }
    const loop = new RedialLoop({
      targets: () => [target],
      isConnected: (wanted) => alice.isConnected(wanted),
      dial: (wanted, signal) => alice.dial(wanted, signal),
      random: () => 0
    })
    alice.libp2p.addEventListener('peer:disconnect', () => loop.look())
    loop.start()
    await until(() => alice.isConnected(target))
    await bob.libp2p.hangUp(alice.peerId)
    await until(() => !alice.isConnected(target))
    await until(() => alice.isConnected(target))
    await loop.stop()
    await connect(alice, bob)
  })
})
