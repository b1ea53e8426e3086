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
  readonly directory = mkdtempSync(join(tmpdir(), 'comrade-sessions-'))
  readonly heard: string[] = []
  readonly broken: DeviceAddress[] = []
  readonly renewed: DeviceAddress[] = []
  nowMs = START_MS
  readonly #vault: Vault
  store!: FeedStore
  sessions!: Sessions

  static async create(name: string): Promise<TestDevice> {
    const device = new TestDevice(name)
    await device.open()
    return device
  }

  constructor(name: string) {
    this.address = deviceAddress(keyOf(name).publicKey)
    this.#vault = new Vault(sha256(Buffer.from(name)))
  }

  get path(): string {
    return join(this.directory, 'feeds.sqlite')
  }

  async open({ isRestored = false } = {}): Promise<void> {
    this.store = FeedStore.open(this.path)
    if (isRestored) this.store.renewEpoch()
    this.sessions = await Sessions.open({
      store: this.store,
      vault: this.#vault,
      address: this.address,
      now: () => this.nowMs
    })
    this.sessions.events.on('broken', (address) => this.broken.push(address))
    this.sessions.events.on('renewed', (address) => this.renewed.push(address))
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

  /** What a thief who takes the disk now finds: all files, as a new directory beside it. */
  copy(): string {
    const copy = mkdtempSync(join(tmpdir(), 'comrade-sessions-'))
    cpSync(this.directory, copy, { recursive: true })
    return copy
  }

  /** All bytes of all files. */
  bytes(): Buffer {
    return Buffer.concat(readdirSync(this.directory).map((name) => readFileSync(join(this.directory, name))))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => {})
    rmSync(this.directory, { recursive: true, force: true })
  }
}
