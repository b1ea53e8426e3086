// The device's secret keys in keys/: the identity's root key (only its public half on a device that joined), the device's
// key, and the network's peer key, each apart from the others. They are made all at once or not at all, and may be
// protected by a passphrase.
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateSeed, isUsableKey, signingKey, type SigningKey } from '../feeds/index.ts'
import { generatePhrase, phraseEntropy, rootSeedFromPhrase } from '../trust/index.ts'
import { NodeError } from './comrade.ts'
import { replaceFile, syncDirectory, writeDurably, writeError } from './durable-file.ts'
import { makePrivateDirectory } from './home.ts'
import {
  openKey,
  openWrappedKey,
  plainKey,
  publicKey,
  readKeyFile,
  SCRYPT,
  sealedKey,
  wrappedKey,
  type KeyFile,
  type KeyKind
} from './key-file.ts'

const KINDS = ['root', 'device', 'peer'] as const
type Kind = (typeof KINDS)[number]
const SECRETS = [...KINDS, 'phrase'] as const
type Secret = (typeof SECRETS)[number]
/** Without a root seed, the device belongs to an identity whose log it cannot sign. */
interface Seeds {
  identity: Uint8Array
  root?: Uint8Array
  device: Uint8Array
  peer: Uint8Array
  /** What the recovery phrase is made of, until it was put by. */
  phrase?: Uint8Array
}
const HANDOVER = 'handover'
export const EPOCH_SIZE = 16
/** The token beside keys that were made from a phrase: it fits no store, since the root key has signed elsewhere. */
export const RESTORED_EPOCH: Uint8Array = new Uint8Array(EPOCH_SIZE)

/** The keys, ready to sign. */
export interface Keys {
  /** The identity: the root key's public half, 32 bytes. */
  identity: Uint8Array
  /** Ed25519 seed of the root key, where this device holds it: what else follows from the identity is derived from it. */
  rootSeed?: Uint8Array
  /** Signs the identity log and nothing else; absent on a device that joined and does not hold it. */
  root?: SigningKey
  /** Signs this device's feed; its public key is the feed's id. */
  device: SigningKey
  /** Ed25519 seed of the libp2p key, 32 bytes. Tells nothing about the other two. */
  peerSeed: Uint8Array
  /** The recovery phrase, where it is kept and nobody has said yet that it was put by. */
  phrase?: string
}

export interface PassphraseOptions {
  /** Protects the keys on the disk. @default none */
  passphrase?: string
  /** scrypt's cost N for a new passphrase, a power of two. @default 2^17 */
  scryptN?: number
}

/** What a new device is made from. */
export interface KeyOrigin {
  /** The recovery phrase that the root key follows from. @default a new one */
  phrase?: string
  /** Keeps the phrase beside the keys, protected as they are, until {@link forgetPhrase}. @default false */
  keepsPhrase?: boolean
  /** The identity has signed its log elsewhere, and this device signs nothing before it has that log. @default false */
  isRestored?: boolean
}

/** Whether keys were made in this directory. */
export function hasKeys(directory: string): boolean {
  return KINDS.some((kind) => existsSync(fileOf(directory, kind)))
}

/** Whether a passphrase is needed to open the keys. @throws NodeError FAILED, KEYS_EXPOSED */
export function needsPassphrase(directory: string): boolean {
  return isAnySealed(directory)
}

/** Also the phrase alone: a crash may have come between it and the keys when the passphrase was taken away. */
function isAnySealed(directory: string): boolean {
  const phrase = readKeyFile(fileOf(directory, 'phrase'), 'phrase')
  const files = [...KINDS.map((kind) => readRequired(directory, kind)), ...(phrase === undefined ? [] : [phrase])]
  return files.some((file) => 'sealed' in file)
}

/**
 * Makes the keys of a new device, all files at once: after a crash there are all or none.
 * @returns the keys, and the phrase, which is stored nowhere unless it is to be kept: a caller that must not lose it to a
 *   crash makes it first, with generatePhrase(), and shows it before calling this
 * @throws NodeError FAILED when there are keys already; DISK_FULL; TrustError PHRASE
 */
export async function createKeys(
  directory: string,
  options: PassphraseOptions & KeyOrigin = {}
): Promise<{ keys: Keys; phrase: string }> {
  if (hasKeys(directory))
    throw new NodeError('FAILED', `there are keys in ${directory} already: they are never overwritten`)
  const phrase = options.phrase ?? generatePhrase()
  const root = rootSeedFromPhrase(phrase)
  const seeds: Seeds = {
    identity: signingKey(root).publicKey,
    root,
    device: generateSeed(),
    peer: generateSeed(),
    ...(options.keepsPhrase === true ? { phrase: phraseEntropy(phrase) } : {})
  }
  const files: KeyFiles = await encodeKeys(seeds, options)
  if (options.isRestored === true) files.set('epoch', RESTORED_EPOCH)
  placeAtOnce(directory, files)
  return { keys: toKeys(seeds), phrase }
}

/**
 * Makes the keys of a device that is about to join an identity. They lie beside `directory` until placeKeys(): a try that
 * was cut short goes on under the same device key, which the identity's log may name already.
 * @param identity public root key, 32 bytes
 * @throws NodeError FAILED when there are keys already; DISK_FULL
 */
export async function prepareKeys(
  directory: string,
  identity: Uint8Array,
  options: PassphraseOptions = {}
): Promise<Keys> {
  if (hasKeys(directory))
    throw new NodeError('FAILED', `there are keys in ${directory} already: a device joins with an empty home`)
  const beside = joiningDirectory(directory)
  const known = await openSeeds(beside, options.passphrase).catch(() => undefined)
  if (known !== undefined && known.seeds.root === undefined && Buffer.compare(known.seeds.identity, identity) === 0)
    return toKeys(known.seeds)
  const seeds: Seeds = { identity, device: generateSeed(), peer: generateSeed() }
  writeAll(beside, await encodeKeys(seeds, options))
  return toKeys(seeds)
}

/** Makes prepared keys those of this directory, with what the identity handed over, in one step. */
export function placeKeys(directory: string, handover: Uint8Array): void {
  const beside = joiningDirectory(directory)
  replaceFile(join(beside, HANDOVER), handover)
  rename(beside, directory)
}

/** Forgets prepared keys. */
export function discardKeys(directory: string): void {
  rmSync(joiningDirectory(directory), { recursive: true, force: true })
}

/** Whether joining an identity was begun here, and neither ended nor given up. */
export function isJoining(directory: string): boolean {
  return !hasKeys(directory) && existsSync(joiningDirectory(directory))
}

/** What the identity handed over when this device joined; undefined when there is nothing that waits to be taken in. */
export function readHandover(directory: string): Uint8Array | undefined {
  return readIfThere(join(directory, HANDOVER))
}

/** Its contents are in the store. */
export function removeHandover(directory: string): void {
  rmSync(join(directory, HANDOVER), { force: true })
  syncDirectory(directory)
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

/** Forgets a recovery phrase that was kept: its user has put it by. What a disk still holds of it, nobody can say. */
export function forgetPhrase(directory: string): void {
  rmSync(fileOf(directory, 'phrase'), { force: true })
  syncDirectory(directory)
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
    for (const [kind, seed] of secretsOf(seeds)) replaceFile(fileOf(directory, kind), plainKey(kind, seed))
    rmSync(fileOf(directory, 'wrapping'), { force: true })
    syncDirectory(directory)
    return
  }
  // The wrapping key goes first: as soon as one key is sealed under it, the new passphrase opens it. One that is in use
  // is kept, so that replacing this one file is all that a new passphrase takes.
  const wrapping = wrappingKey ?? randomBytes(32)
  replaceFile(fileOf(directory, 'wrapping'), await wrappedKey(wrapping, checkPassphrase(change.next), change.scryptN))
  for (const [kind, seed] of secretsOf(seeds)) {
    if (wrappingKey === undefined || isPlain(directory, kind))
      replaceFile(fileOf(directory, kind), sealedKey(kind, seed, wrapping))
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
  return readIfThere(join(directory, 'epoch'))
}

/** Replaces the token; it is on the disk when this returns. @throws NodeError DISK_FULL, FAILED */
export function writeEpoch(directory: string, epoch: Uint8Array): void {
  if (epoch.length !== EPOCH_SIZE) throw new RangeError(`an epoch has ${EPOCH_SIZE} bytes, not ${epoch.length}`)
  replaceFile(join(directory, 'epoch'), epoch)
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new NodeError('FAILED', `${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

function joiningDirectory(directory: string): string {
  return `${directory}.joining`
}

async function openSeeds(
  directory: string,
  passphrase: string | undefined
): Promise<{ seeds: Seeds; wrappingKey?: Uint8Array }> {
  const [root, ...others] = KINDS.map((kind) => readRequired(directory, kind))
  const isSealed = isAnySealed(directory)
  const wrappingKey = isSealed ? await openWrapping(directory, passphrase) : undefined
  const [device, peer] = others.map((file) => openSecret(file, wrappingKey))
  const kept = readKeyFile(fileOf(directory, 'phrase'), 'phrase')
  const phrase = kept && openSecret(kept, wrappingKey)
  if ('public' in root) return { seeds: { identity: checkPublic(directory, root.public), device, peer }, wrappingKey }
  const seed = openKey(root, wrappingKey)
  return { seeds: { identity: signingKey(seed).publicKey, root: seed, device, peer, phrase }, wrappingKey }
}

/** Reading the file has made sure that only a root key is public. */
function openSecret(file: KeyFile, wrappingKey: Uint8Array | undefined): Uint8Array {
  if ('public' in file) throw new NodeError('FAILED', 'expected a secret key, found a public one')
  return openKey(file, wrappingKey)
}

function checkPublic(directory: string, key: Uint8Array): Uint8Array {
  if (isUsableKey(key)) return key
  throw new NodeError('FAILED', `${fileOf(directory, 'root')} holds no Ed25519 key: restore keys/ from a backup`)
}

async function openWrapping(directory: string, passphrase: string | undefined): Promise<Uint8Array> {
  if (passphrase === undefined)
    throw new NodeError('LOCKED', 'the keys are protected by a passphrase, and none was given')
  const file = readKeyFile(fileOf(directory, 'wrapping'), 'wrapping')
  if (file === undefined)
    throw new NodeError('FAILED', `${fileOf(directory, 'wrapping')} is missing: restore keys/ from a backup`)
  return openWrappedKey(file, passphrase)
}

async function encodeKeys(seeds: Seeds, { passphrase, scryptN }: PassphraseOptions): Promise<KeyFiles> {
  const files: KeyFiles = new Map()
  if (seeds.root === undefined) files.set(nameOf('root'), publicKey(seeds.identity))
  if (passphrase === undefined) {
    for (const [kind, seed] of secretsOf(seeds)) files.set(nameOf(kind), plainKey(kind, seed))
    return files
  }
  const wrapping = randomBytes(32)
  for (const [kind, seed] of secretsOf(seeds)) files.set(nameOf(kind), sealedKey(kind, seed, wrapping))
  return files.set(nameOf('wrapping'), await wrappedKey(wrapping, checkPassphrase(passphrase), scryptN ?? SCRYPT.n))
}

function secretsOf(seeds: Seeds): [Secret, Uint8Array][] {
  return SECRETS.flatMap((kind) => {
    const seed = seeds[kind]
    return seed === undefined ? [] : [[kind, seed] as [Secret, Uint8Array]]
  })
}

/** Contents by file name. */
type KeyFiles = Map<string, string | Uint8Array>

/** Writes the files into a directory beside, and gives it the name of the empty `directory` in one step. */
function placeAtOnce(directory: string, files: KeyFiles): void {
  const beside = `${directory}.new`
  writeAll(beside, files)
  rename(beside, directory)
}

/** Makes a directory that holds these files and nothing else; on the disk when this returns. */
function writeAll(directory: string, files: KeyFiles): void {
  try {
    rmSync(directory, { recursive: true, force: true }) // of a crash before
    makePrivateDirectory(directory)
    for (const [name, content] of files) writeDurably(join(directory, name), content)
    syncDirectory(directory)
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error instanceof NodeError ? error : writeError(directory, error)
  }
}

/** Gives the directory beside the name of the empty `directory`. */
function rename(beside: string, directory: string): void {
  try {
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

function isPlain(directory: string, kind: Secret): boolean {
  const file = readKeyFile(fileOf(directory, kind), kind)
  return file !== undefined && 'seed' in file
}

function checkPassphrase(passphrase: string): string {
  if (passphrase === '') throw new NodeError('BAD_INPUT', 'a passphrase has at least one character')
  return passphrase
}

function toKeys(seeds: Seeds): Keys {
  return {
    identity: new Uint8Array(seeds.identity),
    ...(seeds.root === undefined ? {} : { rootSeed: new Uint8Array(seeds.root), root: signingKey(seeds.root) }),
    device: signingKey(seeds.device),
    peerSeed: new Uint8Array(seeds.peer),
    ...(seeds.phrase === undefined ? {} : { phrase: generatePhrase(seeds.phrase) })
  }
}

function fileOf(directory: string, kind: KeyKind): string {
  return join(directory, nameOf(kind))
}

function nameOf(kind: KeyKind): string {
  return `${kind}.key`
}
