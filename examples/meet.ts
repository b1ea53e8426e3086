// Two people who have never met: one makes a link, the other brings it, and each reads the other. In a package: import …
// from 'comrade-node'.
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Comrade, createNode } from '../src/index.ts'

using directory = mkdtempDisposableSync(join(tmpdir(), 'comrade-'))
const options = { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false }
await using alice = await createNode({ ...options, home: join(directory.path, 'alice') })
await using bob = await createNode({ ...options, home: join(directory.path, 'bob') })
await Promise.all([alice.start(), bob.start()])
await alice.profile({ name: 'Alice' })
await alice.feeds.publish({ type: 'post', text: 'nice to meet you' })
await bob.feeds.publish({ type: 'post', text: 'hello, Alice' })

// Handing over the link is Alice's yes; it is good for one person, and for a day.
const { link } = await alice.contacts.invite()
console.log(`alice hands over ${link}`)
const { state } = await bob.contacts.meet(link, { name: 'Ana' })
console.log(`bob and alice: ${state}`)

await Promise.all([read('alice', alice, bob), read('bob', bob, alice)])

/** Waits for the first post of the other. */
async function read(name: string, reader: Comrade, other: Comrade): Promise<void> {
  const signal = AbortSignal.timeout(5_000)
  const posts = reader.feeds.read({ author: other.identity.did, live: true, types: ['post'], signal })
  for await (const entry of posts) {
    console.log(`${name} reads: ${entry.name}: ${entry.text}`)
    break
  }
}
