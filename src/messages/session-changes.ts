// libsignal's stores, for one operation with one device: it reads from the tables, and what it writes is kept here until
// all of it is committed in one transaction, or none. Groups seal their posts otherwise, so there is no store of sender keys.
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
import type { Vault } from './vault.ts'

type Bytes = Uint8Array<ArrayBuffer>

export interface Self {
  identity: IdentityKeyPair
  registration: number
}

interface Options {
  signal: Libsignal
  statements: Statements
  vault: Vault
  self: Self
  address: DeviceAddress
}

export class SessionChanges
  implements SessionStore, IdentityKeyStore, PreKeyStore, SignedPreKeyStore, KyberPreKeyStore
{
  readonly #signal: Libsignal
  readonly #statements: Statements
  readonly #vault: Vault
  readonly #self: Self
  readonly #address: DeviceAddress
  #identity: Bytes | undefined
  #session: Bytes | undefined
  /** Whether a message was opened by the session that was here before. */
  readonly #wasHeard: boolean
  #isHeard = false
  #usedOnce: number | undefined
  #kyberUse: { kyber: number; signed: number; base: Bytes } | undefined

  constructor({ signal, statements, vault, self, address }: Options) {
    this.#signal = signal
    this.#statements = statements
    this.#vault = vault
    this.#self = self
    this.#address = address
    const row = statements.all('SELECT * FROM message_devices WHERE address = ?', address)[0]
    this.#identity = (row?.identity as Bytes | null | undefined) ?? undefined
    this.#session = this.#opened(row?.session as Bytes | null | undefined)
    this.#wasHeard = row?.heard === 1
  }

  /** Whether there is a session, usable or not. */
  get hasSession(): boolean {
    return this.#session !== undefined
  }

  /** Whether the other side has begun anew, although this side had heard it before. */
  get isRenewed(): boolean {
    return this.#wasHeard && this.#kyberUse !== undefined
  }

  /** Whether a message can be encrypted without a bundle. */
  canEncrypt(now: Date): boolean {
    return this.#session !== undefined && this.#signal.SessionRecord.deserialize(this.#session).hasCurrentState(now)
  }

  /** Something was opened. */
  noteHeard(): void {
    this.#isHeard = true
  }

  /** What comes later is begun anew; what is still under way is opened by what was. */
  archive(): void {
    if (this.#session === undefined) return
    const record = this.#signal.SessionRecord.deserialize(this.#session)
    record.archiveCurrentState()
    this.#session = record.serialize()
  }

  /**
   * Writes all that changed; call it in a durable transaction.
   * @throws MessageError UNREADABLE when another message has used the same prekey meanwhile
   */
  commit({ givenUpMs }: { givenUpMs?: number } = {}): void {
    const isHeard = givenUpMs === undefined && (this.#isHeard || (this.#wasHeard && this.#kyberUse === undefined))
    this.#statements.run(
      `INSERT INTO message_devices VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET
         identity = ?2, session = ?3, heard = ?4, given_up_ms = coalesce(?5, given_up_ms)`,
      ...[this.#address, this.#identity ?? null, this.#sealed(), isHeard ? 1 : 0, givenUpMs ?? null]
    )
    this.#usePrekeys()
  }

  #opened(sealed: Bytes | null | undefined): Bytes | undefined {
    const session = sealed instanceof Uint8Array ? this.#vault.open(sealed, this.#about()) : undefined
    return session === undefined ? undefined : new Uint8Array(session)
  }

  #sealed(): Uint8Array | null {
    return this.#session === undefined ? null : this.#vault.seal(this.#session, this.#about())
  }

  #about(): Uint8Array {
    return Buffer.from(`comrade/message/session/1\0${this.#address}`)
  }

  #usePrekeys(): void {
    const once = this.#usedOnce
    if (once !== undefined && this.#run("DELETE FROM message_prekeys WHERE kind = 'once' AND id = ?", once) === 0)
      throw missing('once', once)
    if (this.#kyberUse === undefined) return
    const { kyber, signed, base } = this.#kyberUse
    if (this.#run('INSERT OR IGNORE INTO message_kyber_uses VALUES (?, ?, ?)', kyber, signed, base) === 0)
      throw replayed()
  }

  #run(sql: string, ...values: (number | Bytes)[]): number {
    return this.#statements.run(sql, ...values)
  }

  // What follows is called by libsignal.

  async getSession(_name: ProtocolAddress): Promise<SessionRecord | null> {
    return this.#session === undefined ? null : this.#signal.SessionRecord.deserialize(this.#session)
  }

  async saveSession(_name: ProtocolAddress, record: SessionRecord): Promise<void> {
    this.#session = record.serialize()
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
    return this.#identity === undefined ? null : this.#signal.PublicKey.deserialize(this.#identity)
  }

  async saveIdentity(_name: ProtocolAddress, key: PublicKey): Promise<0 | 1> {
    this.#identity ??= key.serialize()
    return this.#signal.IdentityChange.NewOrUnchanged
  }

  /** Whoever comes first under an address keeps it: that the device is who it says was shown by the connection. */
  async isTrustedIdentity(_name: ProtocolAddress, key: PublicKey, _direction: Direction): Promise<boolean> {
    return this.#identity === undefined || Buffer.compare(this.#identity, key.serialize()) === 0
  }

  async getPreKey(id: number): Promise<PreKeyRecord> {
    return this.#signal.PreKeyRecord.deserialize(this.#record('once', id))
  }

  async removePreKey(id: number): Promise<void> {
    this.#usedOnce = id
  }

  async getSignedPreKey(id: number): Promise<SignedPreKeyRecord> {
    return this.#signal.SignedPreKeyRecord.deserialize(this.#record('signed', id))
  }

  async getKyberPreKey(id: number): Promise<KyberPreKeyRecord> {
    return this.#signal.KyberPreKeyRecord.deserialize(this.#record('kyber', id))
  }

  async markKyberPreKeyUsed(kyber: number, signed: number, base: PublicKey): Promise<void> {
    this.#kyberUse = { kyber, signed, base: base.serialize() }
    const sql = 'SELECT 1 FROM message_kyber_uses WHERE kyber = ? AND signed = ? AND base = ?'
    if (this.#statements.all(sql, kyber, signed, this.#kyberUse.base).length > 0) throw replayed()
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
