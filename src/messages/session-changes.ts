// libsignal's stores, for operations with one device: they read from the tables, and what they write is kept here until
// all of it is committed in one transaction, or none. Groups seal their posts otherwise, so there is no store of sender keys.
import type { SQLInputValue } from 'node:sqlite'
import type {
  Direction,
  IdentityKeyPair,
  IdentityKeyStore,
  KyberPreKeyRecord,
  KyberPreKeyStore,
  PreKeyRecord,
  PreKeyStore,
  PrivateKey,
  ProtocolAddress,
  PublicKey,
  SessionRecord,
  SessionStore,
  SignedPreKeyRecord,
  SignedPreKeyStore
} from '@signalapp/libsignal-client'
import type { Statements } from '../trust/index.ts'
import type { DeviceAddress } from './device-address.ts'
import { MessageError } from './errors.ts'
import type { Libsignal } from './libsignal.ts'
import { type PrekeyKind, prekeyRecord } from './prekeys.ts'
import type { Work } from './turns.ts'
import type { Vault } from './vault.ts'

type Bytes = Uint8Array<ArrayBuffer>

export interface Self {
  identity: IdentityKeyPair
  registration: number
}

interface KyberUse {
  kyber: number
  signed: number
  base: Bytes
}

/** All that operations change. It is replaced, never changed itself: to go back is to put an earlier one in its place. */
interface State {
  identity: Bytes | undefined
  /** Is not changed in place. */
  session: SessionRecord | undefined
  /** Whether a message was opened in this session. */
  isHeard: boolean
  givenUpMs: number | undefined
  usedOnce: readonly number[]
  kyberUses: readonly KyberUse[]
  events: readonly ('broken' | 'renewed')[]
}

interface Options {
  signal: Libsignal
  statements: Statements
  vault: Vault
  self: Self
  address: DeviceAddress
  /** Called after the commit. */
  onEvent: (event: 'broken' | 'renewed') => void
}

export class SessionChanges
  implements Work, SessionStore, IdentityKeyStore, PreKeyStore, SignedPreKeyStore, KyberPreKeyStore
{
  readonly #signal: Libsignal
  readonly #statements: Statements
  readonly #vault: Vault
  readonly #self: Self
  readonly #address: DeviceAddress
  readonly #onEvent: Options['onEvent']
  readonly #before: State
  #state: State

  constructor({ signal, statements, vault, self, address, onEvent }: Options) {
    this.#signal = signal
    this.#statements = statements
    this.#vault = vault
    this.#self = self
    this.#address = address
    this.#onEvent = onEvent
    this.#before = this.#load()
    this.#state = this.#before
  }

  /** When a session with this device was last given up, Unix ms. */
  get givenUpMs(): number | undefined {
    return this.#state.givenUpMs
  }

  /** Whether a message can be encrypted without a bundle. */
  canEncrypt(now: Date): boolean {
    const { session } = this.#state
    return session !== undefined && session.hasCurrentState(now)
  }

  /** Runs work that changes nothing when it throws. */
  async attempt<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#state
    try {
      return await work()
    } catch (error) {
      this.#state = before
      throw error
    }
  }

  /** Opens a message; says so when the other side has begun anew, although this side had heard it before. */
  async open(decrypt: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const { isHeard, kyberUses, events } = this.#state
    const plaintext = await decrypt()
    const isRenewed = isHeard && this.#state.kyberUses.length > kyberUses.length
    this.#change({ isHeard: true, events: isRenewed ? [...events, 'renewed'] : events })
    return plaintext
  }

  /** What comes later is begun anew; what is still under way is opened by what was. */
  giveUp(nowMs: number): void {
    this.#change({ session: this.#archived(), isHeard: false, givenUpMs: nowMs })
  }

  /** The user is to hear that the session was given up since it did not open any more. */
  noteBroken(): void {
    this.#change({ events: [...this.#state.events, 'broken'] })
  }

  /** Nothing was ever known of the device. */
  forget(): void {
    this.#change({ identity: undefined, session: undefined, isHeard: false, givenUpMs: undefined })
  }

  /**
   * Writes all that changed; call it in a durable transaction.
   * @throws MessageError UNREADABLE when another message has used the same prekey meanwhile
   */
  commit(): void {
    if (this.#state === this.#before) return
    const { identity, session, isHeard, givenUpMs } = this.#state
    if (identity === undefined && session === undefined && givenUpMs === undefined)
      this.#run('DELETE FROM message_devices WHERE address = ?', this.#address)
    else
      this.#run(
        'INSERT OR REPLACE INTO message_devices VALUES (?, ?, ?, ?, ?)',
        ...[this.#address, identity ?? null, this.#sealed(session), isHeard ? 1 : 0, givenUpMs ?? null]
      )
    this.#usePrekeys()
  }

  finish(): void {
    for (const event of this.#state.events) this.#onEvent(event)
  }

  #load(): State {
    const row = this.#statements.all('SELECT * FROM message_devices WHERE address = ?', this.#address)[0]
    return {
      identity: (row?.identity as Bytes | null | undefined) ?? undefined,
      session: this.#opened(row?.session as Bytes | null | undefined),
      isHeard: row?.heard === 1,
      givenUpMs: (row?.given_up_ms as number | null | undefined) ?? undefined,
      usedOnce: [],
      kyberUses: [],
      events: []
    }
  }

  #change(changes: Partial<State>): void {
    this.#state = { ...this.#state, ...changes }
  }

  #archived(): SessionRecord | undefined {
    const { session } = this.#state
    if (session === undefined) return undefined
    const copy = this.#signal.SessionRecord.deserialize(session.serialize())
    copy.archiveCurrentState()
    return copy
  }

  #opened(sealed: Bytes | null | undefined): SessionRecord | undefined {
    const session = sealed instanceof Uint8Array ? this.#vault.open(sealed, this.#about()) : undefined
    return session === undefined ? undefined : this.#signal.SessionRecord.deserialize(new Uint8Array(session))
  }

  #sealed(session: SessionRecord | undefined): Uint8Array | null {
    return session === undefined ? null : this.#vault.seal(session.serialize(), this.#about())
  }

  #about(): Uint8Array {
    return Buffer.from(`comrade/message/session/1\0${this.#address}`)
  }

  #usePrekeys(): void {
    for (const once of this.#state.usedOnce)
      if (this.#run("DELETE FROM message_prekeys WHERE kind = 'once' AND id = ?", once) === 0)
        throw missing('once', once)
    for (const { kyber, signed, base } of this.#state.kyberUses)
      if (this.#run('INSERT OR IGNORE INTO message_kyber_uses VALUES (?, ?, ?)', kyber, signed, base) === 0)
        throw replayed()
  }

  #run(sql: string, ...values: SQLInputValue[]): number {
    return this.#statements.run(sql, ...values)
  }

  // What follows is called by libsignal.

  async getSession(_name: ProtocolAddress): Promise<SessionRecord | null> {
    return this.#state.session ?? null
  }

  async saveSession(_name: ProtocolAddress, record: SessionRecord): Promise<void> {
    this.#change({ session: record })
  }

  async getExistingSessions(names: ProtocolAddress[]): Promise<SessionRecord[]> {
    const session = names.length === 1 ? await this.getSession(names[0]) : null
    return session === null ? [] : [session]
  }

  async getIdentityKey(): Promise<PrivateKey> {
    return this.#self.identity.privateKey
  }

  async getIdentityKeyPair(): Promise<IdentityKeyPair> {
    return this.#self.identity
  }

  async getLocalRegistrationId(): Promise<number> {
    return this.#self.registration
  }

  async getIdentity(_name: ProtocolAddress): Promise<PublicKey | null> {
    const { identity } = this.#state
    return identity === undefined ? null : this.#signal.PublicKey.deserialize(identity)
  }

  async saveIdentity(_name: ProtocolAddress, key: PublicKey): Promise<0 | 1> {
    if (this.#state.identity === undefined) this.#change({ identity: key.serialize() })
    return this.#signal.IdentityChange.NewOrUnchanged
  }

  /** Whoever comes first under an address keeps it: that the device is who it says was shown by the connection. */
  async isTrustedIdentity(_name: ProtocolAddress, key: PublicKey, _direction: Direction): Promise<boolean> {
    const { identity } = this.#state
    return identity === undefined || Buffer.compare(identity, key.serialize()) === 0
  }

  async getPreKey(id: number): Promise<PreKeyRecord> {
    if (this.#state.usedOnce.includes(id)) throw missing('once', id)
    return this.#signal.PreKeyRecord.deserialize(this.#record('once', id))
  }

  async removePreKey(id: number): Promise<void> {
    this.#change({ usedOnce: [...this.#state.usedOnce, id] })
  }

  async getSignedPreKey(id: number): Promise<SignedPreKeyRecord> {
    return this.#signal.SignedPreKeyRecord.deserialize(this.#record('signed', id))
  }

  async getKyberPreKey(id: number): Promise<KyberPreKeyRecord> {
    return this.#signal.KyberPreKeyRecord.deserialize(this.#record('kyber', id))
  }

  async markKyberPreKeyUsed(kyber: number, signed: number, base: PublicKey): Promise<void> {
    const use = { kyber, signed, base: base.serialize() }
    const sql = 'SELECT 1 FROM message_kyber_uses WHERE kyber = ? AND signed = ? AND base = ?'
    if (this.#statements.all(sql, kyber, signed, use.base).length > 0) throw replayed()
    this.#change({ kyberUses: [...this.#state.kyberUses, use] })
  }

  // Prekeys are made and written by prekeys.ts; libsignal itself only reads and uses them up.

  async savePreKey(id: number): Promise<void> {
    throw missing('once', id)
  }

  async saveSignedPreKey(id: number): Promise<void> {
    throw missing('signed', id)
  }

  async saveKyberPreKey(id: number): Promise<void> {
    throw missing('kyber', id)
  }

  #record(kind: PrekeyKind, id: number): Bytes {
    const record = prekeyRecord({ statements: this.#statements, vault: this.#vault }, kind, id)
    if (record === undefined) throw missing(kind, id)
    return record
  }
}

function missing(kind: PrekeyKind, id: number): MessageError {
  return new MessageError('UNREADABLE', `this device has no prekey ${kind} ${id}: it was used, or was too old`)
}

function replayed(): MessageError {
  return new MessageError('UNREADABLE', 'a first message was sent a second time')
}
