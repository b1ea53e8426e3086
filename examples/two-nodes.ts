// Two nodes on this machine: one posts, the other follows and reads. In a package: import … from 'comrade-node'.
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode } from '../src/index.ts'

using directory = mkdtempDisposableSync(join(tmpdir(), 'comrade-'))
const options = { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false }
await using alice = await createNode({ ...options, home: join(directory.path, 'alice') })
await using bob = await createNode({ ...options, home: join(directory.path, 'bob') })
await Promise.all([alice.start(), bob.start()])

await alice.profile({ name: 'Alice' })
await alice.feeds.publish({ type: 'post', text: 'hello from here' })
await bob.contacts.follow(alice.identity.did)
await bob.connect(alice.addresses[0])

const signal = AbortSignal.timeout(5_000)
for await (const entry of bob.feeds.read({ live: true, types: ['post'], signal })) {
  console.log(`bob reads: ${entry.name}: ${entry.text}`)
  break
}
