// libsignal's functions, each on one turn's changes, and its errors by our codes.
import type { ProtocolAddress } from '@signalapp/libsignal-client'
import { decodeBundle, DEVICE_ID } from './bundle.ts'
import type { Sealed } from './cell.ts'
import type { DeviceAddress } from './device-address.ts'
import { MessageError } from './errors.ts'
import type { Libsignal } from './libsignal.ts'
import type { SessionChanges } from './session-changes.ts'

/** libsignal's kinds of messages between two devices: later ones, and those that still carry what begins a session. */
const WHISPER = 2
const PREKEY = 3

export class SessionCipher {
  readonly #signal: Libsignal
  readonly #local: ProtocolAddress

  /** @param self this device */
  constructor(signal: Libsignal, self: DeviceAddress) {
    this.#signal = signal
    this.#local = signal.ProtocolAddress.new(self, DEVICE_ID)
  }

  /**
   * Begins a session, as if the other device had answered.
   * @throws MessageError BUNDLE, IDENTITY
   */
  async begin(
    changes: SessionChanges,
    to: DeviceAddress,
    { bundle, now }: { bundle: Uint8Array; now: Date }
  ): Promise<void> {
    const prekeys = decodeBundle(this.#signal, bundle)
    try {
      await this.#signal.processPreKeyBundle(prekeys, ...this.#between(to), changes, changes, now)
    } catch (error) {
      throw this.#named(error, 'BUNDLE')
    }
  }

  async seal(
    changes: SessionChanges,
    to: DeviceAddress,
    { plaintext, now }: { plaintext: Uint8Array; now: Date }
  ): Promise<Sealed> {
    const copy = new Uint8Array(plaintext)
    const message = await this.#signal.signalEncrypt(copy, ...this.#between(to), changes, changes, now)
    return { type: message.type(), bytes: message.serialize() }
  }

  /**
   * Reads the message's form; what it gives opens the message.
   * @throws MessageError UNREADABLE for what has no such form
   */
  opener(changes: SessionChanges, from: DeviceAddress, { type, bytes }: Sealed): () => Promise<Uint8Array> {
    const open = this.#formOf(changes, from, { type, bytes: new Uint8Array(bytes) })
    return async () => {
      try {
        return await open()
      } catch (error) {
        throw this.#named(error, 'UNREADABLE')
      }
    }
  }

  #formOf(
    changes: SessionChanges,
    from: DeviceAddress,
    { type, bytes }: { type: number; bytes: Uint8Array<ArrayBuffer> }
  ): () => Promise<Uint8Array> {
    const { PreKeySignalMessage, SignalMessage, signalDecrypt, signalDecryptPreKey } = this.#signal
    const between = this.#between(from)
    try {
      if (type === WHISPER) {
        const message = SignalMessage.deserialize(bytes)
        return () => signalDecrypt(message, ...between, changes, changes)
      }
      if (type === PREKEY) {
        const message = PreKeySignalMessage.deserialize(bytes)
        return () => signalDecryptPreKey(message, ...between, changes, changes, changes, changes, changes)
      }
    } catch (error) {
      throw this.#named(error, 'UNREADABLE')
    }
    throw new MessageError('UNREADABLE', `a message of kind ${type}: expected ${WHISPER} or ${PREKEY}`)
  }

  #between(other: DeviceAddress): readonly [ProtocolAddress, ProtocolAddress] {
    return [this.#signal.ProtocolAddress.new(other, DEVICE_ID), this.#local]
  }

  /** @param otherwise for errors that only have a text */
  #named(error: unknown, otherwise: 'BUNDLE' | 'UNREADABLE'): MessageError {
    if (error instanceof MessageError) return error
    const { ErrorCode, LibSignalErrorBase } = this.#signal
    if (!(error instanceof LibSignalErrorBase)) throw error
    if (error.code === ErrorCode.DuplicatedMessage)
      return new MessageError('DUPLICATE', 'this message was opened before', { cause: error })
    if (error.code === ErrorCode.UntrustedIdentity)
      return new MessageError(
        'IDENTITY',
        'this device comes with another libsignal identity than the one it is known by: meet it again, or forget it',
        { cause: error }
      )
    const what = otherwise === 'BUNDLE' ? 'this bundle begins no session' : 'no session opens this message'
    return new MessageError(otherwise, `${what}: ${error.message}`, { cause: error })
  }
}
