// Five people form @portland from nothing, by the command line only: they apply and are vouched in as the quorum rises;
// one is expelled and cannot read on; the representative is killed and another follows; and whatever is restarted in
// whatever order, every node tells the same about who is a member, and why.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Line, type NodeProcess, Stage, until } from '../support/processes.ts'

const GROUP = '@portland'
const NAMES = ['Ann', 'Ben', 'Cem', 'Dora', 'Erin']

describe('@portland', function () {
  this.timeout(240_000)

  it('is formed by five fresh homes, expels one, survives its representative, and is told the same everywhere', async () => {
    await using stage = new Stage()
    const nodes = await Promise.all(NAMES.map((name) => stage.up(name.toLowerCase())))
    await Promise.all(nodes.map((node, i) => node.json('profile', '--name', NAMES[i])))
    const [ann, ben, cem, dora, erin] = nodes

    // Ann founds; each of the others opens her link, applies, and is vouched in. The fifth needs two.
    const [made] = await ann.json('group', 'create', 'portland')
    assert.deepEqual([made.name, made.size, made.quorum, made.you], ['portland', 1, 1, 'member'])
    const [{ link }] = await ann.json('group', 'link', GROUP)
    for (const [i, node] of [ben, cem, dora].entries()) {
      await apply(node, String(link))
      await vouch(nodes[i % 2], node)
      await enter(node)
    }
    await until(async () => (await sizeAt(ann)) === 4, 'there are four')
    await apply(erin, String(link))
    await vouch(ben, erin)
    await until(async () => (await candidateAt(erin, erin)).vouches === 1, 'Erin sees one vouch')
    const { code, stderr } = await erin.run('group', 'join', GROUP)
    assert.equal(code, 1)
    assert.match(stderr, /1 of 2/)
    await vouch(dora, erin)
    await until(async () => (await candidateAt(erin, erin)).vouches === 2, 'Erin sees both')
    await enter(erin)
    for (const node of nodes) await until(async () => (await sizeAt(node)) === 5, 'everybody counts five')
    await sameEverywhere(nodes)
    const [shown] = await cem.json('group', 'show', GROUP)
    assert.deepEqual(memberOf(shown, erin), { did: erin.did, vouches: 2, atLeastNow: 2 })

    // They write to each other; whoever came later reads from then on.
    await erin.json('post', 'good to be here', '--to', GROUP)
    for (const node of nodes) await reads(node, 'good to be here')

    // Three of five expel Erin; what is written after it she cannot read.
    const [motion] = await ann.json('group', 'expel', GROUP, erin.did)
    assert.deepEqual([motion.kind, motion.needed, motion.ring], ['expel', 3, 5])
    for (const node of [ben, cem]) {
      await until(async () => (await node.json('group', 'motions', GROUP)).length === 1, 'the motion is known')
      await node.json('group', 'ballot', GROUP, String(motion.motion))
    }
    const left = [ann, ben, cem, dora]
    for (const node of nodes) await until(async () => (await sizeAt(node)) === 4, 'four are left')
    assert.equal((await erin.json('group', 'show', GROUP))[0].you, 'outside')
    const map = join(stage.path, 'map.txt')
    writeFileSync(map, 'left at the mill')
    const [posted] = await dora.json('post', 'we go on', '--to', GROUP, '--attach', map)
    for (const node of left) await reads(node, 'we go on')
    const [saved] = await cem.json('save', String(posted.id), join(stage.path, 'saved.txt'))
    assert.equal(readFileSync(String(saved.file), 'utf8'), 'left at the mill')
    assert.equal((await erin.run('save', String(posted.id), join(stage.path, 'stolen.txt'))).code, 1)
    await ann.json('post', 'in the open')
    assert.deepEqual(await groupTexts(erin), ['good to be here'])
    assert.equal((await erin.run('post', 'me too', '--to', GROUP)).code, 1)

    // The representative is killed: another follows, the same at every node, and what was written is there.
    const first = await sameRepresentative(left)
    const killed = left.find(({ did }) => did === first)!
    await killed.end('SIGKILL')
    const rest = left.filter((node) => node !== killed)
    const second = await sameRepresentative(rest, (did) => did !== first)
    assert.ok(rest.some(({ did }) => did === second))
    await rest[0].json('post', 'without you', '--to', GROUP)
    for (const node of rest) await reads(node, 'without you')

    // All leave, and come back in another order.
    for (const node of [...rest, erin]) assert.equal(await node.end(), 0)
    const back = new Map<string, NodeProcess>()
    for (const node of [cem, erin, ann, dora, ben]) back.set(node.did, await stage.up(node.home))
    const again = nodes.map(({ did }) => back.get(did)!)
    await until(async () => isSame(await tellings(again)), 'everybody tells the same again', 60_000)
    await reads(back.get(first)!, 'without you')
    assert.equal((await again[0].json('group', 'show', GROUP))[0].size, 4)
    const log = await again[0].json('group', 'log', GROUP)
    const aboutErin = log.find(({ did }) => did === erin.did)!
    assert.equal(aboutErin.isMember, false)
    assert.match((aboutErin.reasons as string[]).join('\n'), /expelled by 3 of 5 ballots/)
  })
})

async function apply(node: NodeProcess, link: string): Promise<void> {
  const [opened] = await node.json('group', 'open', link)
  assert.deepEqual([opened.name, opened.you], ['portland', 'outside'])
  const [candidate] = await node.json('group', 'apply', GROUP)
  assert.deepEqual([candidate.did, candidate.vouches], [node.did, 0])
}

async function vouch(node: NodeProcess, candidate: NodeProcess): Promise<void> {
  await until(async () => (await candidateAt(node, candidate)) !== undefined, 'the candidacy is known')
  await node.json('group', 'vouch', GROUP, candidate.did)
}

async function enter(node: NodeProcess): Promise<void> {
  await until(async () => {
    const own = await candidateAt(node, node)
    return Number(own.vouches) >= Number(own.needed)
  }, 'there are enough vouches')
  assert.equal((await node.json('group', 'join', GROUP))[0].you, 'member')
}

async function candidateAt(node: NodeProcess, { did }: NodeProcess): Promise<Line> {
  return (await node.json('group', 'candidates', GROUP)).find((candidate) => candidate.did === did)!
}

async function sizeAt(node: NodeProcess): Promise<number> {
  return Number((await node.json('group', 'show', GROUP))[0].size)
}

function memberOf(shown: Line, { did }: NodeProcess): Line | undefined {
  const member = (shown.members as Line[]).find((each) => each.did === did)
  return member && { did, vouches: member.vouches, atLeastNow: member.atLeastNow }
}

async function groupTexts(node: NodeProcess): Promise<unknown[]> {
  return (await node.json('feed', '--in', GROUP)).map(({ text }) => text)
}

function reads(node: NodeProcess, text: string): Promise<void> {
  return until(async () => (await groupTexts(node)).includes(text), `"${text}" is read`)
}

/** What nodes tell of the group, without what is each one's own: the link, and what they are in it. */
function tellings(nodes: readonly NodeProcess[]): Promise<string[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const [{ id, name, size, quorum, members }] = await node.json('group', 'show', GROUP)
      return JSON.stringify([id, name, size, quorum, members, await node.json('group', 'log', GROUP)])
    })
  )
}

function isSame(texts: readonly string[]): boolean {
  return new Set(texts).size === 1
}

async function sameEverywhere(nodes: readonly NodeProcess[]): Promise<void> {
  let told: string[] = []
  await until(async () => isSame((told = await tellings(nodes))), 'everybody tells the same').catch((error) => {
    throw new Error(`${(error as Error).message}\n${told.join('\n')}`)
  })
}

/** The did of the representative, once all nodes name the same one. */
async function sameRepresentative(
  nodes: readonly NodeProcess[],
  fits: (did: string) => boolean = () => true
): Promise<string> {
  let did: string | undefined
  await until(async () => {
    const named = await Promise.all(
      nodes.map(async (node) => (await node.json('group', 'show', GROUP))[0].representative as Line | undefined)
    )
    did = named[0]?.did as string | undefined
    return did !== undefined && fits(did) && named.every((each) => each?.did === did)
  }, 'everybody names the same representative')
  return did!
}
