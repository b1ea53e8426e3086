// What a node says about how much it keeps of whom.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Comrade, PersonUsage, Space } from '../../src/index.ts'
import { People } from '../../src/node/people.ts'
import { PersonUsages } from '../../src/node/person-usage.ts'
import { Author, keyOf, temporaryStore } from '../support/feeds.ts'
import { befriend, Homes, post, reads } from '../support/node.ts'
import { until } from '../support/processes.ts'

function of(space: Pick<Space, 'people'>, node: Comrade): PersonUsage | undefined {
  return space.people.find(({ did }) => did === node.identity.did)
}

describe('how much is kept of whom', function () {
  this.timeout(60_000)

  it('is told by person, with the files of posts and of private messages, and adds up to what all take', async () => {
    await using homes = new Homes()
    const [alice, bob] = await Promise.all([homes.start('alice'), homes.start('bob')])
    await befriend(alice, bob)
    await alice.contacts.name(bob.identity.did, 'Bob')
    await post(bob, 'x'.repeat(20_000))
    const files = [{ data: randomBytes(50_000), name: 'map' }]
    await bob.feeds.publish({ type: 'post', text: 'the way' }, { files })
    await reads(alice, bob.identity.did, 'the way')
    const fileBytes = async (): Promise<number> => of(await alice.quota(), bob)?.files ?? 0
    await until(async () => (await fileBytes()) > 50_000, 'the file of the post is counted')
    const before = await fileBytes()
    await bob.messages.send(alice.identity.did, { attachment: { data: randomBytes(30_000), name: 'key' } })
    await until(async () => (await fileBytes()) > before + 30_000, 'the file of the message is counted')
    const space = await alice.quota()
    const { name, kept, entries, bytes } = of(space, bob)!
    assert.deepEqual([name, kept, entries], ['Bob', 'followed', 4])
    assert.ok(bytes > 20_000)
    assert.equal(of(space, alice)!.kept, 'own')
    assert.equal(space.people[0].name, 'Bob')
    const sum = space.people.reduce((total, person) => total + person.bytes, 0)
    assert.equal(sum, space.used + space.distances[0].bytes)
    assert.equal(space.files, of(space, bob)!.files)
    await alice.storeMode('own')
    assert.equal(of(await alice.quota(), bob)?.kept, 'messages')
  })

  it('names the hundred of whom most is kept, whoever takes most first, and tells the others together', async () => {
    using temporary = temporaryStore()
    const { store } = temporary
    const self = keyOf('alice').publicKey
    const people = new People({ store, root: self, device: keyOf('laptop').publicKey, mode: 'all', quota: 1e9 })
    const authors = Array.from({ length: 150 }, (_, i) => new Author(`author ${i}`))
    store.write(() => authors.forEach(({ key }) => people.contacts.follow(key.publicKey)))
    people.update()
    for (const [i, author] of authors.entries()) store.ingest(author.post('x'.repeat(100 + i)))
    const id = new Uint8Array(randomBytes(32))
    const blobs = { sizes: () => [{ id, size: 8_192 }] }
    const senders = new Map([[Buffer.from(id).toString('hex'), authors[0].key.publicKey]])
    const usages = new PersonUsages({ store, people, blobs, senders: () => senders, authorOf: () => undefined })
    const found = await usages.get()
    assert.equal(found.people.length, 100)
    assert.deepEqual([found.people[0].files, found.files], [8_192, 8_192])
    const totals = found.people.map(({ bytes, files }) => bytes + files)
    assert.deepEqual(
      totals,
      totals.toSorted((a, b) => b - a)
    )
    assert.equal(found.others.people, 50)
    const bytes = found.people.reduce((sum, person) => sum + person.bytes, found.others.bytes)
    assert.equal(bytes, store.get('SELECT sum(bytes) AS n FROM feeds')!.n)
    people.close()
  })
})
