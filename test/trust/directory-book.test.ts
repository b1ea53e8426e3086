import assert from 'node:assert/strict'
import { signingKey } from '../../src/feeds/index.ts'
import { openDatabase, transaction } from '../../src/feeds/store/database.ts'
import { certify, directorySeed } from '../../src/trust/index.ts'
import { Contacts } from '../../src/trust/contacts.ts'

const rootSeed = new Uint8Array(32).fill(7)
const DAY = 20_454

function setup() {
  const database = openDatabase(':memory:')
  const { directory } = new Contacts(database, {
    self: signingKey(rootSeed).publicKey,
    write: (work) => (database.isTransaction ? work() : transaction(database, work))
  })
  return { directory, [Symbol.dispose]: () => database.close() }
}

describe('what own devices hand each other for the directory', () => {
  it('is not taken of a generation that has not begun: a stolen device cannot outdo those that are left', () => {
    using test = setup()
    const { directory } = test
    const made = { generation: 1_000, seed: new Uint8Array(32), day: DAY, certificates: new Uint8Array(68) }
    assert.equal(directory.importMaterial(made, 0), false)
    assert.equal(directory.seed, undefined)
    directory.certify(0, directorySeed(rootSeed, 0), [certify(rootSeed, 0, DAY)])
    directory.importMaterial(made, 1)
    using other = setup()
    assert.equal(other.directory.importMaterial(directory.exportMaterial(DAY), 1), true)
    assert.equal(other.directory.seed?.generation, 0)
  })
})
