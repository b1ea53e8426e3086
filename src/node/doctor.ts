// node.doctor(): what a running node can say of its own health, and what its owner can do about it.
import { statfs } from 'node:fs/promises'
import type { Libp2p } from '@libp2p/interface'
import type { FeedStore } from '../feeds/index.ts'
import type { Unavailable } from '../messages/index.ts'
import type { Check, Status } from './comrade.ts'
import type { DirectoryService } from './directory-service.ts'
import type { Home } from './home.ts'
import type { MailboxPlaces } from './messages/contract.ts'
import { checkReach, type Reach } from './reachability.ts'
import type { Distances } from './space.ts'

/** Below this much free disk a node is soon in trouble, in bytes. */
const LOW_DISK = 256 * 1024 ** 2

export interface Examined {
  store: FeedStore
  home: Home
  libp2p: Libp2p
  reach: Reach
  directory: Pick<DirectoryService, 'published' | 'certifiedUntilMs'>
  isDirectoryOn: boolean
  warnings: string[]
  paused: string | undefined
  /** This device was ended by another one of its identity. */
  isRevoked: boolean
  /** Entry of the identity log at which it was continued in two places. */
  logForkedAt: number | undefined
  messages: MailboxPlaces & {
    /** Why there are none on this machine. */
    unavailable: Unavailable | undefined
  }
  space: Distances
}

export async function examine(examined: Examined): Promise<Check[]> {
  const { store, home, libp2p, warnings, paused, isRevoked, space } = examined
  return [
    checkStore(store),
    await checkDisk(home),
    {
      check: 'signing',
      ok: paused === undefined,
      detail: paused ?? 'this device signs',
      ...(paused === undefined
        ? {}
        : { todo: isRevoked ? 'join anew, in an empty home' : 'connect to somebody who follows you' })
    },
    checkLog(examined),
    checkAddresses(libp2p),
    checkPeers(libp2p),
    ...checkReach(examined.reach, Date.now()),
    checkDirectory(examined),
    checkMessages(examined.messages),
    checkQuota(space),
    {
      check: 'config',
      ok: warnings.length === 0,
      detail: warnings.join('; ') || 'every setting is understood',
      ...(warnings.length === 0 ? {} : { todo: 'comrade config list' })
    }
  ]
}

/** What a status says of private messages. */
export function messagesStatus(unavailable: Unavailable | undefined): Status['messages'] {
  return unavailable === undefined ? { available: true } : { available: false, reason: reasonOf(unavailable) }
}

function checkMessages({ unavailable, hosts, people }: Examined['messages']): Check {
  const check = 'messages'
  if (unavailable !== undefined) return { check, ok: false, detail: reasonOf(unavailable), todo: unavailable.todo }
  const detail = `nodes that keep private messages for this device while it is off: ${hosts.length}; people who can be written to while they are away: ${people.length}`
  return { check, ok: true, detail }
}

function reasonOf({ reason }: Unavailable): string {
  return `no private messages: @signalapp/libsignal-client ${reason}`
}

function checkLog({ logForkedAt }: Examined): Check {
  if (logForkedAt === undefined) return { check: 'identity log', ok: true, detail: 'it is in one piece' }
  return {
    check: 'identity log',
    ok: false,
    detail: `it was continued in two places, at entry ${logForkedAt}: no device can be added or ended any more`,
    todo: 'begin a new identity, and tell your contacts by another way'
  }
}

function checkStore(store: FeedStore): Check {
  const result = String(store.get('PRAGMA quick_check(1)')!.quick_check)
  return {
    check: 'store',
    ok: result === 'ok',
    detail: result === 'ok' ? 'the database is sound' : result,
    ...(result === 'ok' ? {} : { todo: 'restore feeds.sqlite from a backup, or remove it: contacts give it back' })
  }
}

/** Above the quota is what could not be erased: headers, and identity logs. */
function checkQuota({ quota, used, distances, groups, unwanted }: Distances): Check {
  const [, followed, far] = distances
  const parts = [
    `${followed.bytes} in ${followed.feeds} feeds of people whom you follow`,
    `${groups.bytes} in ${groups.feeds} feeds of your groups`,
    `${far.bytes} in ${far.feeds} feeds further away`,
    ...(unwanted === 0 ? [] : [`${unwanted} no longer wanted`])
  ]
  return {
    check: 'quota',
    ok: used <= quota,
    detail: `${used} of ${quota} bytes of other people's data: ${parts.join(', ')}`,
    ...(used <= quota ? {} : { todo: 'comrade quota <a larger size>, or comrade store own' })
  }
}

async function checkDisk(home: Home): Promise<Check> {
  const { bavail, bsize } = await statfs(home.directory)
  const free = bavail * bsize
  return {
    check: 'disk',
    ok: free >= LOW_DISK,
    detail: `${Math.floor(free / 1024 ** 2)} MiB free`,
    ...(free >= LOW_DISK ? {} : { todo: 'make room, or set a lower quota' })
  }
}

function checkAddresses(libp2p: Libp2p): Check {
  const addresses = libp2p.getMultiaddrs()
  const ok = addresses.length > 0
  return {
    check: 'addresses',
    ok,
    detail: ok ? `others can try ${addresses.length} addresses` : 'nobody can connect to this node',
    ...(ok ? {} : { todo: 'comrade config set listen /ip4/0.0.0.0/tcp/4040' })
  }
}

function checkPeers(libp2p: Libp2p): Check {
  const count = libp2p.getPeers().length
  return {
    check: 'peers',
    ok: true,
    detail: `connected with ${count}`,
    ...(count > 0 ? {} : { todo: 'comrade up --peer <multiaddr>' })
  }
}

function checkDirectory({ directory: { published, certifiedUntilMs }, isDirectoryOn }: Examined): Check {
  const check = 'directory'
  if (!isDirectoryOn)
    return { check, ok: true, detail: 'nothing is published, and the DHT is not asked: as configured' }
  if (published?.problem === 'outdated' || (published?.problem === 'uncertified' && certifiedUntilMs === undefined)) {
    const detail = 'this device has no certificate with which to publish where it is'
    return { check, ok: false, detail, todo: 'run the device that holds the root key' }
  }
  const until =
    certifiedUntilMs === undefined ? '' : `; certified until ${new Date(certifiedUntilMs).toISOString().slice(0, 10)}`
  const detail =
    published === undefined || published.holders === 0
      ? `no node of the directory keeps where this device is yet${until}`
      : `${published.holders} nodes keep where this device is${until}`
  return { check, ok: true, detail }
}
