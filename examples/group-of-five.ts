// Five people form a group from nothing: one founds it, the others ask, are vouched for, and join; the fifth needs two
// vouches. The nodes are in this process's memory. In a package: import … from 'comrade-node'.
import { once } from 'node:events'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Comrade, createNode, type Group, memoryNetwork } from '../src/index.ts'

interface Person {
  name: string
  node: Comrade
}

using directory = mkdtempDisposableSync(join(tmpdir(), 'comrade-'))
await using nodes = new AsyncDisposableStack()
const [ana, ...others] = await Promise.all(['Ana', 'Ben', 'Cleo', 'Dan', 'Eva'].map(person))

const portland = await ana.node.groups.create({ name: 'portland' })
const members = [{ ...ana, group: portland }]
for (const newcomer of others) {
  const { node, name } = newcomer
  const group = await node.groups.open(await portland.link(), { signal: AbortSignal.timeout(10_000) })
  const { needed } = await group.apply()
  for (const member of members.slice(-needed)) {
    await until(member.node, async () => (await candidate(member.group, node)) !== undefined)
    await member.group.vouch(node.identity.did)
  }
  await until(node, async () => (await candidate(group, node))?.vouches === needed)
  const { size } = await group.join()
  console.log(`${name} needed ${needed} of ${members.length} vouches, and is one of ${size} now`)
  members.push({ ...newcomer, group })
}

// Every node has worked it out by itself.
for (const { node, name, group } of members) {
  await until(node, async () => (await group.members()).length === members.length)
  console.log(`${name} sees: ${(await group.members()).map(({ vouches }) => vouches).join(', ')} vouches`)
}

async function person(name: string): Promise<Person> {
  const node = await createNode({ home: join(directory.path, name), libp2p: memoryNetwork() })
  nodes.use(node)
  await node.start()
  await node.profile({ name })
  return { name, node }
}

async function candidate(group: Group, { identity }: Comrade) {
  return (await group.candidates()).find(({ did }) => did === identity.did)
}

/** Waits until something is so; it can only have changed when the node tells that something has happened in a group. */
async function until(node: Comrade, isSo: () => Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(20_000)
  while (!(await isSo())) await once(node as unknown as EventTarget, 'group', { signal })
}
