// What this device knows of one identity, as it is read from the contacts table.
import { formatDid } from './did.ts'
import { displayName } from './names.ts'
import type { Row } from './statements.ts'

export interface ContactRecord {
  /** Root key, 32 bytes. */
  key: Uint8Array
  did: string
  /** Petname, else claimed name with a short key tag, else the tag. Not escaped. */
  name: string
  petname?: string
  claimed?: string
  about?: string
  relation: 'self' | 'followed' | 'blocked' | 'none'
  /** We follow them and, as far as is known, they follow us. */
  isFriend: boolean
  /** Unix ms; absent: never. */
  lastSeen?: number
}

/**
 * Reads a row of the contacts table.
 * @param self own root key
 */
export function toContactRecord(row: Row, self: Uint8Array): ContactRecord {
  const key = row.key as Uint8Array
  const did = formatDid(key)
  const petname = (row.petname as string | null) ?? undefined
  const claimed = (row.claimed as string | null) ?? undefined
  const relation = Buffer.compare(key, self) === 0 ? 'self' : (row.relation as ContactRecord['relation'])
  return {
    key,
    did,
    name: displayName({ did, petname, claimed }),
    petname,
    claimed,
    about: (row.about as string | null) ?? undefined,
    relation,
    isFriend: relation === 'followed' && row.follows_us === 1,
    lastSeen: (row.seen_ms as number | null) ?? undefined
  }
}
