// The name of the gossip topic on which a group's fresh operations travel.
import { createHmac } from 'node:crypto'
import { sha256 } from '../feeds/index.ts'

const SECRET_DOMAIN = Buffer.from('comrade/group/topic/1\0')
const NAME_LENGTH = 32

/**
 * The name of a group's topic in the month of `timeMs` (UTC): a keyed hash, so that whoever does not know the group's id
 * can tell neither which group it is nor which topics of two months belong together.
 */
export function groupTopic(group: Uint8Array, timeMs: number): string {
  const secret = sha256(Buffer.concat([SECRET_DOMAIN, group]))
  const month = new Date(timeMs).toISOString().slice(0, 7)
  return `/comrade/group/1/${createHmac('sha256', secret).update(month).digest('hex').slice(0, NAME_LENGTH)}`
}
