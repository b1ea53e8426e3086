// A body in JSON, for bodies of types that this program does not know: bytes and links as DAG-JSON writes them.
import { CID } from 'multiformats/cid'

/**
 * A decoded body, or a value in one, in DAG-JSON: bytes are `{"/":{"bytes":base64}}`, links `{"/":"baf…"}`. Integers
 * beyond ±(2^53 - 1) are text. How deep it goes is bounded by the rules for bodies.
 *
 * @see https://ipld.io/specs/codecs/dag-json/spec/
 */
export function dagJson(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return { '/': { bytes: Buffer.from(value).toString('base64').replace(/=+$/, '') } }
  if (Array.isArray(value)) return value.map(dagJson)
  if (value instanceof CID) return { '/': value.toString() }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, dagJson(inner)]))
}
