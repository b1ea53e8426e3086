// The question `join`, with which a device asks to belong to an identity: how it is made, and how it is checked by the
// device that holds the root key. Bytes: docs/protocol.md.
import * as v from 'valibot'
import { isValidSignature } from '../feeds/index.ts'
import {
  type DeviceAddBody,
  deviceAddBody,
  INVITE_ID_SIZE,
  inviteId,
  inviteProof,
  MAX_DEVICE_NAME_LENGTH
} from '../trust/index.ts'
import { NodeError } from './comrade.ts'
import type { Keys } from './keystore.ts'
import type { Message } from './people-protocol.ts'

const DOMAIN = Buffer.from('comrade/join/1\0')

const bytes = (size: number) =>
  v.pipe(
    v.instance(Uint8Array),
    v.check((value) => value.length === size, `expected ${size} bytes`)
  )
const Schema = v.object({
  invite: bytes(INVITE_ID_SIZE),
  proof: bytes(32),
  device: bytes(32),
  name: v.pipe(v.string(), v.maxLength(MAX_DEVICE_NAME_LENGTH)),
  consent: bytes(64),
  signature: bytes(64)
})

/** The two ends of the connection on which is asked: peer ids as multihashes. */
export interface JoinEnds {
  asker: Uint8Array
  inviter: Uint8Array
}

export interface JoinQuestion {
  /** Names the invite. */
  invite: Uint8Array
  /** That the asker knows the invite's secret. */
  proof: Uint8Array
  /** What is to stand in the identity log. */
  body: DeviceAddBody
}

/** @param secret of the invite */
export function makeJoinQuestion(keys: Keys, secret: Uint8Array, name: string, ends: JoinEnds): Message {
  const { device, consent } = deviceAddBody(keys.identity, keys.device, name)
  return {
    type: 'join',
    invite: inviteId(secret),
    proof: inviteProof('device', secret, { ...ends, key: device }),
    device,
    name,
    consent,
    signature: new Uint8Array(keys.device.sign(signedBytes(keys.identity, ends)))
  }
}

/**
 * Checks the form, and that the asker holds the device key. A consent alone does not show that: it can be read in the
 * identity log.
 * @throws NodeError BAD_INPUT
 */
export function readJoinQuestion(question: Message, identity: Uint8Array, ends: JoinEnds): JoinQuestion {
  const parsed = v.safeParse(Schema, question)
  if (!parsed.success)
    throw new NodeError('BAD_INPUT', 'a question to join has invite, proof, device, name, consent and signature')
  const { invite, proof, device, name, consent, signature } = parsed.output
  if (!isValidSignature(device, signedBytes(identity, ends), signature))
    throw new NodeError('BAD_INPUT', 'the signature of the device that asks to join is not valid')
  return { invite, proof, body: { type: 'device/add', device, name, consent } }
}

function signedBytes(identity: Uint8Array, { asker, inviter }: JoinEnds): Uint8Array {
  return Buffer.concat([DOMAIN, asker, inviter, identity])
}
