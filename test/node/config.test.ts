import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { NodeError } from '../../src/node/comrade.ts'
import {
  CONFIG_KEYS,
  configSchema,
  defaultConfig,
  loadConfig,
  parseSetting,
  parseSize,
  setConfig
} from '../../src/node/config.ts'

const isBadInput = (error: unknown) => error instanceof NodeError && error.code === 'BAD_INPUT'

describe('config', () => {
  let directory: string
  let path: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'config-'))
    path = join(directory, 'config.json')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('is all defaults without a file, and makes none by being read', () => {
    assert.deepEqual(loadConfig(path), { config: defaultConfig(), set: {}, warnings: [] })
    assert.ok(!existsSync(path))
    assert.equal(defaultConfig().store, 'all')
    assert.equal(defaultConfig().quota, 10 * 1024 ** 3)
  })

  it('has defaults that are fit to be set', () => {
    for (const key of CONFIG_KEYS) setConfig(path, key, defaultConfig()[key])
    assert.deepEqual(loadConfig(path).set, defaultConfig())
    assert.deepEqual(
      configSchema().map(({ key }) => key),
      CONFIG_KEYS
    )
  })

  it('hands out defaults that cannot be spoilt', () => {
    defaultConfig().listen.push('x')
    ;(configSchema()[0].default as string[]).push('x')
    assert.ok(!defaultConfig().listen.includes('x'))
  })

  it('keeps what was set, and forgets it when it is set back', () => {
    assert.equal(setConfig(path, 'mdns', false).config.mdns, false)
    setConfig(path, 'quota', 5)
    assert.deepEqual(loadConfig(path).set, { mdns: false, quota: 5 })
    assert.deepEqual(setConfig(path, 'mdns', undefined).set, { quota: 5 })
    assert.equal(loadConfig(path).config.mdns, true)
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('keeps keys that it does not know, with a warning that is safe to print', () => {
    writeFileSync(path, '{"later":{"a":[1]},"__proto__":{"mdns":false},"mdns":false,"\\u001b[2J":1}')
    const { config, warnings } = loadConfig(path)
    assert.equal(config.mdns, false)
    assert.equal(warnings.length, 3)
    assert.ok(warnings.every((warning) => !warning.includes('\u001b')))
    setConfig(path, 'lan', false)
    assert.match(readFileSync(path, 'utf8'), /"later": \{[^]*"__proto__": \{[^]*"lan": false/)
  })

  it('refuses a file that is not right, and leaves it as it is', () => {
    const wrong = [
      '',
      '{',
      '[]',
      'null',
      '"x"',
      '{"mdns":"yes"}',
      '{"store":"some"}',
      '{"quota":-1}',
      '{"quota":1.5}',
      '{"quota":1e300}',
      '{"listen":"/ip4/127.0.0.1/tcp/0"}',
      '{"peers":["nonsense"]}',
      `{"x":"${'y'.repeat(2 ** 20)}"}`
    ]
    for (const text of wrong) {
      writeFileSync(path, text)
      assert.throws(
        () => loadConfig(path),
        (error) => isBadInput(error) && (error as Error).message.includes(path),
        text.slice(0, 50)
      )
      assert.throws(() => setConfig(path, 'lan', false), isBadInput)
      assert.equal(readFileSync(path, 'utf8'), text)
    }
  })

  it('refuses values that do not fit, and keys that there are not', () => {
    const wrong: [string, unknown][] = [
      ['mdns', 'false'],
      ['mdns', null],
      ['peers', ['/ip4/300.0.0.1/tcp/1']],
      ['peers', ['']],
      ['logLevel', 'loud'],
      ['toString', 1],
      ['__proto__', {}],
      ['', 1]
    ]
    for (const [key, value] of wrong) assert.throws(() => setConfig(path, key, value), isBadInput, key)
    assert.ok(!existsSync(path))
  })

  it('reads values as people type them', () => {
    assert.equal(parseSetting('mdns', 'off'), false)
    assert.equal(parseSetting('mdns', 'Yes'), true)
    assert.equal(parseSetting('mdns', 'default'), undefined)
    assert.equal(parseSetting('quota', '500MB'), 500e6)
    assert.equal(parseSetting('store', 'own'), 'own')
    assert.deepEqual(parseSetting('peers', '/ip4/127.0.0.1/tcp/1, /dns4/example.org/tcp/2'), [
      '/ip4/127.0.0.1/tcp/1',
      '/dns4/example.org/tcp/2'
    ])
    assert.deepEqual(parseSetting('peers', ''), [])
    for (const [key, text] of [
      ['mdns', 'maybe'],
      ['quota', 'lots'],
      ['store', 'some'],
      ['peers', 'x'],
      ['nothing', '1']
    ])
      assert.throws(() => parseSetting(key, text), isBadInput)
  })

  it('reads sizes in powers of 1000 and 1024', () => {
    const sizes: [string, number][] = [
      ['0', 0],
      ['7', 7],
      ['7 B', 7],
      ['1k', 1024],
      ['1kB', 1000],
      ['1KiB', 1024],
      ['1.5 GiB', 1.5 * 1024 ** 3],
      ['10G', 10 * 1024 ** 3],
      ['2tb', 2e12]
    ]
    for (const [text, bytes] of sizes) assert.equal(parseSize(text), bytes, text)
    for (const text of ['', '-1', '1e3', '0x10', '1 XB', '1ib', 'B', '1..5', '\u001b[2J', '9'.repeat(30)])
      assert.throws(() => parseSize(text), isBadInput, text)
  })

  it('gives back whatever was set, and never takes random JSON for more than it is', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        writeFileSync(path, text)
        try {
          loadConfig(path)
        } catch (error) {
          assert.ok(isBadInput(error))
        }
      })
    )
  })
})
