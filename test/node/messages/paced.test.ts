// What devices ask for is done at once, and no more than so often.
import assert from 'node:assert/strict'
import { Paced } from '../../../src/node/messages/paced.ts'
import { until } from '../../support/processes.ts'

describe('what a device may ask for as often as it likes', () => {
  it('is done at once, and once more when it may be, and others do not wait for it', async () => {
    const done: number[] = []
    const paced = new Paced({ intervalMs: 300, work: ([device]) => done.push(device) })
    for (let i = 0; i < 100; i++) paced.ask(Uint8Array.of(1))
    paced.ask(Uint8Array.of(2))
    assert.deepEqual(done, [1, 2])
    await until(() => done.length > 2, 'it is done again')
    assert.deepEqual(done, [1, 2, 1])
    paced.ask(Uint8Array.of(1))
    paced.stop()
    assert.deepEqual(done, [1, 2, 1])
  })
})
