// Whose a member key is: the path from an identity's root key over one of its devices to the key with which this person
// acts in this one group. It travels inside the operation that needs it, so nobody has to be asked.
import {
  decodeBody,
  decodeCbor,
  entriesOf,
  type Entry,
  FeedError,
  headersOf,
  isValidSignature,
  type Run,
  type Signer,
  validateEntry
} from '../feeds/index.ts'
import { evaluateIdentityLog } from '../trust/index.ts'
import { GroupError } from './errors.ts'

/** Entries of the identity log from the one that adds the device to the one that carries the signature. */
export const MAX_CREDENTIAL_ENTRIES = 64
/** Longest body of an entry that adds a device, in bytes. */
export const MAX_DEVICE_BODY_SIZE = 1_024

/**
 * What a member key is certified for. The two have domains of their own: else a founder's nonce, which a stranger may
 * choose, could be the id of a group that somebody once joined.
 */
export type CredentialPurpose = 'founder' | 'member'
const DOMAINS: Readonly<Record<CredentialPurpose, Buffer>> = {
  founder: Buffer.from('comrade/group/founder/1\0'),
  member: Buffer.from('comrade/group/member/1\0')
}

export interface Credential {
  /** The identity's root key. */
  root: Uint8Array
  /**
   * Headers of the root's feed, in order: first that of the `device/add` entry. More follow only where the root signed
   * several entries at once, up to the one that the signature is over.
   */
  headers: Uint8Array[]
  /** Body of the `device/add` entry. */
  body: Uint8Array
  /** The root's, over the last of `headers`. */
  signature: Uint8Array
  /** The device's, over the purpose's domain ‖ place ‖ member key. */
  consent: Uint8Array
}

/** What a credential is for: `place` is the group's id, for a founder the hash of the founding's terms. */
export interface CredentialUse {
  purpose: CredentialPurpose
  place: Uint8Array
  member: Uint8Array
}

/** The part of an identity log that shows which device it added. */
export type AddedDevice = Omit<Credential, 'consent'>

/**
 * Takes from a run of the root's feed what shows that its entry `seq` added a device.
 * @returns undefined when the run has no such entry, or its body is gone
 */
export function addedDeviceOf(run: Run, seq: number): AddedDevice | undefined {
  const [entry] = seq < run.first ? [] : entriesOf(run, seq)
  if (entry?.body === undefined) return undefined
  const { feed: root, signature } = run
  return { root, headers: headersOf(run, seq), body: entry.body, signature }
}

/** What the device signs. */
export function consentBytes({ purpose, place, member }: CredentialUse): Uint8Array {
  return Buffer.concat([DOMAINS[purpose], place, member])
}

/** Certifies a member key by a device that the identity log added. */
export function makeCredential(device: Signer, added: AddedDevice, use: CredentialUse): Credential {
  return { ...added, consent: new Uint8Array(device.sign(consentBytes(use))) }
}

/**
 * Checks that the root added the device and the device certified the member key. That the device was not revoked since
 * does not show here: a revoked device's member is expelled or leaves, as anybody else.
 * @throws GroupError CREDENTIAL
 */
export function checkCredential(credential: Credential, use: CredentialUse): void {
  const device = deviceOf(credential)
  if (!isValidSignature(device, consentBytes(use), credential.consent)) {
    throw new GroupError('CREDENTIAL', `the device did not certify this member key as a ${use.purpose}'s`)
  }
}

/**
 * Devices that certified member keys, as a create or join that was checked before says.
 * @returns by member key; empty for other operations
 */
export function certifiedDevices(bytes: Uint8Array): { member: Uint8Array; device: Uint8Array }[] {
  const { type, author, body } = decodeCbor(bytes) as { type?: unknown; author: Uint8Array; body: unknown }
  const certified: { member: Uint8Array; credential: Credential }[] = []
  if (type === 'create') certified.push(...(body as { founders: typeof certified }).founders)
  if (type === 'join') certified.push({ member: author, ...(body as { credential: Credential }) })
  return certified.map(({ member, credential }) => ({
    member,
    device: decodeBody(credential.body).device as Uint8Array
  }))
}

/** The key of the device that the entries add. */
function deviceOf({ root, headers, body, signature }: Credential): Uint8Array {
  try {
    let entry: Entry | undefined
    for (const [i, header] of headers.entries()) {
      const isLast = i === headers.length - 1
      entry = validateEntry(
        { header, ...(entry === undefined ? { body } : {}), ...(isLast ? { signature } : {}) },
        entry
      )
    }
    const [device] = evaluateIdentityLog(root, [{ seq: 1, body: decodeBody(body) }]).values()
    if (device !== undefined && entry !== undefined && Buffer.compare(entry.feed, root) === 0) return device.device
  } catch (cause) {
    if (!(cause instanceof FeedError)) throw cause
    throw new GroupError('CREDENTIAL', `the identity's entries do not hold: ${cause.message}`, { cause })
  }
  throw new GroupError('CREDENTIAL', 'the first entry does not add a device of this identity')
}
