// The DHT's messages by hand, so that tests can say what no honest node says, and answer as none does.
import { createHash } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { lpStream } from '@libp2p/utils'
import { DHT_PROTOCOL } from '../../src/node/libp2p-options.ts'
import { startMemoryNode, type TestNetwork } from './network.ts'

export const PUT_VALUE = 0
export const GET_VALUE = 1
const TIMEOUT_MS = 5_000

/** As in kad-dht's dht.proto; peers are encoded already. */
export interface DhtMessage {
  type: number
  key?: Uint8Array
  value?: Uint8Array
  /** The key inside of the record. @default the same */
  recordKey?: Uint8Array
  closer?: { id: PeerId; addresses: Uint8Array[] }[]
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))]
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes])
}

/** A record as libp2p wraps it. */
export function encodeRecord(key: Uint8Array, value: Uint8Array): Uint8Array {
  return Buffer.concat([field(1, key), field(2, value), field(5, Buffer.from(new Date().toISOString()))])
}

export function encodeMessage({ type, key, value, recordKey, closer = [] }: DhtMessage): Uint8Array {
  return Buffer.concat([
    type === 0 ? new Uint8Array() : Uint8Array.of(8, type),
    key === undefined ? new Uint8Array() : field(2, key),
    value === undefined ? new Uint8Array() : field(3, encodeRecord(recordKey ?? key!, value)),
    ...closer.map(({ id, addresses }) =>
      field(8, Buffer.concat([field(1, id.toMultihash().bytes), ...addresses.map((address) => field(2, address))]))
    )
  ])
}

/** Type, key and record's value of a message; enough for a hostile node. */
export function decodeMessage(bytes: Uint8Array): DhtMessage {
  const message: DhtMessage = { type: 0 }
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) message.type = value as number
    if (number === 2) message.key = value as Uint8Array
    if (number === 3)
      message.value = fieldsOf(value as Uint8Array).find((each) => each.number === 2)?.value as Uint8Array
  }
  return message
}

function fieldsOf(bytes: Uint8Array): { number: number; value: number | Uint8Array }[] {
  const fields = []
  let at = 0
  const read = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const tag = read()
    const value = read()
    if ((tag & 7) === 0) fields.push({ number: tag >> 3, value })
    else fields.push({ number: tag >> 3, value: bytes.slice(at, (at += value)) })
  }
  return fields
}

/** Sends one message to a node. @returns its answer, undefined when it ends the stream instead */
export async function askDht(from: TestNetwork, to: PeerId, message: DhtMessage): Promise<DhtMessage | undefined> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const stream = await from.libp2p.dialProtocol(to, DHT_PROTOCOL, { signal })
  try {
    const messages = lpStream(stream)
    await messages.write(encodeMessage(message), { signal })
    return decodeMessage((await messages.read({ signal })).subarray())
  } catch (error) {
    if (signal.aborted) throw error
    return undefined
  } finally {
    stream.abort(new Error('asked enough'))
  }
}

/** How far a peer is from a key, as Kademlia has it. */
export function distance(peer: PeerId, key: Uint8Array): Buffer {
  const [a, b] = [peer.toMultihash().bytes, key].map((bytes) => createHash('sha256').update(bytes).digest())
  return Buffer.from(a.map((byte, at) => byte ^ b[at]))
}

/** A private key whose peer id is nearer to `key` than all of these peers. */
export async function mineKeyNear(key: Uint8Array, peers: readonly PeerId[]) {
  for (;;) {
    const privateKey = await generateKeyPair('Ed25519')
    const own = distance(peerIdFromPrivateKey(privateKey), key)
    if (peers.every((peer) => Buffer.compare(own, distance(peer, key)) < 0)) return privateKey
  }
}

/** A node of the DHT that answers what it likes, and notes what it was sent. */
export async function startHostileNode(
  answer: (message: DhtMessage) => DhtMessage | undefined,
  privateKey?: Awaited<ReturnType<typeof mineKeyNear>>
): Promise<TestNetwork & { heard: Uint8Array[] }> {
  const node = await startMemoryNode(privateKey === undefined ? {} : { privateKey })
  const heard: Uint8Array[] = []
  await node.libp2p.unhandle(DHT_PROTOCOL)
  await node.libp2p.handle(DHT_PROTOCOL, (stream) => void serve(stream, answer, heard), { maxInboundStreams: 1_000 })
  return Object.assign(node, { heard })
}

async function serve(
  stream: Stream,
  answer: (message: DhtMessage) => DhtMessage | undefined,
  heard: Uint8Array[]
): Promise<void> {
  try {
    const messages = lpStream(stream)
    for (;;) {
      const bytes = (await messages.read()).subarray()
      heard.push(bytes)
      const reply = answer(decodeMessage(bytes))
      if (reply !== undefined) await messages.write(encodeMessage(reply))
    }
  } catch {
    // the other side has ended it
  }
}
