import assert from 'node:assert/strict'
import { signingKey } from '../../src/feeds/signature.ts'
import { openDatabase, transaction } from '../../src/feeds/store/database.ts'
import { Contacts } from '../../src/trust/contacts.ts'
import { formatDid } from '../../src/trust/did.ts'

const keyOf = (name: string) => signingKey(Buffer.alloc(32, name)).publicKey
const [self, ana, bob, eve] = ['self', 'ana', 'bob', 'eve'].map(keyOf)

function setup() {
  const database = openDatabase(':memory:')
  const contacts = new Contacts(database, {
    self,
    write: (work) => (database.isTransaction ? work() : transaction(database, work))
  })
  const notesOf = (key: Uint8Array) => contacts.names.notesOf(contacts.get(key))
  return { contacts, notesOf, [Symbol.dispose]: () => database.close() }
}

describe('names that people claim', () => {
  it('are marked when they pass for the name of somebody whom one knows', () => {
    using test = setup()
    const { contacts, notesOf } = test
    contacts.follow(ana)
    contacts.setPetname(ana, 'Ana')
    contacts.follow(bob)
    contacts.setClaimed(bob, { name: 'Bob' }, 1)
    const looksLikeAna = { warning: 'looks-like', did: formatDid(ana), name: 'Ana' }
    for (const name of ['Ana', 'ANA', 'Аna', 'Аnа', 'a\u200dna', 'Á\u0301na'.normalize('NFD')]) {
      contacts.setClaimed(eve, { name }, Date.now())
      assert.deepEqual(notesOf(eve)[0], looksLikeAna, name)
    }
    contacts.setClaimed(eve, { name: 'B0b' }, Date.now())
    assert.deepEqual(notesOf(eve), [{ warning: 'looks-like', did: formatDid(bob), name: contacts.get(bob).name }])
    contacts.setClaimed(eve, { name: 'Eve' }, Date.now())
    assert.deepEqual(notesOf(eve), [])
  })

  it("are marked when they pass for one's own", () => {
    using test = setup()
    test.contacts.setClaimed(self, { name: 'Mia' }, 1)
    test.contacts.setClaimed(eve, { name: 'Mіa' }, 1)
    assert.deepEqual(
      test.notesOf(eve).map(({ warning }) => warning),
      ['looks-like', 'mixed-scripts']
    )
    assert.deepEqual(test.notesOf(self), [])
  })

  it('are marked when they hide something, whomever they look like', () => {
    using test = setup()
    const { contacts, notesOf } = test
    for (const [name, warning] of [
      ['abc\u202Ecba', 'hidden-characters'],
      ['𝐀𝐧𝐧', 'styled-letters'],
      ['Ann #12345678', 'looks-tagged'],
      ['сор', 'looks-latin']
    ]) {
      contacts.setClaimed(eve, { name }, Date.now())
      assert.ok(
        notesOf(eve).some((note) => note.warning === warning),
        name
      )
    }
  })

  it('are not marked when the user gave another, nor for the name of a stranger or of somebody blocked', () => {
    using test = setup()
    const { contacts, notesOf } = test
    contacts.setClaimed(ana, { name: 'Ana' }, 1)
    contacts.setClaimed(eve, { name: 'Ana' }, 1)
    assert.deepEqual(notesOf(eve), [])
    contacts.follow(ana)
    assert.equal(notesOf(eve).length, 1)
    contacts.block(ana)
    assert.deepEqual(notesOf(eve), [])
    contacts.unblock(ana)
    contacts.follow(ana)
    contacts.setPetname(eve, 'the other one')
    assert.deepEqual(notesOf(eve), [])
    contacts.setPetname(eve, undefined)
    contacts.setClaimed(ana, { name: 'Anastasia' }, 2)
    assert.deepEqual(notesOf(eve), [])
  })

  it('are found among a thousand in no time', () => {
    using test = setup()
    const { contacts } = test
    for (let i = 0; i < 1_000; i++) {
      const key = Buffer.alloc(32)
      key.writeUInt32BE(i + 1)
      contacts.follow(key)
      contacts.setClaimed(key, { name: `person ${i}` }, 1)
    }
    const start = performance.now()
    for (const record of contacts.list()) contacts.names.notesOf(record)
    assert.ok(performance.now() - start < 2_000)
  })
})
