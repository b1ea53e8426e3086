// What is done when a session with a device broke, was made anew, or was refused: the user is told, and what could not be
// opened is sent again.
import { randomBytes } from 'node:crypto'
import type { FeedStore, Sentence } from '../../feeds/index.ts'
import {
  brokenDevices,
  type DeviceAddress,
  deviceAddress,
  newContent,
  type Outbox,
  refusedDevices,
  TRANSFER_SIZE
} from '../../messages/index.ts'
import type { People } from '../people.ts'
import { sayWarning } from '../sentences.ts'
import type { Crypt } from './crypt.ts'
import type { Dispatch } from './dispatch.ts'
import type { KnownDevices } from './known-devices.ts'
import { Paced } from './paced.ts'

/** How often all that waits for a device is sealed anew because it asks for that: it could have this one do nothing else, in ms. */
const RESEND_INTERVAL_MS = 1_000

export interface SessionRepairOptions {
  store: FeedStore
  people: People
  devices: KnownDevices
  outbox: Outbox
  crypt: () => Crypt
  dispatch: () => Dispatch
  onWarning: (code: 'SESSION_RENEWED' | 'SESSION_REFUSED', sentence: Sentence) => void
  onError: (error: unknown) => void
}

export class SessionRepair {
  readonly #options: SessionRepairOptions
  readonly #resends = new Paced({
    intervalMs: RESEND_INTERVAL_MS,
    work: (device) => this.#options.dispatch().sealAnew(device)
  })
  #isStarted = false

  constructor(options: SessionRepairOptions) {
    this.#options = options
  }

  start(): void {
    this.#isStarted = true
  }

  stop(): void {
    this.#isStarted = false
    this.#resends.stop()
  }

  /** A device has made a session anew; or ours with it is broken. */
  onAnew(address: DeviceAddress, isBroken: boolean): void {
    const { devices, onWarning } = this.#options
    const device = devices.byAddress(address)
    if (device === undefined || !this.#isStarted) return
    const code = isBroken ? 'warning.sessionBroken' : 'warning.sessionRenewed'
    onWarning('SESSION_RENEWED', sayWarning(code, { name: devices.nameOf(device) }))
    if (isBroken) this.askForMissing([device])
    else this.sendAgain(device)
  }

  /** A device came with another libsignal identity. */
  onRefused(address: DeviceAddress): void {
    const { devices, onWarning } = this.#options
    const device = devices.byAddress(address)
    if (device === undefined) return
    onWarning('SESSION_REFUSED', sayWarning('warning.sessionRefused', { name: devices.nameOf(device) }))
  }

  /** A person was met, perhaps again: a device that came with another libsignal identity is taken with that from now on. */
  onMet(person: Uint8Array): void {
    const { store, people, onError } = this.#options
    const refused = new Set(refusedDevices(store.database))
    for (const { device } of people.contacts.devicesOf(person))
      if (refused.has(deviceAddress(device))) this.#forget(device).catch(onError)
  }

  /** Where the session with a device was given up: until it is heard, it may not know that it has to send again. */
  askForMissing(asked: readonly Uint8Array[]): void {
    const { store, devices, dispatch } = this.#options
    const broken = new Set(brokenDevices(store.database))
    if (broken.size === 0) return
    for (const device of asked)
      if (broken.has(deviceAddress(device)) && devices.get(device) !== undefined)
        dispatch().pass(device, newContent({ type: 'resend' }))
  }

  /** A device could not open what it got. */
  sendAgain(device: Uint8Array): void {
    this.#resends.ask(device)
  }

  /** All sessions are gone. */
  sealAllAnew(): void {
    const { store, outbox } = this.#options
    store.write(() => {
      for (const device of outbox.devices()) outbox.unseal(device, () => randomBytes(TRANSFER_SIZE))
    })
  }

  async #forget(device: Uint8Array): Promise<void> {
    const { crypt, dispatch } = this.#options
    const { sessions } = await crypt().open()
    await sessions.forget(deviceAddress(device))
    dispatch().sealAnew(device)
  }
}
