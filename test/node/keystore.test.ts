import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { signingKey } from '../../src/feeds/signature.ts'
import { NodeError, type NodeErrorCode } from '../../src/node/comrade.ts'
import { openHome } from '../../src/node/home.ts'
import {
  changePassphrase,
  createKeys,
  discardKeys,
  forgetPhrase,
  hasKeys,
  isJoining,
  needsPassphrase,
  openKeys,
  placeKeys,
  prepareKeys,
  readEpoch,
  readHandover,
  removeHandover,
  writeEpoch,
  type Keys
} from '../../src/node/keystore.ts'
import { TrustError } from '../../src/trust/errors.ts'
import { generatePhrase, rootSeedFromPhrase } from '../../src/trust/phrase.ts'

const has = (code: NodeErrorCode) => (error: unknown) => error instanceof NodeError && error.code === code
/** Cheap in tests: what is tested does not depend on the cost. */
const scryptN = 16
const publicOf = ({ identity, device, peerSeed }: Keys) => [identity, device.publicKey, peerSeed]

describe('keystore', () => {
  let directory: string
  let keys: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keys-'))
    keys = openHome(join(directory, 'home')).keys
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))
  const file = (name: string) => join(keys, name)
  const read = (name: string) => readFileSync(file(name), 'utf8')

  it('makes three different keys, and opens the same again', async () => {
    assert.equal(hasKeys(keys), false)
    const { keys: made, phrase } = await createKeys(keys)
    assert.equal(hasKeys(keys), true)
    assert.equal(needsPassphrase(keys), false)
    assert.deepEqual(publicOf(await openKeys(keys)), publicOf(made))
    assert.equal(
      new Set([...publicOf(made), signingKey(made.peerSeed).publicKey].map((key) => Buffer.from(key).toString('hex')))
        .size,
      4
    )
    assert.deepEqual(made.identity, signingKey(rootSeedFromPhrase(phrase)).publicKey)
  })

  it('makes the root key from a given phrase, and a new device each time', async () => {
    const phrase = generatePhrase()
    const one = await createKeys(keys, { phrase })
    const other = await createKeys(openHome(join(directory, 'other')).keys, { phrase })
    assert.deepEqual(one.keys.identity, other.keys.identity)
    assert.notDeepEqual(one.keys.device.publicKey, other.keys.device.publicKey)
    assert.equal(one.phrase, phrase)
  })

  it('leaves nothing on the disk for a wrong phrase', async () => {
    await assert.rejects(
      createKeys(keys, { phrase: 'abandon' }),
      (error) => error instanceof TrustError && error.code === 'PHRASE'
    )
    assert.deepEqual(readdirSync(keys), [])
  })

  it('never overwrites keys, nor mixes them with other files', async () => {
    await createKeys(keys)
    const before = read('device.key')
    await assert.rejects(createKeys(keys), has('FAILED'))
    assert.equal(read('device.key'), before)
    const other = openHome(join(directory, 'other')).keys
    writeFileSync(join(other, 'epoch'), 'x')
    await assert.rejects(createKeys(other), has('FAILED'))
    assert.deepEqual(readdirSync(other), ['epoch'])
    assert.equal(readdirSync(join(directory, 'other')).includes('keys.new'), false)
  })

  it('starts anew where a crash left keys half made', async () => {
    mkdirSync(`${keys}.new`)
    writeFileSync(join(`${keys}.new`, 'root.key'), 'half')
    assert.equal(hasKeys(keys), false)
    await createKeys(keys)
    assert.deepEqual(readdirSync(keys).toSorted(), ['device.key', 'peer.key', 'root.key'])
    assert.equal(readdirSync(join(keys, '..')).includes('keys.new'), false)
  })

  it('says that no keys were made, or that one is missing', async () => {
    await assert.rejects(openKeys(keys), has('NOT_FOUND'))
    await createKeys(keys)
    rmSync(file('device.key'))
    await assert.rejects(openKeys(keys), has('FAILED'))
    await assert.rejects(createKeys(keys), has('FAILED'))
  })

  it('writes files for the owner alone, and closes those that were opened to others', async () => {
    const { keys: made } = await createKeys(keys, { passphrase: 'p', scryptN })
    for (const name of readdirSync(keys)) {
      assert.equal(statSync(file(name)).mode & 0o777, 0o600)
      chmodSync(file(name), 0o644)
    }
    assert.deepEqual(publicOf(await openKeys(keys, { passphrase: 'p' })), publicOf(made))
    for (const name of readdirSync(keys)) assert.equal(statSync(file(name)).mode & 0o777, 0o600, name)
  })

  it('refuses a key behind a link', async () => {
    await createKeys(keys)
    renameSync(file('root.key'), join(directory, 'elsewhere'))
    symlinkSync(join(directory, 'elsewhere'), file('root.key'))
    await assert.rejects(openKeys(keys), has('KEYS_EXPOSED'))
  })

  it('opens with the passphrase only, in whatever normal form it is typed', async () => {
    const { keys: made } = await createKeys(keys, { passphrase: 'café ☕', scryptN })
    assert.equal(needsPassphrase(keys), true)
    await assert.rejects(openKeys(keys), has('LOCKED'))
    await assert.rejects(openKeys(keys, { passphrase: 'cafe' }), has('LOCKED'))
    await assert.rejects(openKeys(keys, { passphrase: '' }), has('LOCKED'))
    assert.deepEqual(publicOf(await openKeys(keys, { passphrase: 'cafe\u0301 ☕' })), publicOf(made))
    await assert.rejects(createKeys(openHome(join(directory, 'other')).keys, { passphrase: '' }), has('BAD_INPUT'))
  })

  it('costs at least 128 MiB a guess by default', async () => {
    await createKeys(keys, { passphrase: 'p' })
    const { n, r, p } = JSON.parse(read('wrapping.key'))
    assert.ok(128 * n * r * p >= 2 ** 27)
    await openKeys(keys, { passphrase: 'p' })
  })

  it('keeps the phrase only when it is told to, under the same passphrase, until it was put by', async () => {
    const { keys: made, phrase } = await createKeys(keys, { keepsPhrase: true })
    assert.equal(made.phrase, phrase)
    assert.equal((await openKeys(keys)).phrase, phrase)
    const kept = JSON.parse(read('phrase.key')).seed
    await changePassphrase(keys, { next: 'p', scryptN })
    assert.ok(!readdirSync(keys).map(read).join().includes(kept))
    assert.equal((await openKeys(keys, { passphrase: 'p' })).phrase, phrase)
    await changePassphrase(keys, { current: 'p' })
    assert.equal((await openKeys(keys)).phrase, phrase)
    forgetPhrase(keys)
    forgetPhrase(keys)
    assert.equal((await openKeys(keys)).phrase, undefined)
    assert.deepEqual(
      readdirSync(keys).filter((name) => name.startsWith('phrase')),
      []
    )
  })

  it('holds no seed in the clear under a passphrase, nor the phrase unless it is told to', async () => {
    const { keys: made, phrase } = await createKeys(keys)
    const plain = JSON.parse(read('root.key')).seed
    await changePassphrase(keys, { next: 'p', scryptN })
    const all = readdirSync(keys).map(read).join()
    for (const secret of [
      plain,
      Buffer.from(made.peerSeed).toString('base64url'),
      '"seed"',
      phrase.split(' ').slice(0, 2).join(' ')
    ])
      assert.ok(!all.includes(secret))
  })

  it('sets, replaces and removes the passphrase, keeping the keys', async () => {
    const { keys: made } = await createKeys(keys)
    const opens = async (passphrase?: string) =>
      assert.deepEqual(publicOf(await openKeys(keys, { passphrase })), publicOf(made))
    await changePassphrase(keys, { next: 'one', scryptN })
    await opens('one')
    await assert.rejects(openKeys(keys), has('LOCKED'))
    await assert.rejects(changePassphrase(keys, { current: 'wrong', next: 'two', scryptN }), has('LOCKED'))
    const before = ['root.key', 'device.key', 'peer.key'].map(read)
    await changePassphrase(keys, { current: 'one', next: 'two', scryptN })
    assert.deepEqual(['root.key', 'device.key', 'peer.key'].map(read), before, 'one file is all that changes')
    await opens('two')
    await assert.rejects(openKeys(keys, { passphrase: 'one' }), has('LOCKED'))
    await assert.rejects(changePassphrase(keys, { current: 'two', next: '' }), has('BAD_INPUT'))
    await changePassphrase(keys, { current: 'two' })
    await opens()
    assert.equal(readdirSync(keys).includes('wrapping.key'), false)
    await changePassphrase(keys, { next: 'three', scryptN })
    await opens('three')
  })

  it('opens after a crash at any step of setting or removing a passphrase, and finishes when done again', async () => {
    const { keys: made } = await createKeys(keys, { keepsPhrase: true })
    const plain = new Map(readdirSync(keys).map((name) => [name, read(name)]))
    await changePassphrase(keys, { next: 'p', scryptN })
    const sealed = new Map(readdirSync(keys).map((name) => [name, read(name)]))
    const names = ['phrase.key', 'root.key', 'device.key', 'peer.key'] // the phrase is the last that is opened
    for (let done = 0; done <= names.length; done++) {
      for (const [name, content] of sealed) writeFileSync(file(name), content)
      for (const name of names.slice(done)) writeFileSync(file(name), plain.get(name)!)
      const opened = await openKeys(keys, { passphrase: 'p' })
      assert.deepEqual([publicOf(opened), opened.phrase], [publicOf(made), made.phrase])
      await changePassphrase(keys, { current: 'p', next: 'q', scryptN })
      assert.ok(!names.map(read).join().includes('"seed"'))
      await assert.rejects(openKeys(keys), has('LOCKED'))
      assert.deepEqual(publicOf(await openKeys(keys, { passphrase: 'q' })), publicOf(made))
    }
  })

  describe('of a device that joins', () => {
    const { publicKey: identity } = signingKey(new Uint8Array(32).fill(9))
    const handover = Uint8Array.of(1, 2, 3)

    it('holds the root key only in its public half, and is there with what was handed over, or not at all', async () => {
      const made = await prepareKeys(keys, identity)
      assert.deepEqual([hasKeys(keys), isJoining(keys)], [false, true])
      placeKeys(keys, handover)
      assert.deepEqual([hasKeys(keys), isJoining(keys)], [true, false])
      const opened = await openKeys(keys)
      assert.deepEqual(publicOf(opened), publicOf(made))
      assert.deepEqual([opened.identity, opened.root, opened.rootSeed], [identity, undefined, undefined])
      assert.equal(JSON.parse(read('root.key')).seed, undefined)
      assert.deepEqual(readHandover(keys), handover)
      removeHandover(keys)
      assert.equal(readHandover(keys), undefined)
      await assert.rejects(prepareKeys(keys, identity), has('FAILED'))
    })

    it('goes on under the same key after a crash, but not for another identity', async () => {
      const first = await prepareKeys(keys, identity)
      assert.deepEqual(publicOf(await prepareKeys(keys, identity)), publicOf(first))
      const { publicKey: other } = signingKey(new Uint8Array(32).fill(8))
      const second = await prepareKeys(keys, other)
      assert.notDeepEqual(second.device.publicKey, first.device.publicKey)
      assert.notDeepEqual(second.peerSeed, first.peerSeed)
      rmSync(`${keys}.joining/peer.key`)
      assert.notDeepEqual((await prepareKeys(keys, other)).device.publicKey, second.device.publicKey)
      discardKeys(keys)
      assert.equal(isJoining(keys), false)
    })

    it('may have a passphrase, which can be changed and taken away', async () => {
      const made = await prepareKeys(keys, identity, { passphrase: 'p', scryptN })
      assert.deepEqual(publicOf(await prepareKeys(keys, identity, { passphrase: 'p', scryptN })), publicOf(made))
      placeKeys(keys, handover)
      assert.equal(needsPassphrase(keys), true)
      await assert.rejects(openKeys(keys), has('LOCKED'))
      await changePassphrase(keys, { current: 'p', next: 'q', scryptN })
      assert.deepEqual(publicOf(await openKeys(keys, { passphrase: 'q' })), publicOf(made))
      await changePassphrase(keys, { current: 'q' })
      assert.equal(needsPassphrase(keys), false)
      assert.deepEqual(publicOf(await openKeys(keys)), publicOf(made))
    })

    it('is refused when its root key is no key, and no other key may be public', async () => {
      await prepareKeys(keys, identity)
      placeKeys(keys, handover)
      const write = (name: string, kind: string, key: Uint8Array) =>
        writeFileSync(file(name), JSON.stringify({ version: 1, kind, public: Buffer.from(key).toString('base64url') }))
      write('root.key', 'root', new Uint8Array(32))
      await assert.rejects(openKeys(keys), has('FAILED'))
      write('root.key', 'root', identity)
      write('device.key', 'device', identity)
      await assert.rejects(openKeys(keys), has('FAILED'))
    })
  })

  it('notices every kind of damage, and says nothing of what is in the file', async () => {
    await createKeys(keys, { passphrase: 'p', scryptN })
    const good = new Map(readdirSync(keys).map((name) => [name, read(name)]))
    const flip = (name: string, field: string, value: unknown) =>
      writeFileSync(file(name), JSON.stringify({ ...JSON.parse(good.get(name)!), [field]: value }))
    const damages: (() => void)[] = [
      () => writeFileSync(file('root.key'), ''),
      () => writeFileSync(file('root.key'), good.get('root.key')!.slice(0, 50)),
      () => writeFileSync(file('root.key'), good.get('device.key')!), // one key in the other's place
      () => flip('device.key', 'kind', 'root'),
      () => flip('root.key', 'version', 2),
      () => flip('root.key', 'sealed', 'AAAA'),
      () => flip('root.key', 'sealed', Buffer.alloc(48).toString('base64url')),
      () => flip('root.key', 'extra', 1),
      () => flip('wrapping.key', 'n', 2 ** 30),
      () => flip('wrapping.key', 'n', 15),
      () => flip('wrapping.key', 'r', 2 ** 20),
      () => writeFileSync(file('wrapping.key'), good.get('root.key')!),
      () => rmSync(file('wrapping.key')),
      () => writeFileSync(file('peer.key'), 'x'.repeat(1e6)),
      () => (rmSync(file('peer.key')), mkdirSync(file('peer.key')))
    ]
    for (const damage of damages) {
      damage()
      await assert.rejects(
        openKeys(keys, { passphrase: 'p' }),
        (error) => has('FAILED')(error) && !(error as Error).message.includes(JSON.parse(good.get('root.key')!).sealed),
        String(damage)
      )
      for (const [name, content] of good) {
        rmSync(file(name), { recursive: true, force: true })
        writeFileSync(file(name), content)
      }
    }
  })

  it('never takes random content for a key', async () => {
    await createKeys(keys)
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (content) => {
        writeFileSync(file('root.key'), content)
        await assert.rejects(openKeys(keys), has('FAILED'))
      }),
      { numRuns: 50 }
    )
  })

  it('keeps the epoch beside the keys, and tells absence from damage', async () => {
    await createKeys(keys)
    assert.equal(readEpoch(keys), undefined)
    const epoch = new Uint8Array(16).fill(7)
    writeEpoch(keys, epoch)
    assert.deepEqual(readEpoch(keys), epoch)
    writeEpoch(keys, new Uint8Array(16).fill(8))
    assert.deepEqual(readEpoch(keys), new Uint8Array(16).fill(8))
    writeFileSync(file('epoch'), '')
    assert.equal(readEpoch(keys)?.length, 0)
    assert.throws(() => writeEpoch(keys, new Uint8Array(15)), RangeError)
    assert.deepEqual(readdirSync(keys).toSorted(), ['device.key', 'epoch', 'peer.key', 'root.key'])
  })
})
