// What a group's log takes of what others bring, and what not.
import assert from 'node:assert/strict'
import { fromHex, type Hex, ready } from '../../../src/groups/index.ts'
import { GroupStore } from '../../../src/node/groups/group-store.ts'
import { Intake } from '../../../src/node/groups/intake.ts'
import { LocalGroup } from '../../../src/node/groups/local-group.ts'
import { Verifier } from '../../../src/node/groups/verifier.ts'
import { personOf, Village } from '../../groups/village.ts'
import { temporaryStore } from '../../support/feeds.ts'

/** A device that has opened the village's group, and what brings it operations. */
class Device {
  readonly #store = temporaryStore()
  readonly verifier = new Verifier()
  readonly group: LocalGroup
  readonly intake: Intake

  constructor(village: Village) {
    const store = new GroupStore(this.#store.store)
    const id = fromHex(village.id)
    this.group = new LocalGroup(store, { num: store.add(id), id }, personOf('reader').root)
    this.intake = new Intake(this.group, this.verifier)
  }

  /** Ids in the log, sorted. */
  ids(): Hex[] {
    const { log } = this.group.evaluated
    return Array.from({ length: log.size }, (_, at) => log.at(at).id).toSorted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.intake.close()
    await this.verifier.close()
    this.group.close()
    this.#store[Symbol.dispose]()
  }
}

const idsOf = (village: Village): Hex[] => village.operations.map(({ id }) => id).toSorted()

describe('the intake of a group', function () {
  this.timeout(60_000)
  before(ready)

  it('takes a log from its beginning, and evaluates it as others do', async () => {
    const village = new Village(['alice', 'bob'])
    village.admit('carol', ['alice'])
    village.expel('bob', ['alice', 'bob', 'carol'])
    await using device = new Device(village)
    await device.intake.receive([...village.bytes.values()], 'peer')
    assert.deepEqual(device.ids(), idsOf(village))
    assert.deepEqual(village.namesIn(device.group.evaluated), village.members())
  })

  it('takes it in any order, one by one, from several at once', async () => {
    const village = new Village(['alice'])
    village.admit('bob', ['alice'])
    village.admit('carol', ['alice', 'bob'])
    await using device = new Device(village)
    const backwards = [...village.bytes.values()].toReversed()
    await Promise.all(backwards.map((bytes, i) => device.intake.receive([bytes], i % 3)))
    await device.intake.receive([], 'to be after them')
    assert.deepEqual(device.ids(), idsOf(village))
    assert.equal(device.intake.waiting, 0)
  })

  it('verifies what it is to check and not to take each time anew, so that nothing tells whether it came before', async () => {
    const village = new Village(['alice', 'bob'])
    const candidacy = village.propose('alice', 'carol')
    await using device = new Device(village)
    await device.intake.receive([...village.bytes.values()], 'peer')
    const vouch = village.bytes.get(village.vouch(candidacy, 'bob'))!
    let verified = 0
    const verify = device.verifier.verify.bind(device.verifier)
    device.verifier.verify = (...asked) => {
      verified++
      return verify(...asked)
    }
    for (let i = 1; i <= 3; i++) {
      assert.equal((await device.intake.check(vouch)).type, 'vouch')
      assert.equal(verified, i)
    }
    await device.intake.receive([vouch], 'peer')
    assert.equal(verified, 3, 'what is taken afterwards is not verified once more')
    assert.deepEqual(device.ids(), idsOf(village))
  })
})
