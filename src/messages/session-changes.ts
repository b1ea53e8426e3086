// libsignal's stores, for operations with one device: they read from the tables, and what they write is kept here until
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
import type { DeviceAddress } from './device-address.ts'
import type { Libsignal } from './libsignal.ts'
import { missingPrekey, type SessionState, type SessionTable } from './session-table.ts'
import type { Work } from './turns.ts'

export interface Self {
  identity: IdentityKeyPair
  registration: number
}

export type SessionEvent = 'broken' | 'renewed' | 'refused'

interface Options {
  signal: Libsignal
  table: SessionTable
  self: Self
  address: DeviceAddress
  /** Called after the commit. */
  onEvent: (event: SessionEvent) => void
}

export class SessionChanges
  implements Work, SessionStore, IdentityKeyStore, PreKeyStore, SignedPreKeyStore, KyberPreKeyStore
{
  readonly #signal: Libsignal
  readonly #table: SessionTable
  readonly #self: Self
  readonly #address: DeviceAddress
  readonly #onEvent: Options['onEvent']
  readonly #before: SessionState
  #isProven = true
  /** To go back is to put an earlier one in its place. */
  #state: SessionState
  #events: SessionEvent[] = []

  constructor({ signal, table, self, address, onEvent }: Options) {
    this.#signal = signal
    this.#table = table
    this.#self = self
    this.#address = address
    this.#onEvent = onEvent
    this.#before = table.load(address)
    this.#state = this.#before
  }

  /** When a session with this device was last given up, Unix ms. */
  get givenUpMs(): number | undefined {
    return this.#state.givenUpMs
  }

  /** Whether a message was opened in the session that there is. */
  get isHeard(): boolean {
    return this.#state.isHeard
  }

  /** Whether a message can be encrypted without a bundle. */
  canEncrypt(now: Date): boolean {
    const { session } = this.#state
    return session !== undefined && session.hasCurrentState(now)
  }

  /** What follows came over a channel that does not show that it is from this device, or over one that does. */
  setProven(isProven: boolean): void {
    this.#isProven = isProven
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
    const { isHeard, kyberUses } = this.#state
    const plaintext = await decrypt()
    if (isHeard && this.#state.kyberUses.length > kyberUses.length) this.#events.push('renewed')
    this.#change({ isHeard: true, isRefused: false })
    return plaintext
  }

  /** What comes later is begun anew; what is still under way is opened by what was. */
  giveUp(nowMs: number): void {
    this.#change({ session: this.#archived(), isHeard: false, givenUpMs: nowMs })
  }

  /** The user is to hear that the session was given up since it did not open any more. */
  noteBroken(): void {
    this.#events.push('broken')
  }

  /** The device has come with another identity than the one that it is known by. */
  noteRefused(): void {
    if (this.#state.isRefused || !this.#isProven) return // it may be of somebody else
    this.#change({ isRefused: true })
    this.#events.push('refused')
  }

  /** Nothing was ever known of the device. */
  forget(): void {
    this.#change({ identity: undefined, session: undefined, isHeard: false, givenUpMs: undefined, isRefused: false })
  }

  /**
   * Writes all that changed; call it in a durable transaction.
   * @throws MessageError UNREADABLE when another message has used the same prekey meanwhile
   */
  commit(): void {
    if (this.#state !== this.#before) this.#table.save(this.#address, this.#state)
  }

  finish(): void {
    for (const event of this.#events) this.#onEvent(event)
  }

  #change(changes: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...changes }
  }

  #archived(): SessionRecord | undefined {
    const { session } = this.#state
    if (session === undefined) return undefined
    const copy = this.#signal.SessionRecord.deserialize(session.serialize())
    copy.archiveCurrentState()
    return copy
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

  /** Whoever comes first under an address keeps it, where the connection has shown that it is the device that it says. */
  async isTrustedIdentity(_name: ProtocolAddress, key: PublicKey, _direction: Direction): Promise<boolean> {
    const { identity } = this.#state
    return identity === undefined ? this.#isProven : Buffer.compare(identity, key.serialize()) === 0
  }

  async getPreKey(id: number): Promise<PreKeyRecord> {
    if (this.#state.usedOnce.includes(id)) throw missingPrekey('once', id)
    return this.#signal.PreKeyRecord.deserialize(this.#table.prekey('once', id))
  }

  async removePreKey(id: number): Promise<void> {
    this.#change({ usedOnce: [...this.#state.usedOnce, id] })
  }

  async getSignedPreKey(id: number): Promise<SignedPreKeyRecord> {
    return this.#signal.SignedPreKeyRecord.deserialize(this.#table.prekey('signed', id))
  }

  async getKyberPreKey(id: number): Promise<KyberPreKeyRecord> {
    return this.#signal.KyberPreKeyRecord.deserialize(this.#table.prekey('kyber', id))
  }

  async markKyberPreKeyUsed(kyber: number, signed: number, base: PublicKey): Promise<void> {
    const use = { kyber, signed, base: base.serialize() }
    this.#table.checkUse(this.#address, use)
    this.#change({ kyberUses: [...this.#state.kyberUses, use] })
  }

  // Prekeys are made and written by prekeys.ts; libsignal itself only reads and uses them up.

  async savePreKey(id: number): Promise<void> {
    throw missingPrekey('once', id)
  }

  async saveSignedPreKey(id: number): Promise<void> {
    throw missingPrekey('signed', id)
  }

  async saveKyberPreKey(id: number): Promise<void> {
    throw missingPrekey('kyber', id)
  }
}
