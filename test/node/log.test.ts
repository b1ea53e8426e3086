import assert from 'node:assert/strict'
import { createLog, MAX_LINES_PER_MINUTE } from '../../src/node/log.ts'

/** A log whose lines are kept. */
function setup(level: string) {
  const lines: { level: number; msg: string }[] = []
  const clock = { now: 0 }
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as { level: number; msg: string }) }
  return { log: createLog(level, { stream, now: () => clock.now }), lines, clock }
}

describe('the log', () => {
  it('writes so many warnings and errors in a minute, and then how many there were besides', () => {
    const { log, lines, clock } = setup('warn')
    for (let i = 0; i < 10_000; i++) log.warn({ peer: 'mallory' }, `what came was wrong ${i}`)
    log.error('something else')
    assert.equal(lines.length, MAX_LINES_PER_MINUTE)
    clock.now += 60_000
    log.error('something else')
    const [said, last] = lines.slice(-2).map(({ msg }) => msg)
    assert.equal(said, `${10_001 - MAX_LINES_PER_MINUTE} more lines in the minute before were left out`)
    assert.equal(last, 'something else')
  })

  it('says nothing of lines that were left out when there were none', () => {
    const { log, lines, clock } = setup('warn')
    for (let minute = 0; minute < 3; minute++) {
      log.warn('one')
      clock.now += 60_000
    }
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['one', 'one', 'one']
    )
  })

  it('writes all that is less grave for who has asked for it', () => {
    const { log, lines } = setup('debug')
    for (let i = 0; i < 1_000; i++) log.debug('a detail')
    assert.equal(lines.length, 1_000)
  })

  it('never writes secrets', () => {
    const { log, lines } = setup('warn')
    log.warn({ token: 'open sesame', err: { passphrase: 'open sesame' } }, 'shut')
    assert.ok(!JSON.stringify(lines).includes('sesame'))
  })

  it('names nobody, when it is to name nobody', () => {
    const lines: string[] = []
    const log = createLog('warn', { stream: { write: (line) => void lines.push(line) }, namesPeople: false })
    const peer = '12D3KooWBaMpXi9pK9UXMkTAuuigYpzYqeBzEd6U15CNuq19vNYM'
    const did = 'did:key:z6MkwRKUfvBwhGLiYD1Kqf2ZgqsBbBxmTvozRbJqTYC7L7po'
    log.warn({ peer, feed: did }, `what came from ${peer} was wrong`)
    log.error({ err: new Error(`no way to ${did}`) }, 'not sent')
    log.warn({ code: 'SESSION_RENEWED', name: 'carol' }, 'a device of carol has begun anew')
    assert.equal(lines.length, 2)
    for (const name of [peer, did, 'carol']) assert.ok(!lines.join().includes(name), name)
    assert.equal((JSON.parse(lines[0]) as { msg: string }).msg, 'what came from [not logged] was wrong')
  })
})
