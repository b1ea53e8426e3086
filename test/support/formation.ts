// Groups of nodes that run as they do for people: formed by a link, an application, vouches and a join.
import type { Comrade, Group } from '../../src/index.ts'
import { until } from './processes.ts'

/** How often each has vouched: slots are few. */
const vouchesOf = new WeakMap<Group, number>()

/** The first node founds a group, the others come in one after another. @returns the group at each node */
export async function formGroup(nodes: readonly Comrade[], name = 'portland'): Promise<Group[]> {
  const [founder, ...others] = nodes
  const groups = [await founder.groups.create({ name })]
  for (const node of others) groups.push(await admit(node, groups))
  await until(() => each(groups, async (group) => (await group.members()).length === nodes.length), 'all see all')
  return groups
}

/** Lets a node apply, be vouched for by as many members as it takes, and join. */
export async function admit(node: Comrade, members: readonly Group[]): Promise<Group> {
  const { did } = node.identity
  const theirs = await node.groups.open(await members[0].link())
  await until(async () => (await theirs.members()).length === members.length, 'the log has come')
  const { needed } = await theirs.apply()
  const vouches = async (group: Group): Promise<number> =>
    (await group.candidates()).find((candidate) => candidate.did === did)?.vouches ?? -1
  for (const member of members.toSorted((a, b) => given(a) - given(b)).slice(0, needed)) {
    await until(async () => (await vouches(member)) >= 0, 'the candidate is seen')
    await member.vouch(did)
    vouchesOf.set(member, given(member) + 1)
  }
  await until(async () => (await vouches(theirs)) >= needed, 'the vouches have come')
  await theirs.join()
  const isSeen = async (group: Group): Promise<boolean> => (await group.members()).some((member) => member.did === did)
  await until(() => each([...members, theirs], isSeen), 'all see the new member')
  return theirs
}

/** The one whom all of them name as the representative. */
export async function representativeAt(
  groups: readonly Group[],
  fits: (did: string) => boolean = () => true
): Promise<string> {
  let dids: (string | undefined)[] = []
  await until(async () => {
    dids = await Promise.all(groups.map(async (group) => (await group.show()).representative?.did))
    return dids[0] !== undefined && fits(dids[0]) && new Set(dids).size === 1
  }, 'all name the same representative')
  return dids[0]!
}

function given(group: Group): number {
  return vouchesOf.get(group) ?? 0
}

async function each(groups: readonly Group[], holds: (group: Group) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(groups.map(holds))).every(Boolean)
}
