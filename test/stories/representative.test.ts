// A group whose representative is killed: the others agree on the next one, and what was written before is read by somebody
// who was away, from members who hold it.
import assert from 'node:assert/strict'
import { type NodeProcess, Stage, until } from '../support/processes.ts'

const NAMES = ['ann', 'ben', 'cem', 'dora', 'eve']
/** Until the others name the next representative. */
const SUCCESSION_MS = 5_000

describe('a representative that is killed', function () {
  this.timeout(150_000)

  it('is followed by the same one everywhere; who was away reads what was posted before, though its author is gone', async () => {
    await using stage = new Stage()
    const nodes = await Promise.all(NAMES.map((name) => stage.up(name)))
    await formGroup(nodes)
    const first = await representativeAt(nodes, () => true)
    const others = nodes.filter(({ did }) => did !== first)
    const [author, away, ...staying] = others
    await away.end()
    await until(async () => (await shown(author)).representative !== null, 'somebody represents them')
    const [post] = await author.json('post', 'the key is under the mat', '--to', 'portland')
    const representative = nodes.find(({ did }) => did === first)!
    for (const node of [representative, ...staying]) await reads(node, post.id)
    await representative.end('SIGKILL')
    const second = await representativeAt([author, ...staying], (did) => did !== first, SUCCESSION_MS)
    assert.ok([author, ...staying].some(({ did }) => did === second))
    await author.end()
    const back = await stage.up(away.home)
    await reads(back, post.id)
    assert.notEqual(await representativeAt([back, ...staying], (did) => did !== first && did !== author.did), first)
  })
})

async function formGroup([founder, ...others]: readonly NodeProcess[]): Promise<void> {
  await founder.json('group', 'create', '@portland')
  const members = [founder]
  for (const node of others) {
    const { link } = await shown(members[0])
    await node.json('group', 'open', String(link))
    await until(async () => (await sizeAt(node)) === members.length, 'the log has come')
    const [{ needed }] = await node.json('group', 'apply', 'portland')
    for (const member of members.slice(-Number(needed))) {
      await until(async () => (await vouchesAt(member, node.did)) >= 0, 'the candidate is seen')
      await member.json('group', 'vouch', 'portland', node.did)
    }
    await until(async () => (await vouchesAt(node, node.did)) >= Number(needed), 'the vouches have come')
    await node.json('group', 'join', 'portland')
    members.push(node)
    for (const member of members) await until(async () => (await sizeAt(member)) === members.length, 'all see all')
  }
}

async function shown(node: NodeProcess): Promise<Record<string, unknown>> {
  return (await node.json('group', 'show', 'portland'))[0]
}

async function sizeAt(node: NodeProcess): Promise<number> {
  return Number((await shown(node)).size)
}

async function vouchesAt(node: NodeProcess, did: string): Promise<number> {
  const found = (await node.json('group', 'candidates', 'portland')).find((candidate) => candidate.did === did)
  return Number(found?.vouches ?? -1)
}

async function reads(node: NodeProcess, id: unknown): Promise<void> {
  const isThere = async (): Promise<boolean> =>
    (await node.json('feed', '--in', 'portland')).some((entry) => entry.id === id)
  await until(isThere, 'what was posted to the group can be read', 40_000)
}

/** The one whom all of them name. */
async function representativeAt(
  nodes: readonly NodeProcess[],
  fits: (did: string) => boolean,
  limitMs?: number
): Promise<string> {
  let dids: unknown[] = []
  const isAgreed = async (): Promise<boolean> => {
    const representatives = await Promise.all(nodes.map(async (node) => (await shown(node)).representative))
    dids = representatives.map((each) => (each as { did: string } | null)?.did)
    return typeof dids[0] === 'string' && fits(dids[0]) && new Set(dids).size === 1
  }
  await until(isAgreed, 'all name the same representative', limitMs)
  return dids[0] as string
}
