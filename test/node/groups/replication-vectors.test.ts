// The vectors of replication: names, fingerprints and frames as another implementation makes them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'mocha'
import { blindFeeds, FeedError, sessionSalt } from '../../../src/feeds/index.ts'
import { fingerprintBytes, fromHex, groupTopic, type Hex, toHex, withOperation } from '../../../src/groups/index.ts'
import * as message from '../../../src/node/groups/group-messages.ts'
import { KIND } from '../../../src/node/groups/group-messages.ts'

type Vector = { name: string } & Record<string, unknown>

const file = join(import.meta.dirname, '../../vectors/groups/replication.json')
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[]
const having = (field: string): Vector[] => vectors.filter((vector) => field in vector)

/** The fields of a frame, as the vectors have them. */
function decode(frame: Uint8Array): object {
  switch (frame[0]) {
    case KIND.hello:
      return { nonce: message.decodeHello(frame) }
    case KIND.compare:
      return message.decodeCompare(frame)
    case KIND.operations:
      return message.decodeOperations(frame)
    case KIND.state:
      return message.decodeState(frame)
    case KIND.drop:
      return { id: message.decodeDrop(frame) }
    default:
      return { bytes: message.decodeCredit(frame) }
  }
}

function encode(frame: Uint8Array): Uint8Array {
  switch (frame[0]) {
    case KIND.hello:
      return message.encodeHello(message.decodeHello(frame))
    case KIND.compare:
      return message.encodeCompare(message.decodeCompare(frame))
    case KIND.operations: {
      const { id, operations } = message.decodeOperations(frame)
      return message.encodeOperations(id, operations)
    }
    case KIND.state:
      return message.encodeState(message.decodeState(frame))
    case KIND.drop:
      return message.encodeDrop(message.decodeDrop(frame))
    default:
      return message.encodeCredit(message.decodeCredit(frame))
  }
}

const inHex = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return toHex(value)
  return Array.isArray(value) ? value.map(inHex) : value
}

describe('vectors of replication', () => {
  it('have the topics of groups', () => {
    for (const { name, group, time, topic } of having('topic'))
      assert.equal(groupTopic(fromHex(group as Hex), Date.parse(time as string)), topic, name)
  })

  it('have the blinded names of groups and operations', () => {
    for (const { name, nonces, of, blinded } of having('blinded')) {
      const [one, other] = (nonces as Hex[]).map(fromHex)
      assert.equal(toHex(blindFeeds(sessionSalt(one, other), [fromHex(of as Hex)])[0]), blinded, name)
    }
  })

  it('have the fingerprints of logs, in any order', () => {
    for (const { name, operations, fingerprint } of having('operations').filter((each) => !('frame' in each)))
      for (const ids of [operations as Hex[], (operations as Hex[]).toReversed()]) {
        const sum = ids.reduce((total, id) => withOperation(total, fromHex(id)), 0n)
        assert.equal(toHex(fingerprintBytes(sum)), fingerprint, name)
      }
  })

  it('have frames that are read, and written again as they were', () => {
    for (const { name, frame, valid, ...fields } of having('frame')) {
      const bytes = fromHex(frame as Hex)
      const read = (): object => decode(bytes)
      if (valid === true) {
        const found = Object.fromEntries(Object.entries(read()).map(([field, value]) => [field, inHex(value)]))
        assert.deepEqual(found, fields, name)
        assert.equal(toHex(encode(bytes)), frame, name)
      } else assert.throws(read, (error) => error instanceof FeedError && error.code === 'FRAME_FORMAT', name)
    }
  })
})
