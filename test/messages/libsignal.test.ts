// libsignal is loaded late, and a program runs without it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'

const DOOR = resolve(import.meta.dirname, '../../src/messages/index.ts')
const NODE = resolve(import.meta.dirname, '../../src/index.ts')
/** Stands for a platform without a build of it. */
const WITHOUT_LIBSIGNAL = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  registerHooks({ resolve(name, context, next) {
    if (name.startsWith('@signalapp/')) throw new Error('No native build was found')
    return next(name, context)
  } })`)}`

describe('libsignal', () => {
  it('is not loaded before the first session', async () => {
    const program = `
      const { isLibsignalLoaded } = await import(${JSON.stringify(DOOR)})
      await import(${JSON.stringify(NODE)})
      process.stdout.write(String(isLibsignalLoaded()))`
    assert.equal(await run(program, '--import', WITHOUT_LIBSIGNAL), 'false')
  })

  it('is missed with a reason where it cannot be loaded, and all else of the layer works', async () => {
    const program = `
      const { loadLibsignal, deviceAddress } = await import(${JSON.stringify(DOOR)})
      const { code, message } = await loadLibsignal().catch((error) => error)
      process.stdout.write(JSON.stringify({ code, message, length: deviceAddress(new Uint8Array(32)).length }))`
    const { code, message, length } = JSON.parse(await run(program, '--import', WITHOUT_LIBSIGNAL))
    assert.deepEqual([code, length], ['UNAVAILABLE', 64])
    assert.match(message, /No native build was found/)
  })
})

async function run(program: string, ...flags: string[]): Promise<string> {
  const options = [...flags, '--input-type=module', '--eval', program]
  return (await promisify(execFile)(process.execPath, options, { timeout: 20_000 })).stdout
}
