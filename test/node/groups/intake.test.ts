// What a group's log takes of what others bring, and what not: honest operations in any order, and hostile ones by the
// rows of what others may send.
import assert from 'node:assert/strict'
import { Vault } from '../../../src/node/vault.ts'
import fc from 'fast-check'
import {
  type Anonymous,
  encodeAnonymous,
  fromHex,
  type Hex,
  makeStatement,
  MAX_JOINS_PER_CANDIDACY,
  MAX_LOOSE_CANDIDACIES,
  MAX_OPERATION_SIZE,
  MAX_PER_AUTHOR,
  MAX_PER_TAG,
  operationId,
  type ProofPlace,
  ready,
  ringKey,
  toHex
} from '../../../src/groups/index.ts'
import { GroupStore } from '../../../src/node/groups/group-store.ts'
import { Intake, MAX_BATCHES, MAX_VOID } from '../../../src/node/groups/intake.ts'
import { LocalGroup } from '../../../src/node/groups/local-group.ts'
import { Verifier } from '../../../src/node/groups/verifier.ts'
import { MAX_WAITING } from '../../../src/node/groups/waiting-room.ts'
import { FIRST_DAY, personOf, Village } from '../../groups/village.ts'
import { temporaryStore } from '../../support/feeds.ts'

const VAULT = new Vault(new Uint8Array(32))

/** Counts what it is asked. */
class CountingVerifier extends Verifier {
  asked = 0

  override verify(operation: Anonymous, place: ProofPlace): Promise<boolean> {
    this.asked++
    return super.verify(operation, place)
  }
}

/** A device that has opened the village's group, and what brings it operations. */
class Device {
  readonly #held = temporaryStore()
  readonly #store = new GroupStore(this.#held.store, VAULT)
  readonly verifier = new CountingVerifier()
  readonly #num: number
  readonly #id: Uint8Array
  readonly group: LocalGroup
  readonly intake: Intake

  constructor(village: Village) {
    this.#id = fromHex(village.id)
    this.#num = this.#store.add(this.#id)
    this.group = this.load()
    this.intake = new Intake(this.group, this.verifier)
  }

  /** The group as it comes from the disk. */
  load(): LocalGroup {
    return new LocalGroup(this.#store, { num: this.#num, id: this.#id }, personOf('reader').root)
  }

  /** Brings operations of the village. */
  async bring(village: Village, ids: readonly Hex[], origin = 'peer'): Promise<void> {
    await this.intake.receive(bytesOf(village, ids), origin)
  }

  /** Ids in the log, sorted. */
  get ids(): Hex[] {
    return idsIn(this.group).toSorted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.intake.close()
    await this.verifier.close()
    this.group.close()
    this.#held[Symbol.dispose]()
  }
}

function idsIn({ evaluated: { log } }: LocalGroup): Hex[] {
  return Array.from({ length: log.size }, (_, at) => log.at(at).id)
}

function idsOf(village: Village): Hex[] {
  return village.operations.map(({ id }) => id)
}

function bytesOf(village: Village, ids: readonly Hex[] = idsOf(village)): Uint8Array[] {
  return ids.map((id) => village.bytes.get(id)!)
}

/** A device with all of a village's log, and how it counted its proofs from there on. */
async function deviceOf(village: Village): Promise<Device> {
  const device = new Device(village)
  await device.bring(village, idsOf(village))
  device.verifier.asked = 0
  return device
}

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at < 0 ? copy.length + at : at] ^= 1
  return copy
}

describe('the intake of a group', function () {
  this.timeout(60_000)
  before(ready)

  it('takes a log from its beginning, and evaluates it as others do', async () => {
    const village = new Village(['alice', 'bob'])
    village.admit('carol', ['alice'])
    village.expel('bob', ['alice', 'bob', 'carol'])
    await using device = await deviceOf(village)
    assert.deepEqual(device.ids, idsOf(village).toSorted())
    assert.deepEqual(village.namesIn(device.group.evaluated), village.members())
    assert.deepEqual(idsIn(device.load()), idsIn(device.group))
  })

  it('takes it in any order, in any batches, from several at once', async () => {
    const village = new Village(['alice'])
    village.admit('bob', ['alice'])
    const { candidacy } = village.admit('carol', ['alice', 'bob'])
    for (let i = 0; i < MAX_PER_TAG; i++) village.vouch(candidacy, 'bob') // more than is taken of its own accord
    village.expel('bob', ['alice', 'carol'])
    const ids = idsOf(village)
    const arrivals = fc.shuffledSubarray(ids, { minLength: ids.length })
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 5 }), async (order, size) => {
        await using device = new Device(village)
        const batches = Array.from({ length: Math.ceil(order.length / size) }, (_, i) =>
          order.slice(i * size, (i + 1) * size)
        )
        await Promise.all(batches.map((batch, i) => device.bring(village, batch, `peer ${i % 3}`)))
        await device.bring(village, [])
        const counted = ids.filter((id) => village.operations.some(({ parents }) => parents.includes(id)))
        assert.deepEqual(
          counted.filter((id) => !device.group.has(id)),
          []
        )
        assert.deepEqual(village.namesIn(device.group.evaluated), village.members())
        const bobs = village.operations.filter((o) => o.type === 'vouch' && o.motion === candidacy)
        assert.ok(bobs.filter(({ id }) => device.group.has(id)).length <= MAX_PER_TAG + 2)
      }),
      { numRuns: 20 }
    )
  })

  it('says how much of a batch is here now, and whether something is missing under it', async () => {
    const village = new Village(['alice'])
    const motion = village.propose('alice', 'zoe')
    const vouch = village.vouch(motion, 'alice')
    await using device = new Device(village)
    const receive = (...ids: Hex[]) => device.intake.receive(bytesOf(village, ids), 'peer')
    assert.deepEqual(await receive(vouch), { placed: 0, isGap: true })
    assert.deepEqual(device.intake.missing(), [motion])
    assert.deepEqual(await receive(village.id), { placed: 1, isGap: false })
    assert.deepEqual(await receive(village.id, motion), { placed: 2, isGap: false })
    assert.deepEqual(await receive(vouch), { placed: 1, isGap: false })
    assert.deepEqual(device.intake.missing(), [])
  })

  it('blames who brings what is no operation of this group, and keeps what came before it', async () => {
    const [village, other] = [new Village(['alice', 'bob']), new Village(['alice'], {}, 'lisbon')]
    const first = village.propose('alice', 'zoe')
    const good = village.bytes.get(first)!
    const foreign = other.bytes.get(other.propose('alice', 'zoe'))!
    const bad: [Uint8Array, string][] = [
      [new Uint8Array(0), 'OPERATION'],
      [Buffer.from('noise'), 'OPERATION'],
      [good.subarray(0, 100), 'OPERATION'],
      [new Uint8Array(MAX_OPERATION_SIZE + 1), 'SIZE'],
      [foreign, 'GROUP'],
      [other.bytes.get(other.id)!, 'GROUP'],
      [Buffer.concat([good.subarray(0, -64), Buffer.alloc(64, 7)]), 'OPERATION']
    ]
    for (const [bytes, code] of bad) {
      await using device = new Device(village)
      const batch = [village.bytes.get(village.id)!, good, bytes, ...bytesOf(village)]
      await assert.rejects(device.intake.receive(batch, 'peer'), { name: 'GroupError', code })
      assert.deepEqual(device.ids, [village.id, first].toSorted())
    }
  })

  it('takes no vouch whose proof does not hold, and verifies it once, however often it is brought', async () => {
    const village = new Village(['alice', 'bob'])
    const motion = village.propose('alice', 'zoe')
    const other = village.propose('alice', 'yan')
    await using device = await deviceOf(village)
    const vouch = village.vouch(motion, 'alice')
    const { kind, ...fields } = fieldsOf(village.operations.at(-1) as Anonymous)
    const outsider = ringKey(Buffer.alloc(32, 9)).secret
    const place = village.evaluator.place(motion)!
    const larger = { ...place, ring: [...place.ring, toHex(ringKey(Buffer.alloc(32, 9)).publicKey)].toSorted() }
    const forged = [
      encodeAnonymous({ kind, ...fields, proof: changed(fields.proof, 40) }),
      encodeAnonymous({ kind, ...fields, tag: fields.slotTag }),
      encodeAnonymous({ kind, ...fields, motion: fromHex(other) }),
      encodeAnonymous({ kind: 'retract', ...fields }),
      encodeAnonymous({ kind, ...fields, slot: 1 }),
      makeStatement({ kind: 'vouch', motion, slot: 0 }, larger, outsider)
    ]
    for (const bytes of forged) {
      for (const origin of ['one', 'another'])
        await assert.rejects(device.intake.receive([bytes], origin), { name: 'GroupError', code: 'PROOF' })
    }
    assert.equal(device.verifier.asked, forged.length)
    await device.bring(village, [vouch])
    assert.equal(device.ids.length, village.operations.length)
  })

  it('verifies no proof that cannot count: of a slot that there is not, for no motion, or for one that is not valid', async () => {
    const village = new Village(['alice', 'bob'])
    const motion = village.propose('alice', 'zoe')
    const rule = village.signed('alice', 'motion', { kind: 'expel', identity: personOf('bob').root })
    const pointless = village.propose('alice', 'bob') // a member already
    await using device = await deviceOf(village)
    const secret = village.secretOf('alice')
    const place = village.evaluator.place(motion)!
    const vouch = (on: Hex, slot: number): Uint8Array =>
      makeStatement({ kind: 'vouch', motion: on, slot }, place, secret)
    for (const bytes of [vouch(motion, 77), vouch(rule, 0), vouch(pointless, 0), vouch(village.id, 0)])
      await assert.rejects(device.intake.receive([bytes], 'peer'), { code: 'PROOF' })
    assert.equal(device.verifier.asked, 0)
  })

  it('passes over proofs of a kind that it does not know, without blame', async () => {
    const village = new Village(['alice', 'bob'])
    const motion = village.propose('alice', 'zoe')
    await using device = await deviceOf(village)
    village.vouch(motion, 'alice')
    const fields = fieldsOf(village.operations.at(-1) as Anonymous)
    const proof = Uint8Array.from(fields.proof)
    proof[0] = 99
    assert.deepEqual(await device.intake.receive([encodeAnonymous({ ...fields, proof })], 'peer'), {
      placed: 0,
      isGap: false
    })
    assert.equal(device.verifier.asked, 0)
  })

  it(`takes ${MAX_PER_TAG} of one tag, and more only where a join stands on them`, async () => {
    const village = new Village(['alice', 'bob'])
    const candidacy = village.propose('alice', 'zoe')
    const vouches = Array.from({ length: MAX_PER_TAG + 3 }, () => village.vouch(candidacy, 'alice'))
    await using device = new Device(village)
    await device.bring(village, [village.id, candidacy, ...vouches])
    assert.equal(device.group.size, 2 + MAX_PER_TAG)
    assert.equal(device.verifier.asked, MAX_PER_TAG)
    const last = vouches.at(-1)!
    assert.equal(device.group.has(last), false)
    const join = village.join('zoe', candidacy, [last], { on: [candidacy] })
    await device.bring(village, [join], 'another')
    assert.deepEqual([device.group.has(last), device.group.has(join)], [true, true])
    assert.deepEqual(village.namesIn(device.group.evaluated), ['alice', 'bob', 'zoe'])
    assert.equal(device.group.size, 2 + MAX_PER_TAG + 2)
  })

  it('keeps nothing of those who were never members, nor joins without vouches, and ends a flood of it', async () => {
    const village = new Village(['alice', 'bob'])
    const candidacy = village.apply('zoe')
    await using device = await deviceOf(village)
    const before = device.ids
    const place = village.evaluator.place(candidacy)!
    const ballot = makeStatement({ kind: 'vouch', motion: candidacy, slot: 0 }, place, village.secretOf('bob'))
    const junk = [
      village.bytesOf('zoe', 'motion', { kind: 'expel', identity: personOf('bob').root }, { time: 1 }),
      village.bytesOf('zoe', 'leave', {}, { time: 1 }),
      village.joinBytes('zoe', candidacy, [], {}),
      village.joinBytes('yan', candidacy, [toHex(operationId(ballot))], {})
    ]
    const flood = Array.from({ length: MAX_VOID + 1 }, (_, day) =>
      village.bytesOf('zoe', 'checkpoint', { day, retracts: [] }, { time: 1 })
    )
    await device.intake.receive(junk, 'peer')
    for (let i = 0; i < MAX_VOID - junk.length + 1; i++) await device.intake.receive([flood[i]], 'peer')
    assert.deepEqual(device.ids, before)
    await assert.rejects(device.intake.receive(flood, 'peer'), { code: 'FLOOD' }) // however small the batches are
    await assert.rejects(device.intake.receive(flood, 'another'), { code: 'FLOOD' })
    await device.intake.receive([ballot], 'peer') // what the last junk stands on: yan's join is for zoe's candidacy
    assert.equal(device.group.size, before.length + 1)
  })

  it(`takes ${MAX_LOOSE_CANDIDACIES} candidacies of strangers, members' own always, and others once they are vouched for`, async () => {
    const village = new Village(['alice', 'bob'])
    const candidacies = Array.from({ length: MAX_LOOSE_CANDIDACIES + 50 }, (_, i) =>
      village.apply(`stranger ${i}`, { on: [village.id] })
    )
    await using device = new Device(village)
    const forgotten = candidacies.pop()! // it may have fallen out of the room
    await device.bring(village, [village.id, ...candidacies])
    assert.equal(device.group.size, 1 + MAX_LOOSE_CANDIDACIES)
    assert.equal(device.intake.waiting, 49)
    const proposed = village.propose('alice', 'zoe', { on: [village.id] })
    const place = village.evaluator.place(candidacies[0])! // all have the same
    const vouch = village.vouch(candidacies.at(-1)!, 'bob', 0, place)
    await device.bring(village, [proposed, vouch], 'another')
    for (const id of [proposed, candidacies.at(-1)!, vouch]) assert.ok(device.group.has(id))
    const late = village.vouch(forgotten, 'alice', 0, place)
    await device.bring(village, [late], 'another')
    assert.deepEqual(device.intake.missing(), [forgotten])
    await device.bring(village, [forgotten], 'another')
    assert.ok(device.group.has(late))
    assert.deepEqual(idsIn(device.load()), idsIn(device.group))
  })

  it(`takes ${MAX_PER_AUTHOR} operations of one member in a period, and more only where other members stand on them`, async () => {
    const village = new Village(['alice', 'bob'])
    const many: Hex[] = []
    for (let i = 0; i < MAX_PER_AUTHOR + 10; i++)
      many.push(village.propose('alice', `friend ${i}`, { on: [many.at(-1) ?? village.id] }))
    await using device = new Device(village)
    await device.bring(village, [village.id, ...many])
    assert.equal(device.group.size, 1 + MAX_PER_AUTHOR)
    const above = village.propose('bob', 'zoe', { on: [many.at(-1)!] })
    await device.bring(village, [above], 'another')
    assert.equal(device.group.size, 1 + many.length + 1)
    assert.equal(device.intake.waiting, 0)
  })

  it('counts all that one person signs together, with however many keys they came in', async () => {
    const village = new Village(['alice', 'bob'])
    const candidacy = village.propose('alice', 'zoe')
    const vouch = village.vouch(candidacy, 'alice')
    const joins = Array.from({ length: MAX_JOINS_PER_CANDIDACY }, (_, i) =>
      village.join('zoe', candidacy, [vouch], { on: [candidacy], time: i + 1 })
    )
    const many: Hex[] = []
    for (let i = 0; i < MAX_PER_AUTHOR + 10; i++) {
      const time = 1 + (i % joins.length)
      const on = i < joins.length ? [joins[i]] : [many.at(-joins.length)!]
      many.push(village.signed('zoe', 'checkpoint', { day: FIRST_DAY + i, retracts: [] }, { on, time }))
    }
    await using device = new Device(village)
    await device.bring(village, [village.id, candidacy, vouch, ...joins, ...many])
    assert.ok(
      device.group.size < 3 + joins.length + MAX_PER_AUTHOR + 32,
      'those that are taken together may be some more'
    )
    const further = village.join('zoe', candidacy, [vouch], { on: [candidacy], time: joins.length + 1 })
    const above = village.signed('zoe', 'checkpoint', { day: 0, retracts: [] }, { on: [further], time: 1 })
    await device.bring(village, [further, above], 'another')
    assert.equal(device.group.has(further), false)
  })

  it('verifies what it is to check and not to take each time anew, so that nothing tells whether it came before', async () => {
    const village = new Village(['alice', 'bob'])
    const candidacy = village.propose('alice', 'carol')
    await using device = await deviceOf(village)
    const vouch = village.bytes.get(village.vouch(candidacy, 'bob'))!
    for (let i = 1; i <= 3; i++) {
      assert.equal((await device.intake.check(vouch)).type, 'vouch')
      assert.equal(device.verifier.asked, i)
    }
    await device.intake.receive([vouch], 'peer')
    assert.equal(device.verifier.asked, 3, 'what is taken afterwards is not verified once more')
    assert.deepEqual(device.ids, idsOf(village).toSorted())
  })

  it('keeps little of what stands on nothing that is here, and of each who brings it some', async () => {
    const members = ['alice', 'bob', 'carol']
    const village = new Village([...members, 'dave'])
    const missing = village.propose('alice', 'zoe')
    const above = Array.from({ length: MAX_WAITING + 200 }, (_, i) =>
      village.propose(members[i % members.length], `friend ${i}`, { on: [missing] })
    )
    const honest = village.propose('dave', 'yan', { on: [missing] })
    await using device = new Device(village)
    await device.bring(village, [village.id, honest], 'honest')
    await device.bring(village, above, 'hostile')
    assert.equal(device.intake.waiting, MAX_WAITING)
    await device.bring(village, [missing], 'honest')
    assert.ok(device.group.has(honest))
    assert.equal(device.group.size, 2 + MAX_WAITING)
    assert.equal(device.intake.waiting, 0)
  })

  it('drops batches of one origin that does not wait for its earlier ones', async () => {
    const village = new Village(['alice', 'bob'])
    const above = Array.from({ length: MAX_BATCHES + 5 }, (_, i) => village.propose('alice', `friend ${i}`))
    await using device = new Device(village)
    await device.bring(village, [village.id])
    const receipts = await Promise.all(above.map((id) => device.intake.receive(bytesOf(village, [id]), 'peer')))
    assert.equal(receipts.filter(({ placed }) => placed === 1).length, MAX_BATCHES)
    await device.bring(village, above)
    assert.equal(device.group.size, 1 + above.length)
  })

  it('checks what is passed on namelessly without taking it, and verifies it no second time when it comes', async () => {
    const village = new Village(['alice', 'bob'])
    const motion = village.propose('alice', 'zoe')
    await using device = await deviceOf(village)
    const vouch = village.bytes.get(village.vouch(motion, 'alice'))!
    const { id } = await device.intake.check(vouch)
    assert.equal(device.group.has(id), false)
    await device.intake.receive([vouch], 'peer')
    assert.equal(device.group.has(id), true)
    assert.equal((await device.intake.check(vouch)).id, id)
    assert.equal(device.verifier.asked, 1)
    await assert.rejects(device.intake.check(changed(vouch, -1)), { name: 'GroupError' })
    await assert.rejects(device.intake.check(village.bytes.get(motion)!), { code: 'OPERATION' })
    const later = village.propose('alice', 'yan')
    const early = village.bytes.get(village.vouch(later, 'alice'))!
    await assert.rejects(device.intake.check(early), { name: 'NodeError', code: 'NOT_FOUND' })
  })

  it('takes nothing any more once it is closed', async () => {
    const village = new Village(['alice', 'bob'])
    const motion = village.propose('alice', 'zoe')
    await using device = await deviceOf(village)
    const vouch = village.vouch(motion, 'alice')
    const bringing = device.bring(village, [vouch, village.propose('bob', 'yan')]).catch(() => {})
    device.intake.close()
    await device.verifier.close()
    await bringing
    assert.equal(device.group.size, 2)
  })
})

/** What a nameless operation is encoded from. */
function fieldsOf({ type: kind, motion, tag, slotTag, slot, proof }: Anonymous) {
  return { kind, motion: fromHex(motion), tag: fromHex(tag), slotTag: fromHex(slotTag), slot, proof }
}
