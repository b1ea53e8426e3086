// Finds somebody by did alone, through a node that knows neither of the two. In a package: import … from 'comrade-node'.
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNode, NodeError, type Resolved } from '../src/index.ts'

using directory = mkdtempDisposableSync(join(tmpdir(), 'comrade-'))
const options = { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false }
const start = async (name: string) => {
  const node = await createNode({ ...options, home: join(directory.path, name) })
  await node.start()
  return node
}
await using anybody = await start('anybody')
await using alice = await start('alice')
await using bob = await start('bob')
await alice.connect(anybody.addresses[0])
await bob.connect(anybody.addresses[0])

const signal = AbortSignal.timeout(20_000)
let found: Resolved | undefined
while (found === undefined) {
  try {
    found = await bob.directory.resolve(alice.identity.did, { signal })
  } catch (error) {
    if (!(error instanceof NodeError) || error.code !== 'NOT_FOUND') throw error
    await sleep(200) // alice has only just begun to publish
  }
}
console.log(`alice is at ${found.devices[0].addresses[0]}, said by ${found.source} in ${found.ms} ms`)
