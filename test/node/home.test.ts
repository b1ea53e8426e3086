import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { NodeError, type NodeErrorCode } from '../../src/node/comrade.ts'
import { closeToOthers, findHome, homeAt, MAX_SOCKET_PATH_BYTES, openHome, socketPath } from '../../src/node/home.ts'

const has = (code: NodeErrorCode) => (error: unknown) => error instanceof NodeError && error.code === code
const modeOf = (path: string) => statSync(path).mode & 0o777

describe('data directory', () => {
  let directory: string
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'home-'))))
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('is the one that was asked for, else that of COMRADE_HOME, else in the XDG data folder', () => {
    assert.equal(findHome('x', { COMRADE_HOME: '/y' }), resolve('x'))
    assert.equal(findHome(undefined, { COMRADE_HOME: '/y', XDG_DATA_HOME: '/z' }), '/y')
    assert.equal(findHome(undefined, { COMRADE_HOME: '', XDG_DATA_HOME: '/z', HOME: '/h' }), '/z/comrade')
    assert.equal(findHome(undefined, { XDG_DATA_HOME: 'relative', HOME: '/h' }), '/h/.local/share/comrade')
    assert.equal(findHome(undefined, {}), join(homedir(), '.local/share/comrade'))
    assert.throws(() => findHome(''), has('BAD_INPUT'))
  })

  it('is made with everything in it closed to others', () => {
    const home = openHome(join(directory, 'a', 'b'))
    for (const path of [home.directory, home.keys, home.network, home.blobs]) assert.equal(modeOf(path), 0o700)
    assert.deepEqual(openHome(home.directory), home)
    assert.deepEqual(readdirSync(home.directory).toSorted(), ['blobs', 'keys', 'network'])
  })

  it('is closed to others when it was open', () => {
    const home = openHome(join(directory, 'a'))
    for (const path of [home.directory, home.keys]) chmodSync(path, 0o755)
    openHome(home.directory)
    for (const path of [home.directory, home.keys]) assert.equal(modeOf(path), 0o700)
  })

  it('is refused when it belongs to somebody else, or the file system does not keep modes', () => {
    const stat = statSync(directory)
    const foreign = () => Object.assign(Object.create(stat), { uid: stat.uid + 1, mode: 0o40700 })
    assert.throws(
      () => closeToOthers(directory, 0o700, foreign, () => assert.fail('must not touch it')),
      has('KEYS_EXPOSED')
    )
    const stubborn = () => Object.assign(Object.create(stat), { mode: 0o40777 })
    assert.throws(() => closeToOthers(directory, 0o700, stubborn, () => {}), has('KEYS_EXPOSED'))
  })

  it('does not close a directory full of other things', () => {
    writeFileSync(join(directory, 'holiday.jpg'), '')
    chmodSync(directory, 0o755)
    assert.throws(() => openHome(directory), has('BAD_INPUT'))
    assert.equal(modeOf(directory), 0o755)
    chmodSync(directory, 0o700)
    openHome(directory)
  })

  it('is refused when a file is in its place', () => {
    writeFileSync(join(directory, 'file'), '')
    assert.throws(() => openHome(join(directory, 'file')), has('BAD_INPUT'))
    assert.throws(() => openHome(join(directory, 'file', 'below')), has('BAD_INPUT'))
  })

  it('is only named, not made, by homeAt', () => {
    assert.equal(homeAt(join(directory, 'none')).lock, join(directory, 'none', 'lock'))
    assert.ok(!existsSync(join(directory, 'none')))
  })
})

describe('socket path', () => {
  let directory: string
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'home-'))))
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('is in the data directory where it fits', () => {
    assert.equal(socketPath('/a'), '/a/api.sock')
  })

  it('is short and in the runtime folder where it does not fit, one for each directory', () => {
    const env = { XDG_RUNTIME_DIR: directory }
    const long = join(directory, 'é'.repeat(50))
    const path = socketPath(long, env)
    assert.ok(path.startsWith(join(directory, 'comrade-')) && Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES)
    assert.equal(socketPath(long, env), path)
    assert.notEqual(socketPath(`${long}x`, env), path)
    const home = openHome(long, env)
    assert.equal(home.socket, path)
    assert.equal(modeOf(join(path, '..')), 0o700)
    assert.equal(socketPath(long, env), path, 'also once it exists')
  })

  it('is the same for a directory and a link to it', () => {
    const env = { XDG_RUNTIME_DIR: directory }
    const real = join(directory, 'r'.repeat(100))
    mkdirSync(real)
    symlinkSync(real, join(directory, 'l'.repeat(100)))
    assert.equal(socketPath(join(directory, 'l'.repeat(100)), env), socketPath(real, env))
  })

  it('fits wherever the folder for temporary files is', () => {
    for (const XDG_RUNTIME_DIR of [`/${'x'.repeat(200)}`, 'relative', '']) {
      assert.ok(Buffer.byteLength(socketPath(`/${'y'.repeat(200)}`, { XDG_RUNTIME_DIR })) <= MAX_SOCKET_PATH_BYTES)
    }
  })

  it("is refused where somebody's link stands in its place", () => {
    const env = { XDG_RUNTIME_DIR: directory }
    const long = join(directory, 'x'.repeat(100))
    mkdirSync(join(directory, 'target'), { mode: 0o755 })
    symlinkSync(join(directory, 'target'), join(socketPath(long, env), '..'))
    assert.throws(() => openHome(long, env), has('KEYS_EXPOSED'))
    assert.equal(modeOf(join(directory, 'target')), 0o755)
  })
})
