// The device's secret keys in keys/: the identity's root key, the device's key, and the network's peer key, each apart
// from the others. They are made all at once or not at all, and may be protected by a passphrase.
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateSeed, signingKey, type SigningKey } from '../feeds/index.ts'
import { generatePhrase, rootSeedFromPhrase } from '../trust/index.ts'
import { NodeError } from './comrade.ts'
import { replaceFile, syncDirectory, writeDurably, writeError } from './durable-file.ts'
import { makePrivateDirectory } from './home.ts'
import {
  openKey,
  openWrappedKey,
  plainKey,
  readKeyFile,
  SCRYPT,
  sealedKey,
  wrappedKey,
  type KeyFile,
  type KeyKind
} from './key-file.ts'

const KINDS = ['root', 'device', 'peer'] as const
type Kind = (typeof KINDS)[number]
type Seeds = Record<Kind, Uint8Array>
export const EPOCH_SIZE = 16

/** The keys, ready to sign. */
export interface Keys {
  /** The identity: the root key's public half, 32 bytes. */
  identity: Uint8Array
  /** Ed25519 seed of the root key, where this device holds it: what else follows from the identity is derived from it. */
  rootSeed?: Uint8Array
  /** Signs the identity log and nothing else; its public key is the identity. */
  root: SigningKey
  /** Signs this device's feed; its public key is the feed's id. */
  device: SigningKey
  /** Ed25519 seed of the libp2p key, 32 bytes. Tells nothing about the other two. */
  peerSeed: Uint8Array
}

export interface PassphraseOptions {
  /** Protects the keys on the disk. @default none */
  passphrase?: string
  /** scrypt's cost N for a new passphrase, a power of two. @default 2^17 */
  scryptN?: number
}

/** Whether keys were made in this directory. */
export function hasKeys(directory: string): boolean {
  return KINDS.some((kind) => existsSync(fileOf(directory, kind)))
}

/** Whether a passphrase is needed to open the keys. @throws NodeError FAILED, KEYS_EXPOSED */
export function needsPassphrase(directory: string): boolean {
  return KINDS.some((kind) => !('seed' in readRequired(directory, kind)))
}

/**
 * Makes the keys of a new device, all files at once: after a crash there are all or none.
 * @param options.phrase the recovery phrase that the root key follows from @default a new one
 * @returns the keys, and the phrase, which is stored nowhere: a caller that must not lose it to a crash makes it
 *   first, with generatePhrase(), and shows it before calling this
 * @throws NodeError FAILED when there are keys already; DISK_FULL; TrustError PHRASE
 */
export async function createKeys(
  directory: string,
  options: PassphraseOptions & { phrase?: string } = {}
): Promise<{ keys: Keys; phrase: string }> {
  if (hasKeys(directory))
    throw new NodeError('FAILED', `there are keys in ${directory} already: they are never overwritten`)
  const phrase = options.phrase ?? generatePhrase()
  const seeds: Seeds = { root: rootSeedFromPhrase(phrase), device: generateSeed(), peer: generateSeed() }
  const files = await encodeKeys(seeds, options)
  placeAtOnce(directory, files)
  return { keys: toKeys(seeds), phrase }
}

/**
 * Opens the keys.
 * @throws NodeError LOCKED when a passphrase is needed, or the one given is wrong; NOT_FOUND when no keys were made;
 *   KEYS_EXPOSED when others could read them and this cannot be mended; FAILED when one is missing or damaged
 */
export async function openKeys(directory: string, options: { passphrase?: string } = {}): Promise<Keys> {
  const { seeds } = await openSeeds(directory, options.passphrase)
  return toKeys(seeds)
}

/**
 * Sets, replaces or removes the passphrase. A crash leaves the keys openable with the old or the new one.
 * @param change.current the present passphrase, when there is one
 * @param change.next the new one; undefined removes it
 * @throws NodeError LOCKED, DISK_FULL, and as openKeys
 */
export async function changePassphrase(
  directory: string,
  change: { current?: string; next?: string; scryptN?: number }
): Promise<void> {
  const { seeds, wrappingKey } = await openSeeds(directory, change.current)
  if (change.next === undefined) {
    for (const kind of KINDS) replaceFile(fileOf(directory, kind), plainKey(kind, seeds[kind]))
    rmSync(fileOf(directory, 'wrapping'), { force: true })
    syncDirectory(directory)
    return
  }
  // The wrapping key goes first: as soon as one key is sealed under it, the new passphrase opens it. One that is in use
  // is kept, so that replacing this one file is all that a new passphrase takes.
  const wrapping = wrappingKey ?? randomBytes(32)
  replaceFile(fileOf(directory, 'wrapping'), await wrappedKey(wrapping, checkPassphrase(change.next), change.scryptN))
  for (const kind of KINDS) {
    if (wrappingKey === undefined || isPlain(directory, kind))
      replaceFile(fileOf(directory, kind), sealedKey(kind, seeds[kind], wrapping))
  }
}

/**
 * Puts a new device key in place of the present one, under the same passphrase.
 * @returns the new key, when it is on the disk
 * @throws NodeError LOCKED, DISK_FULL, and as openKeys
 */
export async function replaceDeviceKey(directory: string, passphrase?: string): Promise<SigningKey> {
  const { wrappingKey } = await openSeeds(directory, passphrase)
  const seed = generateSeed()
  replaceFile(
    fileOf(directory, 'device'),
    wrappingKey === undefined ? plainKey('device', seed) : sealedKey('device', seed, wrappingKey)
  )
  return signingKey(seed)
}

/**
 * The random token that is kept beside the key and in the store, and is new at every opening of the store. A store
 * whose token differs from this one was restored or copied, and must not sign before it has caught up.
 * @returns what the file holds, undefined when there is none; anything but 16 bytes is damage and equals no store's
 */
export function readEpoch(directory: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(join(directory, 'epoch')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new NodeError('FAILED', `${join(directory, 'epoch')} cannot be read: ${(error as Error).message}`, {
      cause: error
    })
  }
}

/** Replaces the token; it is on the disk when this returns. @throws NodeError DISK_FULL, FAILED */
export function writeEpoch(directory: string, epoch: Uint8Array): void {
  if (epoch.length !== EPOCH_SIZE) throw new RangeError(`an epoch has ${EPOCH_SIZE} bytes, not ${epoch.length}`)
  replaceFile(join(directory, 'epoch'), epoch)
}

async function openSeeds(
  directory: string,
  passphrase: string | undefined
): Promise<{ seeds: Seeds; wrappingKey?: Uint8Array }> {
  const files = KINDS.map((kind) => readRequired(directory, kind))
  const wrappingKey = files.every((file) => 'seed' in file) ? undefined : await openWrapping(directory, passphrase)
  const [root, device, peer] = files.map((file) => openKey(file, wrappingKey))
  return { seeds: { root, device, peer }, wrappingKey }
}

async function openWrapping(directory: string, passphrase: string | undefined): Promise<Uint8Array> {
  if (passphrase === undefined)
    throw new NodeError('LOCKED', 'the keys are protected by a passphrase, and none was given')
  const file = readKeyFile(fileOf(directory, 'wrapping'), 'wrapping')
  if (file === undefined)
    throw new NodeError('FAILED', `${fileOf(directory, 'wrapping')} is missing: restore keys/ from a backup`)
  return openWrappedKey(file, passphrase)
}

async function encodeKeys(seeds: Seeds, { passphrase, scryptN }: PassphraseOptions): Promise<Map<KeyKind, string>> {
  if (passphrase === undefined)
    return new Map<KeyKind, string>(KINDS.map((kind) => [kind, plainKey(kind, seeds[kind])]))
  const wrapping = randomBytes(32)
  const files = new Map<KeyKind, string>(KINDS.map((kind) => [kind, sealedKey(kind, seeds[kind], wrapping)]))
  return files.set('wrapping', await wrappedKey(wrapping, checkPassphrase(passphrase), scryptN ?? SCRYPT.n))
}

/** Writes the files into a directory beside, and gives it the name of the empty `directory` in one step. */
function placeAtOnce(directory: string, files: Map<KeyKind, string>): void {
  const beside = `${directory}.new`
  try {
    rmSync(beside, { recursive: true, force: true }) // of a crash before the step
    makePrivateDirectory(beside)
    for (const [kind, content] of files) writeDurably(fileOf(beside, kind), content)
    syncDirectory(beside)
    renameSync(beside, directory)
    syncDirectory(dirname(directory))
  } catch (error) {
    rmSync(beside, { recursive: true, force: true })
    if (existsSync(directory) && readdirSync(directory).length > 0) {
      throw new NodeError('FAILED', `${directory} holds other files: new keys are only put into an empty directory`, {
        cause: error
      })
    }
    throw error instanceof NodeError ? error : writeError(directory, error)
  }
}

function readRequired(directory: string, kind: Kind): KeyFile {
  const file = readKeyFile(fileOf(directory, kind), kind)
  if (file !== undefined) return file
  if (!hasKeys(directory)) throw new NodeError('NOT_FOUND', `no keys were made in ${directory} yet`)
  throw new NodeError('FAILED', `${fileOf(directory, kind)} is missing: restore keys/ from a backup`)
}

function isPlain(directory: string, kind: Kind): boolean {
  return 'seed' in readRequired(directory, kind)
}

function checkPassphrase(passphrase: string): string {
  if (passphrase === '') throw new NodeError('BAD_INPUT', 'a passphrase has at least one character')
  return passphrase
}

function toKeys(seeds: Seeds): Keys {
  const root = signingKey(seeds.root)
  return {
    identity: root.publicKey,
    rootSeed: new Uint8Array(seeds.root),
    root,
    device: signingKey(seeds.device),
    peerSeed: new Uint8Array(seeds.peer)
  }
}

function fileOf(directory: string, kind: KeyKind): string {
  return join(directory, `${kind}.key`)
}
