// What one member can do to the others who breaks the rules: nodes that run as they do for people, and words and operations
// that a program of this kind would not send.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { Comrade } from '../../../src/index.ts'
import { encodeCbor } from '../../../src/feeds/index.ts'
import {
  currentEpoch,
  isPossessed,
  makeStatement,
  MAX_LOOSE_CANDIDACIES,
  type Presence,
  readChecked,
  readOperation,
  signOperation,
  signPresence,
  withoutEpoch
} from '../../../src/groups/index.ts'
import { parseDid } from '../../../src/trust/index.ts'
import { framedStream } from '../../../src/node/frames.ts'

import { candidaciesOf } from '../../../src/node/groups/candidacies.ts'
import type { NodeGroups } from '../../../src/node/groups/groups.ts'
import type { LocalGroup } from '../../../src/node/groups/local-group.ts'
import { PRESENCE_PROTOCOL } from '../../../src/node/groups/presence-service.ts'
import { credentialOf, memberKeyOf, personOf } from '../../groups/village.ts'
import { admit, formGroup, representativeAt } from '../../support/formation.ts'
import { Homes } from '../../support/node.ts'
import { sleep, until } from '../../support/processes.ts'

const HOUR_MS = 3_600_000

describe('a member who breaks the rules', function () {
  this.timeout(60_000)

  it('cannot make links that the others give worthless by where they say that they are', async () => {
    await using homes = new Homes()
    const [ann, ben] = await Promise.all(['ann', 'ben'].map((name) => homes.start(name)))
    const groups = await formGroup([ann, ben])
    await representativeAt(groups)
    const say = await voiceOf(ben, ann)
    for (const peerKey of [ben.libp2p.peerId.publicKey!.raw, new Uint8Array(32).fill(255)]) {
      const addresses = ['no address \u001B[31m', '/ip4/192.0.2.1/tcp/70000', '/unix/etc/passwd']
      await say({ addresses, peerKey })
      const isHeard = (): boolean => !JSON.stringify(reachOf(ann)).includes('/127.0.0.1/')
      await until(isHeard, 'the word was heard')
      const [{ link }] = await ann.groups.list()
      assert.equal((await ann.groups.open(link)).id, groups[0].id)
      assert.equal((await groups[0].show()).size, 2)
    }
  })

  it('cannot keep others from vouching for somebody by a candidacy of a time when there was nobody else', async () => {
    await using homes = new Homes()
    const [mallory, ben, cem, zoe] = await Promise.all(
      ['mallory', 'ben', 'cem', 'zoe'].map((name) => homes.start(name))
    )
    const groups = await formGroup([mallory, ben, cem])
    const { evaluated: evaluator, id, membership } = localOf(mallory)
    const body = { identity: parseDid(zoe.identity.did) }
    const bytes = signOperation(membership!.member, { type: 'candidacy', group: id, prev: [id], body })
    localOf(mallory).take([{ operation: readOperation(bytes, evaluator.log.create.id, isPossessed), bytes }], undefined)
    const theirs = await zoe.groups.open(await groups[0].link())
    await until(async () => (await theirs.candidates()).length > 0, "mallory's candidacy has come")
    assert.equal((await theirs.apply()).ring, 3)
    await until(() => candidaciesOf(localOf(ben).evaluated).length === 2, "zoe's own has come")
    assert.equal((await groups[1].vouch(zoe.identity.did)).ring, 3)
    await until(async () => (await theirs.candidates())[0].vouches > 0, 'the vouch has come')
    assert.equal((await theirs.join()).size, 4)
  })

  it('cannot keep others from taking a vouch back by another candidacy that has more', async () => {
    await using homes = new Homes()
    const [ann, ben] = await Promise.all(['ann', 'ben'].map((name) => homes.start(name)))
    const groups = [await ann.groups.create({ name: 'portland', quorum: 'constant:2' })]
    groups.push(await admit(ben, groups))
    const zoe = await homes.start('zoe')
    const { did } = zoe.identity
    await groups[0].propose(did)
    await groups[0].vouch(did)
    await until(async () => (await groups[1].candidates())[0]?.vouches === 1, 'the vouch has gone round')
    const local = localOf(ben)
    const [{ id: first }] = candidaciesOf(local.evaluated)
    let { id } = local.sign('candidacy', { identity: parseDid(did) })
    while (id > first) id = local.sign('candidacy', { identity: parseDid(did) }).id // of two with as many, the lower one
    const place = local.evaluated.place(id)!
    const [secret] = [...local.membership!.ringSecrets.values()]
    const bytes = makeStatement({ kind: 'vouch', motion: id, slot: 0 }, place, secret)
    local.take([{ operation: readOperation(bytes, local.hex, isPossessed), bytes }], undefined)
    await until(() => localOf(ann).size === local.size, 'the other candidacy has come')
    await groups[0].retract(did)
    await assert.rejects(groups[0].retract(did), { code: /NOT_FOUND|USED/ })
  })
})

describe('strangers with the link of a group', function () {
  this.timeout(60_000)

  it('can fill the room for candidates who come by themselves; then one is told so, and members propose', async () => {
    await using homes = new Homes()
    const [ann, ben] = await Promise.all(['ann', 'ben'].map((name) => homes.start(name)))
    const group = await ann.groups.create({ name: 'portland' })
    const local = localOf(ann)
    const junk = Array.from({ length: MAX_LOOSE_CANDIDACIES }, (_, i) => {
      const [name, member] = [`stranger ${i}`, memberKeyOf(`stranger ${i}`)]
      const credential = credentialOf(name, { purpose: 'member', place: local.id, member: member.publicKey })
      const body = { identity: personOf(name).root, credential }
      const bytes = signOperation(member, { type: 'candidacy', group: local.id, prev: [local.id], body })
      return { operation: readChecked(bytes, local.hex), bytes }
    })
    local.take(junk, 'stranger')
    const theirs = await ben.groups.open(await group.link())
    await until(() => localOf(ben).size > MAX_LOOSE_CANDIDACIES, 'the log has come')
    await assert.rejects(theirs.apply(), /ask a member to propose you/)
    await group.propose(ben.identity.did)
    await group.vouch(ben.identity.did)
    await until(async () => (await theirs.candidates())[0].vouches === 1, 'the vouch has come')
    assert.equal((await theirs.join()).size, 2)
  })
})

describe('a member who was restored from an older copy', function () {
  this.timeout(60_000)

  for (const history of [false, true]) {
    it(`makes no epochs that it could not open either${history ? ', nor owes any' : ''}`, async () => {
      await using homes = new Homes()
      const [ann, ben, cem] = await Promise.all(['ann', 'ben', 'cem'].map((name) => homes.start(name)))
      const groups = [await ann.groups.create({ name: 'portland', history })]
      groups.push(await admit(ben, groups))
      await until(() => epochsAt(ben) > 0 && !isOwed(ben), 'ben can read')
      for (const key of localOf(ben).membership!.kemSecrets.keys()) localOf(ben).removeKey(key)
      groups.push(await admit(cem, groups))
      await until(() => [ann, ben, cem].every((node) => !isOwed(node)), 'all have an epoch')
      // Whoever waits before making another one has made it by then.
      await until(() => staysFor(4_000, () => epochsAt(ann)), 'no more epochs are made', 45_000)
      await assert.rejects(
        ben.feeds.publish({ type: 'post', text: 'hi' }, { group: 'portland' }),
        /older than its keys/
      )
      await ann.feeds.publish({ type: 'post', text: 'hello' }, { group: 'portland' })
    })
  }
})

async function staysFor(ms: number, value: () => number): Promise<boolean> {
  const before = value()
  await sleep(ms)
  return value() === before
}

function localOf(node: Comrade): LocalGroup {
  return (node.groups as NodeGroups).all()[0]
}

function epochsAt(node: Comrade): number {
  return localOf(node).evaluated.epochs().length
}

/** Whether a member is still to be given an epoch. */
function isOwed(node: Comrade): boolean {
  const evaluator = localOf(node).evaluated
  return withoutEpoch(currentEpoch(evaluator), evaluator.view()).length > 0
}

function reachOf(node: Comrade): unknown {
  return (node.groups as NodeGroups).online?.reachOf(localOf(node))
}

/** Says what one likes as a member, newer than all that the member's own node has said. */
async function voiceOf(
  member: Comrade,
  to: Comrade
): Promise<(words: Pick<Presence, 'addresses' | 'peerKey'>) => Promise<void>> {
  const group = localOf(member)
  const links = [localOf(to).membership!.memberKey]
  const [connection] = member.libp2p.getConnections(to.libp2p.peerId)
  const stream = framedStream(await connection.newStream(PRESENCE_PROTOCOL))
  let at = Date.now()
  return async (words) => {
    at += HOUR_MS
    const word = signPresence(group.id, group.membership!.member, { at, links, serves: true, ...words })
    await stream.send(encodeCbor({ circle: group.id, words: [word] }))
  }
}
