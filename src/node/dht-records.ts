// Directory records in the DHT: looked up, and put with those who are nearest to their key.
import { setMaxListeners } from 'node:events'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import { dhtKey } from './record-store.ts'

/** A walk that takes longer will not find much more, in ms. */
const WALK_TIMEOUT_MS = 15_000
const PUT_TIMEOUT_MS = 30_000

/**
 * What nodes of the DHT have under a blinded key, as their answers come in; those that our validator refuses are left
 * out. Ends when all of the nearest have answered, or soon after `signal` was aborted. Never throws.
 *
 * Not by the DHT's own choice of the best: it waits for all, writes to those who had another one, and fails when one of
 * them refuses.
 */
export async function* recordsInDht(
  dht: SingleKadDHT,
  blinded: Uint8Array,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  if (dht.routingTable.size === 0) return // the DHT would wait for its first peer
  const walk = new AbortController()
  const limit = AbortSignal.any([signal, walk.signal, AbortSignal.timeout(WALK_TIMEOUT_MS)])
  setMaxListeners(0, limit)
  try {
    for await (const event of dht.get(dhtKey(blinded), { signal: limit })) {
      if (event.name === 'PEER_RESPONSE' && event.messageName === 'GET_VALUE' && event.record !== undefined)
        yield event.record.value
      if (event.name === 'VALUE') return // all have answered
    }
  } catch {
    // Nothing was found in time, or somebody does not take a correction.
  } finally {
    walk.abort()
  }
}

/**
 * Puts a record with the nodes nearest to its key.
 * @returns how many of them say that they keep it
 */
export async function putRecord(
  dht: SingleKadDHT,
  blinded: Uint8Array,
  record: Uint8Array,
  signal: AbortSignal
): Promise<number> {
  if (dht.routingTable.size === 0) return 0
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PUT_TIMEOUT_MS)])
  setMaxListeners(0, limit)
  let holders = 0
  try {
    for await (const event of dht.put(dhtKey(blinded), record, { signal: limit })) {
      if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') holders++
    }
  } catch {
    // Whoever took it until then has it.
  }
  return holders
}
