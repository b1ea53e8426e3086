// Codes and sessions of browsers, with a clock of the test's own.
import assert from 'node:assert/strict'
import { CODE_LIFETIME_MS, Sessions, SESSION_IDLE_MS } from '../../src/api/sessions.ts'

function setup(): { sessions: Sessions; pass: (ms: number) => void } {
  let now = 1_000
  return {
    sessions: new Sessions({ now: () => now, date: () => now }),
    pass: (ms) => {
      now += ms
    }
  }
}

describe('sessions of browsers', () => {
  it('trade a code once, and for a secret that is another one', () => {
    const { sessions } = setup()
    const code = sessions.issue()
    const secret = sessions.trade(code)
    assert.notEqual(secret, code)
    assert.equal(sessions.use(secret)?.aborted, false)
    assert.equal(sessions.use(code), undefined)
  })

  it('end with the second use of their code: one of the two was a stranger', () => {
    const { sessions } = setup()
    const code = sessions.issue()
    const other = sessions.trade(sessions.issue())
    const over = sessions.use(sessions.trade(code))!
    assert.throws(() => sessions.trade(code), { code: 'USED' })
    assert.equal(over.aborted, true)
    assert.equal(sessions.size, 1)
    assert.ok(sessions.use(other))
  })

  it('go on when the browser that has one opens the same address again', () => {
    const { sessions } = setup()
    const code = sessions.issue()
    const secret = sessions.trade(code)
    const other = sessions.trade(sessions.issue())
    assert.equal(sessions.trade(code, ['x', secret]), secret)
    assert.throws(() => sessions.trade(code, [other]), { code: 'USED' })
    assert.throws(() => sessions.trade(code, [secret]), { code: 'USED' }, 'it has ended')
    assert.ok(sessions.use(other))
  })

  it('do not begin with a code that is made up, or is a minute old', () => {
    const { sessions, pass } = setup()
    assert.throws(() => sessions.trade('x'.repeat(43)), { code: 'EXPIRED' })
    const code = sessions.issue()
    const longer = sessions.issue(2 * CODE_LIFETIME_MS)
    pass(CODE_LIFETIME_MS)
    assert.throws(() => sessions.trade(code), { code: 'EXPIRED' })
    assert.ok(sessions.trade(longer))
  })

  it('end 30 days after their last use, and not before', () => {
    const { sessions, pass } = setup()
    const used = sessions.trade(sessions.issue())
    const unused = sessions.trade(sessions.issue())
    pass(SESSION_IDLE_MS - 1)
    assert.ok(sessions.use(used))
    pass(1)
    assert.equal(sessions.use(unused), undefined)
    assert.ok(sessions.use(used))
  })

  it('are bounded: the one that was not used for longest goes first', () => {
    const { sessions } = setup()
    const first = sessions.trade(sessions.issue())
    const second = sessions.trade(sessions.issue())
    const over = sessions.use(second)!
    sessions.use(first)
    for (let i = 0; i < 63; i++) sessions.trade(sessions.issue())
    assert.equal(sessions.size, 64)
    assert.deepEqual([sessions.use(second), over.aborted], [undefined, true])
    assert.ok(sessions.use(first))
  })

  it('give up the oldest code when there are many', () => {
    const { sessions } = setup()
    const codes = Array.from({ length: 17 }, () => sessions.issue())
    assert.throws(() => sessions.trade(codes[0]), { code: 'EXPIRED' })
    assert.ok(sessions.trade(codes[1]))
  })

  it('end all at once, with the codes that were not used yet', () => {
    const { sessions } = setup()
    const code = sessions.issue()
    const over = sessions.use(sessions.trade(sessions.issue()))!
    assert.equal(sessions.endAll(), 1)
    assert.equal(over.aborted, true)
    assert.throws(() => sessions.trade(code), { code: 'EXPIRED' })
  })
})
