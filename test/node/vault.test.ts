import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Vault } from '../../src/node/vault.ts'

const bytes = fc.uint8Array({ maxLength: 100 })

describe('the vault', () => {
  it('gives back what was sealed, for what it was sealed for and with its own key only', () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, (secret, about, other) => {
        const vault = new Vault(new Uint8Array(32))
        const sealed = vault.seal(secret, about)
        assert.deepEqual(vault.open(sealed, about), secret)
        assert.equal(new Vault(new Uint8Array(32).fill(1)).open(sealed, about), undefined)
        if (Buffer.compare(about, other) !== 0) assert.equal(vault.open(sealed, other), undefined)
      })
    )
  })

  it('opens nothing that was changed or cut off', () => {
    const vault = new Vault(new Uint8Array(32))
    const sealed = vault.seal(Buffer.from('a secret'), Buffer.from('about'))
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed)
      changed[at] ^= 1
      assert.equal(vault.open(changed, Buffer.from('about')), undefined)
      assert.equal(vault.open(sealed.subarray(0, at), Buffer.from('about')), undefined)
    }
  })

  it('derives the same secret for the same purpose in the same home only', () => {
    const [home, other] = [new Vault(new Uint8Array(32)), new Vault(new Uint8Array(32).fill(1))]
    assert.deepEqual(new Vault(new Uint8Array(32)).derive('a'), home.derive('a'))
    assert.notDeepEqual(home.derive('b'), home.derive('a'))
    assert.notDeepEqual(other.derive('a'), home.derive('a'))
  })
})
