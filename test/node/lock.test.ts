import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeError } from '../../src/node/comrade.ts'
import { lockHolder, lockHome } from '../../src/node/lock.ts'

const HOLDER = `
const { lockHome } = await import(process.argv[1])
const lock = lockHome(process.argv[2])
console.log('held')
process.stdin.on('end', () => { lock.release(); process.exit() }).resume()
`
const isInUse = (error: unknown) => error instanceof NodeError && error.code === 'HOME_IN_USE'

describe('lock of the home', () => {
  let directory: string
  let path: string
  let children: ChildProcess[]
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lock-'))
    path = join(directory, 'lock')
    children = []
  })
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(directory, { recursive: true })
  })

  /** Another process that holds the lock. */
  async function holder(): Promise<ChildProcess> {
    const module = new URL('../../src/node/lock.ts', import.meta.url).href
    const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, module, path], {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    children.push(child)
    await once(child.stdout, 'data')
    return child
  }

  it('is held by one of two nodes in one process, and free again after release', () => {
    const lock = lockHome(path)
    assert.throws(
      () => lockHome(path),
      (error) => isInUse(error) && /this process/.test((error as Error).message)
    )
    assert.throws(() => lockHome(path), isInUse, 'also after an attempt')
    lock.release()
    lock.release()
    using again = lockHome(path)
    assert.throws(() => lockHome(path), isInUse)
    assert.ok(again)
  })

  it('names the process that holds it', async () => {
    const child = await holder()
    assert.throws(
      () => lockHome(path),
      (error) => isInUse(error) && (error as Error).message.includes(`process ${child.pid} `)
    )
    assert.equal(lockHolder(path), child.pid)
  })

  it('is free as soon as its holder was killed, again and again', async () => {
    for (let round = 0; round < 3; round++) {
      const child = await holder()
      assert.throws(() => lockHome(path), isInUse)
      child.kill('SIGKILL')
      await once(child, 'exit')
      lockHome(path).release()
    }
  })

  it('stays held by another process however often this one tries', async () => {
    const lock = lockHome(path)
    for (let i = 0; i < 3; i++) assert.throws(() => lockHome(path), isInUse)
    const module = new URL('../../src/node/lock.ts', import.meta.url).href
    const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, module, path], {
      stdio: ['ignore', 'ignore', 'pipe']
    })
    children.push(child)
    let said = ''
    child.stderr.on('data', (chunk) => (said += chunk))
    const [code] = await once(child, 'close')
    assert.notEqual(code, 0)
    assert.match(said, /HOME_IN_USE/)
    lock.release()
  })

  it('takes no process id in a file for a lock: one left by a crash, a reused one, junk', () => {
    for (const content of [`${process.pid}\n`, '1\n', 'junk', '-5', '9'.repeat(100)]) {
      writeFileSync(`${path}.pid`, content)
      lockHome(path).release()
    }
    assert.equal(lockHolder(path), undefined)
  })

  it('keeps its file empty and closed to others', () => {
    using lock = lockHome(path)
    assert.ok(lock)
    assert.equal(statSync(path).size, 0)
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('says what is wrong where it cannot be taken', () => {
    assert.throws(
      () => lockHome(join(directory, 'none', 'lock')),
      (error) => error instanceof NodeError && error.code === 'FAILED'
    )
    assert.throws(
      () => lockHome(directory),
      (error) => error instanceof NodeError && error.code === 'FAILED'
    )
  })
})
