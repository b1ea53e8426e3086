// Devices that write to each other without a network: each with a store of its own and its sessions.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FeedStore, sha256 } from '../../src/feeds/index.ts'
import { type DeviceAddress, deviceAddress, type Sealed, Sessions } from '../../src/messages/index.ts'
import { Vault } from '../../src/node/vault.ts'
import { keyOf } from '../support/feeds.ts'

export const START_MS = Date.UTC(2026, 0, 1)

/** A device whose files are in a directory that goes with it. */
export class TestDevice implements AsyncDisposable {
  readonly address: DeviceAddress
  /** Of its vault. */
  readonly seed: Uint8Array
  directory = mkdtempSync(join(tmpdir(), 'comrade-sessions-'))
  /** Where the next write to the store fails: before it, within the transaction, or after it was committed. */
  fault: 'before' | 'within' | 'after' | undefined
  readonly heard: string[] = []
  readonly broken: DeviceAddress[] = []
  readonly renewed: DeviceAddress[] = []
  readonly refused: DeviceAddress[] = []
  nowMs = START_MS
  readonly #vault: Vault
  readonly #isInMemory: boolean
  readonly #directories: string[] = []
  store!: FeedStore
  sessions!: Sessions

  static async create(name: string, options: { isInMemory?: boolean } = {}): Promise<TestDevice> {
    const device = new TestDevice(name, options)
    await device.open()
    return device
  }

  constructor(name: string, { isInMemory = false }: { isInMemory?: boolean }) {
    this.#isInMemory = isInMemory
    this.address = deviceAddress(keyOf(name).publicKey)
    this.seed = sha256(Buffer.from(name))
    this.#vault = new Vault(this.seed)
  }

  get path(): string {
    return this.#isInMemory ? ':memory:' : join(this.directory, 'feeds.sqlite')
  }

  /** @param options.isRestored as the node notices it by the keys beside the database */
  async open({ isRestored = false } = {}): Promise<void> {
    this.store = FeedStore.open(this.path)
    if (isRestored) this.store.renewEpoch()
    await this.begin()
  }

  /** The sessions begin with what the store holds, as in a new process. */
  async begin(): Promise<void> {
    this.fault = undefined
    const { database, epoch } = this.store
    this.sessions = await Sessions.open({
      store: { database, epoch, write: (work, options) => this.#write(work, options) },
      vault: this.#vault,
      address: this.address,
      now: () => this.nowMs
    })
    this.sessions.events.on('broken', (address) => this.broken.push(address))
    this.sessions.events.on('renewed', (address) => this.renewed.push(address))
    this.sessions.events.on('refused', (address) => this.refused.push(address))
  }

  async close(): Promise<void> {
    await this.sessions.close()
    this.store.close()
  }

  /** Closes it and takes it up again. */
  async reopen(): Promise<void> {
    await this.close()
    await this.open()
  }

  /** Encrypts a text, with a bundle of the other device where there is no session. */
  async write(to: TestDevice, text: string): Promise<Sealed> {
    const bundle = this.sessions.has(to.address) ? undefined : to.sessions.bundle()
    return this.sessions.encrypt(to.address, Buffer.from(text), { bundle })
  }

  /** Opens what was sent, and keeps its text in `heard`. */
  async read(from: TestDevice, sealed: Sealed): Promise<string> {
    const text = await this.sessions.decrypt(from.address, sealed, (plaintext) => Buffer.from(plaintext).toString())
    this.heard.push(text)
    return text
  }

  /** All files as they are now, in a new directory. */
  copy(): string {
    const copy = mkdtempSync(join(tmpdir(), 'comrade-sessions-'))
    this.#directories.push(copy)
    cpSync(this.directory, copy, { recursive: true })
    return copy
  }

  /** Goes on with an earlier copy, which is used up by it. */
  async restore(copy: string, options: { isRestored: boolean }): Promise<void> {
    await this.close()
    this.#directories.push(this.directory)
    this.directory = copy
    await this.open(options)
  }

  /** The process ends here, and another one begins with what is in the files. */
  async crash(): Promise<void> {
    this.fault = undefined
    const copy = this.copy()
    await this.restore(copy, { isRestored: false })
  }

  /** All bytes of all files. */
  bytes(): Buffer {
    return Buffer.concat(readdirSync(this.directory).map((name) => readFileSync(join(this.directory, name))))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => {})
    for (const directory of [this.directory, ...this.#directories]) rmSync(directory, { recursive: true, force: true })
  }

  #write<T>(work: () => T, options?: { isDurable?: boolean }): T {
    const { fault } = this
    if (fault === 'before') throw new Error('fault')
    const result = this.store.write(() => {
      const done = work()
      if (fault === 'within') throw new Error('fault')
      return done
    }, options)
    if (fault === 'after') throw new Error('fault')
    return result
  }
}
