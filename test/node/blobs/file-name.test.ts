import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fileNameOf } from '../../../src/node/blobs/file-name.ts'

describe('the name of a file that somebody else has named', () => {
  it('is what it was, when it is one', () => {
    for (const name of ['map.pdf', 'Résumé (2).tar.gz', '日本語.txt', 'no extension'])
      assert.equal(fileNameOf(name), name)
  })

  it('is no path, not hidden, and nothing that a system or a terminal obeys', () => {
    const names = [
      ['../../etc/passwd', 'passwd'],
      ['/etc/passwd', 'passwd'],
      ['C:\\Windows\\win.ini', 'win.ini'],
      ['..', 'attachment'],
      ['.', 'attachment'],
      ['', 'attachment'],
      ['a/', 'attachment'],
      ['.bashrc', 'bashrc'],
      ['a\0b.txt', 'a_b.txt'],
      ['a\n\x1b[2Jb', 'a__[2Jb'],
      ['exe\u202efdp.txt', 'exe_fdp.txt'],
      ['zero\u200bwidth', 'zero_width'],
      ['con.txt', '_con.txt'],
      ['LPT1', '_LPT1'],
      ['what?*|".txt', 'what____.txt'],
      ['trailing. . ', 'trailing']
    ]
    for (const [claimed, name] of names) assert.equal(fileNameOf(claimed), name)
  })

  it('has at most 255 bytes, and keeps its extension', () => {
    const long = fileNameOf(`${'é'.repeat(200)}.jpeg`)
    assert.ok(Buffer.byteLength(long) <= 255 && long.endsWith('é.jpeg'))
    assert.ok(Buffer.byteLength(fileNameOf('🌻'.repeat(300))) <= 255)
    assert.equal(fileNameOf(`${'a'.repeat(253)}. ${'b'.repeat(20)}`), 'a'.repeat(253)) // no system keeps what ends so
  })

  it('is always usable, and stays as it is', () => {
    const anything = fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code))
    const unit = fc.oneof(fc.constantFrom('.', '/', '\\', ' ', 'a', '\u202e', '🌻'), anything)
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 400 }), (claimed) => {
        const name = fileNameOf(claimed)
        assert.ok(name !== '' && !/[/\\\0]/.test(name) && !name.startsWith('.') && Buffer.byteLength(name) <= 255)
        assert.ok(name.isWellFormed())
        assert.equal(fileNameOf(name), name)
      }),
      { numRuns: 200 }
    )
  })
})
