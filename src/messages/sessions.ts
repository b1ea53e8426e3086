// Sessions with single devices: PQXDH, then libsignal's double ratchet and post-quantum ratchet. A new state is on the
// disk before anybody sees what it was made for: what is sent, or what was opened.
import { EventEmitter } from 'node:events'
import { type FeedStore, migrate, type Turn } from '../feeds/index.ts'
import { Statements } from '../trust/index.ts'
import { encodeBundle } from './bundle.ts'
import type { Sealed } from './cell.ts'
import type { DeviceAddress } from './device-address.ts'
import { MessageError } from './errors.ts'
import { type Libsignal, loadLibsignal } from './libsignal.ts'
import { makePrekeys } from './prekey-maker.ts'
import { deleteOldPrekeys, handOut, hasOldPrekeys, keepPrekeys, missingPrekeys } from './prekeys.ts'
import { register } from './registration.ts'
import { MESSAGE_MIGRATIONS } from './schema.ts'
import { type Self, SessionChanges, type SessionEvent } from './session-changes.ts'
import { SessionCipher } from './session-cipher.ts'
import { SessionTable } from './session-table.ts'
import { type Operation, Turns } from './turns.ts'
import type { Vault } from './vault.ts'
import { Wiping } from './wiping.ts'

/** Largest plaintext and largest sealed message, in bytes: more than any cell holds. */
export const MAX_SEALED_SIZE = 65_536
/** Messages in a row that a session does not open before it is given up: one alone may only have come very late. */
export const FAILURES_UNTIL_GIVEN_UP = 3
/** A session with one device is given up at most this often, whatever that device sends. */
export const GIVE_UP_INTERVAL_MS = 3_600_000
/** One in which nothing was heard yet: what it was begun with may have been lost at the other side too. */
export const BROKEN_INTERVAL_MS = 60_000
/** How often it is looked whether prekeys have become too old. */
const UPKEEP_INTERVAL_MS = 6 * 3_600_000
export interface SessionsOptions {
  /** The node's store: its tables are added. Its epoch tells when it is an older copy. */
  store: Pick<FeedStore, 'database' | 'write' | 'epoch'>
  vault: Vault
  /** Of this device. */
  address: DeviceAddress
  /** Unix ms. @default Date.now */
  now?: () => number
  /** Lets others have their turn, together with what else is done in bulk. @default one of its own */
  turn?: Turn
}

export interface SessionEvents {
  /** The session with this device does not open any more and was given up: it is to be sent something, with its new bundle. */
  broken: [DeviceAddress]
  /** This device has begun a new session, because it lost the one that there was or gave it up. */
  renewed: [DeviceAddress]
  /** This device comes with another libsignal identity than it is known by: its owner is to be met again. */
  refused: [DeviceAddress]
}

export class Sessions {
  readonly events = new EventEmitter<SessionEvents>()
  /** Whether this opening has dropped all sessions, since the database was an older copy or another device's. */
  readonly isAnew: boolean
  readonly #signal: Libsignal
  readonly #statements: Statements
  readonly #vault: Vault
  readonly #wiping: Wiping
  readonly #now: () => number
  readonly #self: Self
  readonly #cipher: SessionCipher
  readonly #table: SessionTable
  readonly #turns: Turns<SessionChanges>
  readonly #failures = new Map<DeviceAddress, number>()
  readonly #upkeep: NodeJS.Timeout
  #isOpen = true

  /**
   * Loads libsignal, and this device's keys or makes them.
   * @throws MessageError UNAVAILABLE where libsignal cannot be loaded; FeedError DISK_FULL
   */
  static async open(options: SessionsOptions): Promise<Sessions> {
    return new Sessions(await loadLibsignal(), options)
  }

  private constructor(signal: Libsignal, { store, vault, address, now = Date.now, turn }: SessionsOptions) {
    migrate(store.database, 'messages', MESSAGE_MIGRATIONS)
    this.#signal = signal
    this.#statements = new Statements(store.database)
    this.#vault = vault
    this.#wiping = new Wiping(store)
    this.#now = now
    this.#cipher = new SessionCipher(signal, address)
    this.#table = new SessionTable({ signal, statements: this.#statements, vault })
    const place = { vault, address, epoch: store.epoch }
    const { id, secret, isAnew } = this.#wiping.write(() => register(this.#statements, place))
    const key = signal.PrivateKey.deserialize(secret)
    this.#self = { identity: new signal.IdentityKeyPair(key.getPublicKey(), key), registration: id }
    this.isAnew = isAnew
    this.#turns = new Turns({ load: (of) => this.#changes(of), write: (work) => this.#wiping.write(work), turn })
    this.#upkeep = setInterval(() => this.#tryUpkeep(), UPKEEP_INTERVAL_MS).unref()
    this.#tryUpkeep()
  }

  /** Waits for what is under way, and wipes what was deleted. The store stays open. */
  async close(): Promise<void> {
    this.#isOpen = false
    clearInterval(this.#upkeep)
    await this.#turns.settled()
    this.#wiping.flush()
  }

  /**
   * What another device needs in order to write to this one first. For one device: it has a prekey that serves once.
   * @returns canonical DAG-CBOR: README.md, Bundles
   * @throws FeedError DISK_FULL
   */
  bundle(): Uint8Array {
    this.#checkOpen()
    const { identity, registration } = this.#self
    const tables = { statements: this.#statements, vault: this.#vault, nowMs: this.#now() }
    const prekeys = this.#wiping.write(() => {
      const order = {
        identity: identity.privateKey.serialize(),
        nowMs: tables.nowMs,
        wanted: missingPrekeys(tables, 1)
      }
      keepPrekeys(tables, makePrekeys(this.#signal, order))
      return handOut(tables)
    })
    return encodeBundle({ v: 1, registration, identity: identity.publicKey.serialize(), ...prekeys! })
  }

  /** Whether something can be encrypted for this device without its bundle. */
  has(address: DeviceAddress): boolean {
    return this.#changes(address).canEncrypt(new Date(this.#now()))
  }

  /**
   * Encrypts for one device. What comes back can be sent any number of times and is opened once.
   * @param options.bundle of that device; used only where there is no session
   * @throws MessageError NO_SESSION without session and bundle, BUNDLE, IDENTITY, SIZE; FeedError DISK_FULL
   */
  encrypt(to: DeviceAddress, plaintext: Uint8Array, { bundle }: { bundle?: Uint8Array } = {}): Promise<Sealed> {
    return this.#inTurn(to, (changes) => ({
      compute: () => {
        changes.setProven(true)
        return noteRefusal(changes, () => changes.attempt(() => this.#seal(changes, to, { plaintext, bundle })))
      },
      keep: (sealed: Sealed) => sealed
    }))
  }

  /**
   * Opens what a device has sent. The session's new state, and what `accept` writes to the store, are kept together or not
   * at all.
   * @param from the device that the channel says it comes from
   * @param options.isProven whether the channel has shown so: else only what is known already of the device counts @default true
   * @param accept called in the transaction, synchronously; where it throws, the message can be opened again. Does nothing
   * but write to the store: it is called once more where what was written together with it failed
   * @throws MessageError DUPLICATE, UNREADABLE, IDENTITY, SIZE; FeedError DISK_FULL; what `accept` throws
   */
  decrypt<T>(
    from: DeviceAddress,
    sealed: Sealed,
    accept: (plaintext: Uint8Array) => T,
    { isProven = true }: { isProven?: boolean } = {}
  ): Promise<T> {
    return this.#inTurn(from, (changes) => ({
      compute: () => {
        changes.setProven(isProven)
        return noteRefusal(changes, () => this.#openSealed(changes, from, sealed))
      },
      keep: (plaintext: Uint8Array) => accept(plaintext)
    }))
  }

  /** Gives the session up: the next message needs a bundle. What is still under way from there is opened all the same. */
  reset(address: DeviceAddress): Promise<void> {
    return this.#inTurn(address, (changes) => ({
      compute: async () => changes.giveUp(this.#now()),
      keep: () => {}
    }))
  }

  /** Deletes all that is known of a device, who it is too: whoever comes next under its address is taken for it. */
  forget(address: DeviceAddress): Promise<void> {
    this.#failures.delete(address)
    return this.#inTurn(address, (changes) => ({ compute: async () => changes.forget(), keep: () => {} }))
  }

  /** Where it fails, since the disk is full, it is tried again. */
  #tryUpkeep(): void {
    try {
      if (hasOldPrekeys(this.#statements, this.#now()))
        this.#wiping.write(() => deleteOldPrekeys(this.#statements, this.#now()))
    } catch {
      return
    }
  }

  #changes(address: DeviceAddress): SessionChanges {
    // Not while others wait for what was written.
    const onEvent = (event: SessionEvent): void => queueMicrotask(() => this.events.emit(event, address))
    return new SessionChanges({ signal: this.#signal, table: this.#table, self: this.#self, address, onEvent })
  }

  async #inTurn<Value, Result>(
    address: DeviceAddress,
    begin: (changes: SessionChanges) => Operation<Value, Result>
  ): Promise<Result> {
    this.#checkOpen()
    return this.#turns.run(address, begin)
  }

  async #seal(
    changes: SessionChanges,
    to: DeviceAddress,
    { plaintext, bundle }: { plaintext: Uint8Array; bundle: Uint8Array | undefined }
  ): Promise<Sealed> {
    checkSize(plaintext)
    const now = new Date(this.#now())
    if (!changes.canEncrypt(now)) {
      if (bundle === undefined)
        throw new MessageError('NO_SESSION', 'there is no session with this device: its prekey bundle is needed')
      await this.#cipher.begin(changes, to, { bundle, now })
    }
    return this.#cipher.seal(changes, to, { plaintext, now })
  }

  async #openSealed(changes: SessionChanges, from: DeviceAddress, sealed: Sealed): Promise<Uint8Array> {
    checkSize(sealed.bytes)
    const open = this.#cipher.opener(changes, from, sealed) // what has no form says nothing about the session
    try {
      const plaintext = await changes.attempt(() => changes.open(open))
      this.#failures.delete(from)
      return plaintext
    } catch (error) {
      if (error instanceof MessageError && error.code === 'UNREADABLE') this.#noteFailure(changes, from)
      throw error
    }
  }

  /** A session that opens nothing any more is given up; so is one that is not there, of which the sender cannot know. */
  #noteFailure(changes: SessionChanges, from: DeviceAddress): void {
    const failures = (this.#failures.get(from) ?? 0) + 1
    this.#failures.set(from, failures)
    const now = this.#now()
    const isUsable = changes.canEncrypt(new Date(now))
    if (isUsable && failures < FAILURES_UNTIL_GIVEN_UP) return
    const { givenUpMs = -Infinity } = changes
    const intervalMs = isUsable && changes.isHeard ? GIVE_UP_INTERVAL_MS : BROKEN_INTERVAL_MS
    if (Math.abs(now - givenUpMs) < intervalMs) return
    this.#failures.delete(from)
    changes.giveUp(now)
    changes.noteBroken()
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new MessageError('CLOSED', 'the sessions are closed')
  }
}

async function noteRefusal<T>(changes: SessionChanges, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof MessageError && error.code === 'IDENTITY') changes.noteRefused()
    throw error
  }
}

function checkSize({ length }: Uint8Array): void {
  if (length > MAX_SEALED_SIZE)
    throw new MessageError('SIZE', `${length} bytes: at most ${MAX_SEALED_SIZE} can be sealed as one message`)
}
