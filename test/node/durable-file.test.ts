import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeError, type NodeErrorCode } from '../../src/node/comrade.ts'
import { replaceFile, writeError } from '../../src/node/durable-file.ts'

const has = (code: NodeErrorCode) => (error: unknown) => error instanceof NodeError && error.code === code
const modeOf = (path: string) => statSync(path).mode & 0o777

describe('replacing a file', () => {
  let directory: string
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'home-'))))
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('puts the new content in place for the owner alone, and leaves nothing beside it', () => {
    const path = join(directory, 'file')
    writeFileSync(path, 'old', { mode: 0o644 })
    writeFileSync(`${path}.${process.pid}.tmp`, 'left by a crash')
    replaceFile(path, 'new')
    assert.equal(readFileSync(path, 'utf8'), 'new')
    assert.equal(modeOf(path), 0o600)
    assert.deepEqual(readdirSync(directory), ['file'])
  })

  it('replaces a link, not what it points to', () => {
    writeFileSync(join(directory, 'target'), 'target')
    symlinkSync('target', join(directory, 'file'))
    replaceFile(join(directory, 'file'), 'new')
    assert.equal(readFileSync(join(directory, 'target'), 'utf8'), 'target')
  })

  it('leaves the old file and nothing else when it fails', () => {
    mkdirSync(join(directory, 'file'))
    assert.throws(() => replaceFile(join(directory, 'file'), 'new'), has('FAILED'))
    assert.deepEqual(readdirSync(directory), ['file'])
    assert.throws(() => replaceFile(join(directory, 'none', 'file'), 'new'), has('FAILED'))
  })

  it('tells a full disk from other failures', () => {
    assert.equal(writeError('file', Object.assign(new Error('no space'), { code: 'ENOSPC' })).code, 'DISK_FULL')
    assert.equal(writeError('file', Object.assign(new Error('quota'), { code: 'EDQUOT' })).code, 'DISK_FULL')
    assert.equal(writeError('file', new Error('other')).code, 'FAILED')
  })
})
