import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { formGroup, representativeAt } from '../../support/formation.ts'
import { Homes } from '../../support/node.ts'
import { until } from '../../support/processes.ts'

describe('the representative of a group', function () {
  this.timeout(90_000)

  it('is the same at every member, follows a lost one; and the members come to be connected with each other', async () => {
    await using homes = new Homes()
    const nodes = await Promise.all(['ann', 'ben', 'cem', 'dora'].map((name) => homes.start(name)))
    const groups = await formGroup(nodes)
    await until(
      () => nodes.every((node) => node.libp2p.getPeers().length >= nodes.length - 1),
      'all are connected with all'
    )
    const first = await representativeAt(groups)
    const at = nodes.findIndex(({ identity }) => identity.did === first)
    await nodes[at].stop()
    const second = await representativeAt(groups.toSpliced(at, 1), (did) => did !== first)
    assert.ok(nodes.toSpliced(at, 1).some(({ identity }) => identity.did === second))
  })
})
