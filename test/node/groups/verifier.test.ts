// The thread in which ring signatures are made and verified: the same answers as here, whatever happens to the thread.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Anonymous, isPossessed, isProven, readOperation, ready } from '../../../src/groups/index.ts'
import { Verifier, type VerifierOptions } from '../../../src/node/groups/verifier.ts'
import { Village } from '../../groups/village.ts'
import { until } from '../../support/network.ts'

class Thread extends Verifier implements AsyncDisposable {
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** A group of two, somebody to vouch for, and a thread. */
function scene(options?: VerifierOptions) {
  const village = new Village(['alice', 'bob'])
  const motion = village.propose('alice', 'zoe')
  const place = village.evaluator.place(motion)!
  village.vouch(motion, 'alice')
  const vouch = village.operations.at(-1) as Anonymous
  const statement = { kind: 'vouch', motion, slot: 1 } as const
  return { village, place, vouch, statement, thread: new Thread(options) }
}

describe('the thread for proofs', function () {
  this.timeout(30_000)
  before(ready)

  it('makes proofs that hold, and tells those that hold from those that do not', async () => {
    const { village, place, vouch, statement, thread } = scene()
    await using _ = thread
    const bytes = await thread.prove(statement, place, village.secretOf('bob'))
    const made = readOperation(bytes, village.id, isPossessed) as Anonymous
    assert.ok(isProven(made, place))
    const proof = Uint8Array.from(made.proof)
    proof[40] ^= 1
    assert.deepEqual(
      await Promise.all([made, vouch, { ...made, proof }, { ...made, slot: 0 }].map((o) => thread.verify(o, place))),
      [true, true, false, false]
    )
  })

  it('says why a proof cannot be made', async () => {
    const { village, place, statement, thread } = scene()
    await using _ = thread
    await assert.rejects(thread.prove(statement, place, village.secretOf('mallory')), {
      name: 'GroupError',
      code: 'KEY',
      message: /not among the 2/
    })
  })

  it('ends when nothing was asked for a while, and starts again', async () => {
    const { place, vouch, thread } = scene({ idleMs: 20 })
    await using _ = thread
    assert.equal(thread.isRunning, false)
    assert.equal(await thread.verify(vouch, place), true)
    await until(() => !thread.isRunning)
    assert.equal(await thread.verify(vouch, place), true)
  })

  it('that dies is started again, and what it was asked is answered', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'comrade-thread-'))
    try {
      const [program, marker] = [join(directory, 'dies.ts'), join(directory, 'died')]
      const good = new URL('../../../src/node/groups/proof-worker.ts', import.meta.url)
      writeFileSync(
        program,
        `import { existsSync, writeFileSync } from 'node:fs'
         import { parentPort } from 'node:worker_threads'
         if (existsSync(${JSON.stringify(marker)})) await import(${JSON.stringify(good.href)})
         else parentPort.on('message', () => { writeFileSync(${JSON.stringify(marker)}, ''); process.exit(3) })`
      )
      const { place, vouch, thread } = scene({ program: pathToFileURL(program) })
      await using _ = thread
      assert.deepEqual(await Promise.all([thread.verify(vouch, place), thread.verify(vouch, place)]), [true, true])
      assert.ok(thread.isRunning)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('that cannot be started leaves the work to the thread of the node', async () => {
    const { village, place, vouch, statement, thread } = scene({ program: new URL('file:///nowhere/at-all.ts') })
    await using _ = thread
    assert.deepEqual(await Promise.all([thread.verify(vouch, place), thread.verify(vouch, place)]), [true, true])
    assert.ok((await thread.prove(statement, place, village.secretOf('bob'))).length > 0)
    await assert.rejects(thread.prove(statement, place, village.secretOf('mallory')), { code: 'KEY' })
    assert.equal(thread.isRunning, false)
  })

  it('answers nothing any more once it is closed, and says so', async () => {
    const { place, vouch, thread } = scene()
    const asked = thread.verify(vouch, place)
    const failed = assert.rejects(asked, { code: 'FAILED' })
    await thread.close()
    await failed
    await assert.rejects(thread.verify(vouch, place), { code: 'FAILED' })
    assert.equal(thread.isRunning, false)
  })
})
