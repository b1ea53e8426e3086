// What is kept of events for browsers that come back: bounds, gaps, and that nothing is kept for nobody.
import assert from 'node:assert/strict'
import { EventLog, type EventLogBounds } from '../../src/api/event-log.ts'
import { serverSentEvents, type NumberedEvent } from '../../src/api/lines.ts'
import type { Comrade } from '../../src/node/comrade.ts'

interface Setup {
  log: EventLog
  closing: AbortController
  /** Lets something happen in the node: a warning with this message. */
  happen: (message: string) => void
}

/** A log of something that has events and an identity, as a node has them. */
function setup(bounds?: EventLogBounds): Setup {
  const target = Object.assign(new EventTarget(), { identity: { did: 'did:key:z', device: 'did:key:d' } })
  const closing = new AbortController()
  return {
    log: new EventLog(target as unknown as Comrade, closing.signal, bounds),
    closing,
    happen: (message) => target.dispatchEvent(new CustomEvent('warning', { detail: { code: 'X', message } }))
  }
}

const { signal: never } = new AbortController()

function told({ data }: NumberedEvent): string {
  const { event, message } = JSON.parse(data) as { event: string; message?: string }
  return message ?? event
}

async function take(events: AsyncGenerator<NumberedEvent>, count: number): Promise<NumberedEvent[]> {
  const taken: NumberedEvent[] = []
  while (taken.length < count) {
    const { value, done } = await events.next()
    if (done) break
    taken.push(value)
  }
  return taken
}

describe('the log of events', () => {
  it('tells what happens from the moment on at which it is asked', async () => {
    const { log, happen } = setup()
    const events = log.read(undefined, never)
    happen('one')
    happen('two')
    const taken = await take(events, 3)
    assert.deepEqual(taken.map(told), ['open', 'one', 'two'])
    assert.deepEqual(JSON.parse(taken[0].data), { event: 'open', did: 'did:key:z', device: 'did:key:d' })
    assert.equal(new Set(taken.map(({ id }) => id)).size, 3)
  })

  it('goes on after the last event that a reader had, from whichever', async () => {
    const { log, happen } = setup()
    const gone = new AbortController()
    const events = log.read(undefined, gone.signal)
    for (const message of ['one', 'two', 'three']) happen(message)
    const taken = await take(events, 4)
    gone.abort()
    happen('four')
    const after = await Promise.all(taken.map(({ id }, i) => take(log.read(id, never), 5 - i)))
    assert.deepEqual(
      after.map((all) => all.map(told)),
      [
        ['open', 'one', 'two', 'three', 'four'],
        ['open', 'two', 'three', 'four'],
        ['open', 'three', 'four'],
        ['open', 'four']
      ]
    )
  })

  it('says so when it cannot go on: an id from another run, of the future, or no id', async () => {
    const { log, happen } = setup()
    const [{ id }] = await take(log.read(undefined, never), 1)
    happen('missed')
    for (const unknown of ['deadbeef-0', `${id.split('-')[0]}-7`, `${id}x`, '', 'x', '-1', `${id}\n`, '9'.repeat(99)]) {
      const events = log.read(unknown, never)
      happen('next')
      assert.deepEqual((await take(events, 3)).map(told), ['open', 'reset', 'next'], unknown)
    }
  })

  it('keeps no more than its bounds, and says so to whom it concerns', async () => {
    const { log, happen } = setup({ maxEvents: 3 })
    const slow = log.read(undefined, never)
    const [{ id }] = await take(slow, 1)
    for (const message of ['one', 'two', 'three']) happen(message)
    assert.deepEqual((await take(log.read(id, never), 4)).map(told), ['open', 'one', 'two', 'three'])
    happen('four')
    assert.deepEqual((await take(log.read(id, never), 2)).map(told), ['open', 'reset'])
    const reset = await take(slow, 1)
    happen('five')
    assert.deepEqual([...reset, ...(await take(slow, 1))].map(told), ['reset', 'five'])
  })

  it('counts bytes too, but keeps the newest event whatever its size', async () => {
    const { log, happen } = setup({ maxBytes: 1_000 })
    const [{ id }] = await take(log.read(undefined, never), 1)
    happen('small')
    happen('x'.repeat(2_000))
    const [, reset] = await take(log.read(id, never), 2)
    assert.equal(told(reset), 'reset')
    const before = `${id.split('-')[0]}-1`
    assert.deepEqual((await take(log.read(before, never), 2)).map(told), ['open', 'x'.repeat(2_000)])
  })

  it('keeps nothing before the first reader, and nothing a while after the last one', async () => {
    const { log, happen } = setup({ idleMs: 20 })
    assert.equal(log.isKeeping, false)
    const gone = new AbortController()
    const [{ id }] = await take(log.read(undefined, gone.signal), 1)
    const other = new AbortController()
    log.read(undefined, other.signal) // never read
    gone.abort()
    await new Promise((resolve) => setTimeout(resolve, 40))
    assert.equal(log.isKeeping, true)
    other.abort()
    const end = Date.now() + 20_000
    while (log.isKeeping && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(log.isKeeping, false)
    happen('missed')
    assert.deepEqual((await take(log.read(id, never), 2)).map(told), ['open', 'reset'])
  })

  it('ends with the API', async () => {
    const { log, closing } = setup()
    const events = log.read(undefined, never)
    await take(events, 1)
    const next = events.next()
    closing.abort()
    assert.equal((await next).done, true)
    assert.equal(log.isKeeping, false)
  })

  it('is let go by a browser that leaves', async () => {
    const { log, happen } = setup({ idleMs: 1 })
    const reader = serverSentEvents((gone) => log.read(undefined, gone)).body!.getReader()
    const text = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value)
    assert.match(await text(), /^retry: \d+\nid: [0-9a-f]{8}-0\ndata: {"event":"open",.*}\n\n$/)
    happen('a line\nand another')
    assert.match(await text(), /^id: [0-9a-f]{8}-1\ndata: {.*"a line\\nand another"}\n\n$/)
    await reader.cancel()
    const end = Date.now() + 20_000
    while (log.isKeeping && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(log.isKeeping, false)
  })
})
