// What attackers of private messages have: every byte on the wire, what leaves a node in clear for its host, and the files
// and keys of whoever carries messages for others.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Stream } from '@libp2p/interface'
import type { Comrade } from '../../src/index.ts'
import { decodeDescriptor } from '../../src/messages/index.ts'
import { homeAt } from '../../src/node/home.ts'
import { openKeys } from '../../src/node/keystore.ts'
import { Vault } from '../../src/node/vault.ts'
import { parseDid } from '../../src/trust/index.ts'
import { befriend, type Homes } from '../support/node.ts'
import { until } from '../support/processes.ts'
import { reaches } from '../node/messages/support.ts'

/** A frame, as it leaves a node in a stream of this protocol, before the connection encrypts it. */
export interface Frame {
  protocol: string
  bytes: Buffer
}

/** All that passes from when it begins until it is disposed of. */
export class Tap implements Disposable {
  /** As it is on the wire. */
  readonly wire: Buffer[] = []
  readonly #write = Socket.prototype.write

  constructor() {
    const [{ wire }, write] = [this, this.#write]
    // oxlint-disable-next-line typescript/no-explicit-any
    Socket.prototype.write = function (this: Socket, ...args: any[]): boolean {
      if (args[0] instanceof Uint8Array) wire.push(Buffer.from(args[0]))
      return Reflect.apply(write, this, args) as boolean
    } as typeof Socket.prototype.write
  }

  [Symbol.dispose](): void {
    Socket.prototype.write = this.#write
  }
}

/** What a node says and hears in streams that it opens, such as those in which messages and mailboxes go. */
export function framesOf(node: Comrade): Frame[] {
  const frames: Frame[] = []
  const dial = node.libp2p.dialProtocol.bind(node.libp2p)
  node.libp2p.dialProtocol = async (peer, protocols, options) => {
    const stream: Stream = await dial(peer, protocols, options)
    const protocol = String(protocols)
    const send = stream.send.bind(stream)
    stream.send = (data) => {
      frames.push({ protocol, bytes: Buffer.from(data.subarray()) })
      return send(data)
    }
    listenWith(stream, (bytes) => frames.push({ protocol, bytes }))
    return stream
  }
  return frames
}

/** Hears what the stream's user hears: whoever listens first gets what came before, so it is not to be earlier. */
function listenWith(stream: Stream, onBytes: (bytes: Buffer) => void): void {
  const listen = stream.addEventListener.bind(stream) as (...args: unknown[]) => void
  stream.addEventListener = (type: string, listener: unknown, options?: unknown) => {
    const isFirst = type === 'message'
    if (isFirst) stream.addEventListener = listen
    if (isFirst) listen(type, ({ data }: { data: Uint8Array }) => onBytes(Buffer.from(data.subarray())))
    listen(type, listener, options)
  }
}

/** Alice and Bob, and Carol, who has a mailbox for each of them and has met both. All are on, and know of the mailboxes. */
export async function startVillage(homes: Homes): Promise<{ alice: Comrade; bob: Comrade; carol: Comrade }> {
  const [alice, bob, carol] = [await homes.start('alice'), await homes.start('bob'), await homes.start('carol')]
  await befriend(bob, carol)
  await befriend(alice, carol)
  await befriend(alice, bob)
  await until(() => hostsFor(homes.of('alice'), bob) === 1, 'Alice knows where Bob has a mailbox')
  await until(() => hostsFor(homes.of('bob'), alice) === 1, 'Bob knows where Alice has one')
  return { alice, bob, carol }
}

/** Sends a message to somebody who is off. */
export async function mail(from: Comrade, to: string, text: string): Promise<string> {
  const { id } = await from.messages.send(to, { text })
  await reaches(from, id, 'mailed')
  return id
}

/** At how many hosts a node can leave something for the other's device. */
function hostsFor(home: string, other: Comrade): number {
  const [row] = rowsOf(home, 'mailbox_contacts').filter(
    ({ device }) => Buffer.compare(device as Uint8Array, parseDid(other.identity.device)) === 0
  )
  return row === undefined ? 0 : decodeDescriptor(row.descriptor as Uint8Array).hosts.length
}

/** What a table in a home's database holds; the node may run. */
export function rowsOf(home: string, table: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(home, 'feeds.sqlite'), { readOnly: true, timeout: 5_000 })
  try {
    return database.prepare(`SELECT * FROM ${table}`).all()
  } finally {
    database.close()
  }
}

/** Names of all tables that begin so. */
export function tablesOf(home: string, prefix: string): string[] {
  return rowsOf(home, 'sqlite_schema')
    .filter(({ type, name }) => type === 'table' && String(name).startsWith(prefix))
    .map(({ name }) => String(name))
}

/** Every file of a home, whole. */
export function filesOf(home: string): Buffer[] {
  return readdirSync(home, { recursive: true, encoding: 'utf8' })
    .map((name) => join(home, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path))
}

/** Bytes as a program may have written them. */
export function spellingsOf(secret: Uint8Array): Buffer[] {
  const bytes = Buffer.from(secret)
  const texts = (['hex', 'base64', 'base64url'] as const).map((encoding) => bytes.toString(encoding).replace(/=+$/, ''))
  return [bytes, ...texts.map((text) => Buffer.from(text)), Buffer.from(bytes.toString('hex').toUpperCase())]
}

/** Whether some of these hold this, however it is written. */
export function isIn(haystacks: readonly Uint8Array[], secret: Uint8Array): boolean {
  const spellings = spellingsOf(secret)
  return haystacks.some((hay) => {
    const buffer = Buffer.from(hay.buffer, hay.byteOffset, hay.length)
    return spellings.some((spelling) => buffer.includes(spelling))
  })
}

/** Values of all columns, as bytes. */
export function valuesOf(rows: readonly Record<string, unknown>[]): Buffer[] {
  return rows.flatMap((row) =>
    Object.values(row).map((value) => (value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value))))
  )
}

/** Contents of the messages in a home, opened with its keys. */
export async function contentsOf(directory: string): Promise<Uint8Array[]> {
  const vault = new Vault((await openKeys(homeAt(directory).keys)).peerSeed)
  return rowsOf(directory, 'messages').flatMap(({ author, id, content }) => {
    const name = Buffer.concat([author as Uint8Array, id as Uint8Array])
    return content === null ? [] : (vault.open(content as Uint8Array, name) ?? [])
  })
}
