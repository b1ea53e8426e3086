// Runs `/comrade/hello/1` on every connection and keeps what the peers claimed, so that a device can be recognised also
// later, when the user comes to know its key. The exchange itself and its rules are in hello.ts.
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import type { SigningKey } from '../feeds/index.ts'
import {
  CLAIM_SIZE,
  NONCE_SIZE,
  decodeClaim,
  findClaimant,
  generateNonce,
  makeClaim,
  type Claim,
  type HelloSide,
  type Role
} from './hello.ts'

export const HELLO_PROTOCOL = '/comrade/hello/1'
/** The whole exchange. */
const HELLO_TIMEOUT_MS = 5_000

/** A device was recognised at the other end of a connection. */
export interface Recognised {
  peerId: PeerId
  /** 32 bytes. */
  deviceKey: Uint8Array
  connection: Connection
}

interface Acquaintance {
  connection: Connection
  claim: Claim
  deviceKey?: Uint8Array
}

export interface HelloOptions {
  libp2p: Libp2p
  deviceKey: SigningKey
  onRecognised?(recognised: Recognised): void
  /** Device keys that this peer may have, looked at before all others. @default none */
  likely?(peerId: PeerId): Iterable<Uint8Array>
  /** @default 5_000 */
  timeoutMs?: number
}

export class HelloService {
  readonly #libp2p: Libp2p
  #deviceKey: SigningKey
  readonly #onRecognised: (recognised: Recognised) => void
  readonly #likely: (peerId: PeerId) => Iterable<Uint8Array>
  readonly #timeoutMs: number
  /** By connection id; a connection without a claim is there while its exchange is underway. */
  readonly #claims = new Map<string, Acquaintance | 'underway'>()
  #known = new Map<string, Uint8Array>()
  #stopping = new AbortController()
  /** Exchanges that failed: time ran out, bytes were missing or too many, a second stream was opened. */
  failures = 0

  constructor({
    libp2p,
    deviceKey,
    onRecognised = () => {},
    likely = () => [],
    timeoutMs = HELLO_TIMEOUT_MS
  }: HelloOptions) {
    this.#libp2p = libp2p
    this.#deviceKey = deviceKey
    this.#onRecognised = onRecognised
    this.#likely = likely
    this.#timeoutMs = timeoutMs
  }

  /** Claims to be this device on connections that are made from now on. */
  setDeviceKey(deviceKey: SigningKey): void {
    this.#deviceKey = deviceKey
  }

  /** Start it before the node is started, or connections made in between stay without an exchange. */
  async start(): Promise<void> {
    this.#stopping = new AbortController()
    await this.#libp2p.handle(HELLO_PROTOCOL, (stream, connection) => this.#answer(stream, connection), {
      maxInboundStreams: 1,
      maxOutboundStreams: 1,
      runOnLimitedConnection: true
    })
    this.#libp2p.addEventListener('connection:open', this.#onOpen)
    this.#libp2p.addEventListener('connection:close', this.#onClose)
  }

  async stop(): Promise<void> {
    this.#libp2p.removeEventListener('connection:open', this.#onOpen)
    this.#libp2p.removeEventListener('connection:close', this.#onClose)
    this.#stopping.abort(new Error('the node is stopping'))
    this.#claims.clear()
    await this.#libp2p.unhandle(HELLO_PROTOCOL)
  }

  /**
   * Gives the device keys that are known now, all of them (32 bytes each). Open connections are looked at again: who is
   * known newly is recognised, who is no longer known is forgotten.
   */
  recognise(knownDeviceKeys: Iterable<Uint8Array>): void {
    const before = this.#known
    this.#known = new Map([...knownDeviceKeys].map((key) => [keyName(key), key]))
    const added = [...this.#known].filter(([name]) => !before.has(name)).map(([, key]) => key)
    for (const acquaintance of this.#acquaintances()) {
      if (acquaintance.deviceKey !== undefined && !this.#known.has(keyName(acquaintance.deviceKey)))
        acquaintance.deviceKey = undefined
      if (acquaintance.deviceKey === undefined) this.#tryToRecognise(acquaintance, added)
    }
  }

  /** The device at the other end of an open connection with this peer, if it is known. */
  deviceOf(peerId: PeerId): Uint8Array | undefined {
    for (const { connection, deviceKey } of this.#acquaintances()) {
      if (deviceKey !== undefined && connection.remotePeer.equals(peerId)) return deviceKey
    }
    return undefined
  }

  #acquaintances(): Acquaintance[] {
    return [...this.#claims.values()].filter((acquaintance) => acquaintance !== 'underway')
  }

  #onOpen = ({ detail: connection }: CustomEvent<Connection>): void => {
    if (connection.direction === 'outbound') void this.#greet(connection)
  }

  #onClose = ({ detail: connection }: CustomEvent<Connection>): void => {
    this.#claims.delete(connection.id)
  }

  async #greet(connection: Connection): Promise<void> {
    const signal = this.#timeLimit()
    this.#claims.set(connection.id, 'underway')
    try {
      const stream = await connection.newStream(HELLO_PROTOCOL, { signal, runOnLimitedConnection: true })
      await this.#exchange(stream, connection, 'dialer', signal)
    } catch {
      this.#fail(connection) // the peer speaks no hello, or went away
    }
  }

  async #answer(stream: Stream, connection: Connection): Promise<void> {
    if (connection.direction === 'outbound' || this.#claims.has(connection.id)) {
      this.failures++
      return stream.abort(new Error('one hello a connection, begun by who dialled'))
    }
    this.#claims.set(connection.id, 'underway')
    await this.#exchange(stream, connection, 'listener', this.#timeLimit())
  }

  async #exchange(stream: Stream, connection: Connection, role: Role, signal: AbortSignal): Promise<void> {
    try {
      const claim = await exchangeClaims(
        stream,
        this.#deviceKey,
        { role, own: this.#libp2p.peerId, remote: connection.remotePeer },
        signal
      )
      await stream.close({ signal })
      this.#keep(connection, claim)
    } catch (error) {
      stream.abort(error as Error)
      this.#fail(connection)
    }
  }

  #keep(connection: Connection, claim: Claim): void {
    if (connection.status !== 'open' || this.#stopping.signal.aborted) return
    const acquaintance = { connection, claim }
    this.#claims.set(connection.id, acquaintance)
    const likely = [...this.#likely(connection.remotePeer)].filter((key) => this.#known.has(keyName(key)))
    this.#tryToRecognise(acquaintance, [...likely, ...this.#known.values()])
  }

  /** 'underway' stays: on this connection there is no second try. */
  #fail(connection: Connection): void {
    if (!this.#stopping.signal.aborted) this.failures++
    if (connection.status !== 'open') this.#claims.delete(connection.id)
  }

  #tryToRecognise(acquaintance: Acquaintance, keys: Iterable<Uint8Array>): void {
    const { claim, connection } = acquaintance
    acquaintance.deviceKey = findClaimant(claim, keys)
    if (acquaintance.deviceKey !== undefined) {
      this.#onRecognised({ peerId: connection.remotePeer, deviceKey: acquaintance.deviceKey, connection })
    }
  }

  #timeLimit(): AbortSignal {
    return AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(this.#timeoutMs)])
  }
}

/** Both send a nonce, then both a claim. Sizes are fixed: what comes beyond them is not read. */
async function exchangeClaims(
  stream: Stream,
  key: SigningKey,
  { role, own, remote }: { role: Role; own: PeerId; remote: PeerId },
  signal: AbortSignal
): Promise<Claim> {
  const bytes = byteStream(stream, { maxBufferSize: NONCE_SIZE + CLAIM_SIZE })
  const me: HelloSide = { role, peerId: own.toMultihash().bytes, nonce: generateNonce() }
  await bytes.write(me.nonce, { signal })
  const nonce = (await bytes.read({ bytes: NONCE_SIZE, signal })).subarray()
  const peer: HelloSide = { role: role === 'dialer' ? 'listener' : 'dialer', peerId: remote.toMultihash().bytes, nonce }
  await bytes.write(makeClaim(key, me, peer), { signal })
  return decodeClaim((await bytes.read({ bytes: CLAIM_SIZE, signal })).subarray(), peer, me)
}

function keyName(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
