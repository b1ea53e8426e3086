// The promise: nobody but those to whom it is written reads a message. The attack: all bytes on the wire, all that a host
// hears and keeps, and all of the host's keys.
import assert from 'node:assert/strict'
import { x25519, ed25519 } from '@noble/curves/ed25519.js'
import { FeedStore } from '../../src/feeds/index.ts'
import { CELL_SIZE, CellKeys, loadLibsignal, MAILBOX_FRAME_SIZE, Wiping } from '../../src/messages/index.ts'
import { MESSAGE_PROTOCOL } from '../../src/node/messages/cell-streams.ts'
import { homeAt } from '../../src/node/home.ts'
import { openKeys } from '../../src/node/keystore.ts'
import { Vault } from '../../src/node/vault.ts'
import { textsAt } from '../node/messages/support.ts'
import { Homes } from '../support/node.ts'
import { until } from '../support/processes.ts'
import { contentsOf, filesOf, type Frame, framesOf, isIn, mail, startVillage, Tap, valuesOf } from './stage.ts'

const CANARY = 'the canary sings in the third shaft at noon'
/** Where the cell is in a frame of a mailbox, after two bytes of length. */
const CELL_AT = 2 + 37

describe('whoever carries a message', function () {
  this.timeout(120_000)

  it('does not read it: not on the wire, not as the host, not with all of the host’s keys', async () => {
    await using homes = new Homes()
    using tap = new Tap()
    const { alice, carol, ...village } = await startVillage(homes)
    let { bob } = village
    const frames = framesOf(alice)
    await alice.messages.send(bob.identity.did, { text: CANARY })
    await until(async () => (await textsAt(bob)).includes(CANARY), 'it comes when both are on')
    await bob.stop()
    await mail(alice, bob.identity.did, CANARY)
    const hosted = filesOf(homes.of('carol'))
    bob = await homes.start('bob')
    frames.push(...(await visit(bob, carol)))
    await until(async () => (await textsAt(bob)).filter((text) => text === CANARY).length === 2, 'it comes by mailbox')
    await Promise.all([alice, bob, carol].map((node) => node.stop()))

    const canary = Buffer.from(CANARY)
    assert.ok(tap.wire.length > 100 && frames.length > 10, 'the attackers have something')
    assert.equal(isIn(tap.wire, canary) || isIn([Buffer.concat(tap.wire)], canary), false)
    const heard = frames.map(({ bytes }) => bytes)
    assert.equal(isIn(heard, canary), false)
    for (const files of [hosted, filesOf(homes.of('carol')), filesOf(homes.of('bob')), filesOf(homes.of('alice'))])
      assert.equal(isIn(files, canary), false)

    const cells = cellsIn(frames)
    assert.ok(cells.length >= 6, `${cells.length} cells were seen`)
    assert.equal(await opened(cells, await secretsOf(homes.of('carol'))), 0, 'with all of the host’s keys')
    // The attack itself works: the recipient's keys open what was seen, and even then a session is around it.
    assert.ok((await opened(cells, await secretsOf(homes.of('bob')))) >= 4, 'with the recipient’s keys')
    assert.ok(isIn(await contentsOf(homes.of('bob')), canary), 'the canary is found where it is')
  })
})

async function visit(
  node: Parameters<typeof framesOf>[0],
  host: Parameters<typeof framesOf>[0]
): Promise<readonly Frame[]> {
  const frames = framesOf(node)
  await node.connect(host.addresses[0])
  return frames
}

/** What has the size of a cell, wherever it travelled. */
function cellsIn(frames: readonly Frame[]): Uint8Array[] {
  return frames.flatMap(({ protocol, bytes }) => {
    if (protocol === MESSAGE_PROTOCOL && bytes.length === 2 + CELL_SIZE) return [bytes.subarray(2)]
    if (bytes.length === 2 + MAILBOX_FRAME_SIZE) return [bytes.subarray(CELL_AT, CELL_AT + CELL_SIZE)]
    return []
  })
}

/** Every secret of a home, as X25519 can use it: its seeds, what its vault opens, and whatever has the size of a key. */
async function secretsOf(directory: string): Promise<Uint8Array[]> {
  const home = homeAt(directory)
  const keys = await openKeys(home.keys)
  const vault = new Vault(keys.peerSeed)
  const store = FeedStore.open(home.store)
  try {
    const { database } = store
    const cellKeys = new CellKeys({ database, vault, wiping: new Wiping(store) })
    assert.ok(cellKeys.current().length > 0)
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    const rows = tables.flatMap(({ name }) => database.prepare(`SELECT * FROM "${String(name)}"`).all())
    const values = valuesOf(rows)
    const names = database
      .prepare('SELECT public FROM message_cell_keys')
      .all()
      .map((row) => row.public as Uint8Array)
    const unsealed = values.flatMap((value) => names.flatMap((name) => vault.open(value, name) ?? []))
    const seeds = [keys.peerSeed, ...(keys.rootSeed === undefined ? [] : [keys.rootSeed])]
    return [
      ...seeds.flatMap((seed) => [seed, ed25519.utils.toMontgomerySecret(seed)]),
      ...unsealed,
      ...values.filter(({ length }) => length === x25519.lengths.secretKey)
    ]
  } finally {
    store.close()
  }
}

/** How many of the cells one of the secrets opens. */
async function opened(cells: readonly Uint8Array[], secrets: readonly Uint8Array[]): Promise<number> {
  const { PrivateKey } = await loadLibsignal()
  const all = secrets.map((secret) => PrivateKey.deserialize(new Uint8Array(secret)))
  const opens = (cell: Uint8Array, key: (typeof all)[0]): boolean => {
    try {
      return key.open(new Uint8Array(cell), 'comrade/message/cell/1').length > 0
    } catch {
      return false
    }
  }
  return cells.filter((cell) => all.some((key) => opens(cell, key))).length
}
