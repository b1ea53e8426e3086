// A new group: its first operation, by which one person founds it, and the credential by which a device acts for a person.
import { randomBytes } from 'node:crypto'
import { type FeedStore, signingKey } from '../../feeds/index.ts'
import {
  type AddedDevice,
  addedDeviceOf,
  type BodyOf,
  type Credential,
  type CredentialUse,
  foundingTerms,
  makeCredential,
  type Rule,
  signOperation
} from '../../groups/index.ts'
import { NodeError } from '../comrade.ts'
import type { Device } from '../device.ts'
import type { People } from '../people.ts'
import type { StoredKey } from './group-store.ts'
import { broughtKeys, freshKeys, freshMemberKey } from './membership.ts'

export const DAY_MS = 86_400_000

export interface Founding {
  name: string
  rule: Rule
  reading: 'open' | 'members'
  history: boolean
}

/** This device, where it can speak for its person. */
export interface Speaker {
  store: FeedStore
  people: People
  device: Device
}

/** @returns the create's bytes, and the founder's secrets, which are to be kept before anybody sees the bytes */
export function found(speaker: Speaker, founding: Founding, nowMs: number): { bytes: Uint8Array; keys: StoredKey[] } {
  const common = { ...founding, day: Math.floor(nowMs / DAY_MS), nonce: new Uint8Array(randomBytes(32)) }
  const terms = foundingTerms(common, [speaker.people.root])
  const memberKey = freshMemberKey()
  const keys = freshKeys()
  const member = memberKey.public
  const credential = credentialFor(speaker, { purpose: 'founder', place: terms, member })
  const body: BodyOf<'create'> = {
    ...common,
    founders: [{ member, credential, ...broughtKeys(keys, terms, member) }]
  }
  const bytes = signOperation(signingKey(memberKey.secret), { type: 'create', prev: [], body })
  return { bytes, keys: [memberKey, ...keys] }
}

/**
 * Certifies a member key by this device.
 * @throws NodeError SIGNING_PAUSED while this device cannot show that it is its person's
 */
export function credentialFor({ store, people, device }: Speaker, use: CredentialUse): Credential {
  const added = addedDevice(store, people, device.key.publicKey)
  if (added !== undefined && device.paused === undefined) return makeCredential(device.key, added, use)
  throw new NodeError('SIGNING_PAUSED', device.paused ?? 'this device is not in its identity log yet')
}

function addedDevice(store: FeedStore, people: People, device: Uint8Array): AddedDevice | undefined {
  const seq = people.contacts.deviceByKey(device)?.addedAt
  const log = store.feed(people.root)
  if (seq === undefined || log === undefined) return undefined
  const [run] = store.rows(log, seq, seq)
  return run && addedDeviceOf(run, seq)
}
