// libsignal is loaded late, and a program runs without it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { libsignalMissing, type Machine } from '../../src/messages/libsignal-build.ts'

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

  it('is not loaded to see whether it could be', async () => {
    const program = `
      const { isLibsignalLoaded, libsignalUnavailable } = await import(${JSON.stringify(DOOR)})
      const isThere = libsignalUnavailable() === undefined
      const { sharedObjects } = process.report.getReport()
      const isMapped = sharedObjects.some((file) => file.includes('libsignal'))
      process.stdout.write(JSON.stringify({ isThere, isMapped, isLoaded: isLibsignalLoaded() }))`
    assert.deepEqual(JSON.parse(await run(program)), { isThere: true, isMapped: false, isLoaded: false })
  })

  it('is missed with a reason where it cannot be loaded, and all else of the layer works', async () => {
    const program = `
      const { loadLibsignal, deviceAddress } = await import(${JSON.stringify(DOOR)})
      const { code, message } = await loadLibsignal().catch((error) => error)
      process.stdout.write(JSON.stringify({ code, message, length: deviceAddress(new Uint8Array(32)).length }))`
    const { code, message, length } = JSON.parse(await run(program, '--import', WITHOUT_LIBSIGNAL))
    assert.deepEqual([code, length], ['UNAVAILABLE', 64])
    assert.match(message, /no build for/)
  })
})

describe('what libsignal needs of a machine', () => {
  const prebuilt = '/node_modules/@signalapp/libsignal-client/prebuilds/linux-x64/it.node'
  const machine = { platform: 'linux', arch: 'x64', glibc: '2.34', findBuild: () => prebuilt }
  const reason = (changes: Partial<Machine>): string | undefined =>
    libsignalMissing({ ...machine, ...changes })?.reason.text

  it('is there on this one, and in a system with a C library that is new enough', () => {
    assert.equal(libsignalMissing(), undefined)
    for (const glibc of ['2.34', '2.41', '3.0']) assert.equal(reason({ glibc }), undefined)
  })

  it('is missed where the C library is older, or another one', () => {
    assert.equal(reason({ glibc: '2.31' }), 'needs glibc 2.34, and this system has 2.31')
    assert.equal(reason({ glibc: '2.4' }), 'needs glibc 2.34, and this system has 2.4')
    assert.equal(reason({ glibc: undefined }), 'needs glibc 2.34, and this system has another C library')
  })

  it('is whatever it was built with, where that was done on the machine', () => {
    assert.equal(reason({ glibc: '2.31', findBuild: () => '/a/build/Release/it.node' }), undefined)
    assert.equal(reason({ platform: 'darwin', glibc: undefined }), undefined)
  })

  it('is missed where there is no build, or no package, and something can be done about each', () => {
    const noBuild = (): never => {
      throw new Error('No native build was found for platform=linux arch=arm')
    }
    const noPackage = (): never => {
      throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' })
    }
    assert.equal(reason({ arch: 'arm', findBuild: noBuild }), 'has no build for linux arm')
    assert.equal(reason({ findBuild: noPackage }), 'is not installed')
    for (const findBuild of [noBuild, noPackage]) assert.ok(libsignalMissing({ ...machine, findBuild })!.advice.text)
  })
})

async function run(program: string, ...flags: string[]): Promise<string> {
  const options = [...flags, '--input-type=module', '--eval', program]
  return (await promisify(execFile)(process.execPath, options, { timeout: 20_000 })).stdout
}
