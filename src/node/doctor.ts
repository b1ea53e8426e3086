// node.doctor(): what a running node can say of its own health, and what its owner can do about it.
import type { Libp2p } from '@libp2p/interface'
import type { FeedStore, Sentence } from '../feeds/index.ts'
import type { Unavailable } from '../messages/index.ts'
import { checkOf } from './check.ts'
import type { Check, Status } from './comrade.ts'
import type { DirectoryService } from './directory-service.ts'
import type { DiskState } from './disk-reserve.ts'
import type { MailboxPlaces } from './messages/contract.ts'
import { checkReach, type Reach } from './reachability.ts'
import { advise, sayCheck } from './sentences.ts'
import type { Distances } from './space.ts'

/** Below this much free disk a node is soon in trouble, in bytes. */
const LOW_DISK = 256 * 1024 ** 2

export interface Examined {
  store: FeedStore
  disk: DiskState
  libp2p: Libp2p
  reach: Reach
  directory: Pick<DirectoryService, 'published' | 'certifiedUntilMs'>
  isDirectoryOn: boolean
  warnings: string[]
  paused: Sentence | undefined
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

export function examine(examined: Examined): Check[] {
  const { store, disk, libp2p, warnings, space } = examined
  return [
    checkStore(store),
    checkDisk(disk),
    checkSigning(examined),
    checkLog(examined),
    checkAddresses(libp2p),
    checkPeers(libp2p),
    ...checkReach(examined.reach, Date.now()),
    checkDirectory(examined),
    checkMessages(examined.messages),
    checkQuota(space),
    checkConfig(warnings)
  ]
}

/** What a status says of private messages. */
export function messagesStatus(unavailable: Unavailable | undefined): Status['messages'] {
  if (unavailable === undefined) return { available: true }
  const sentence = unavailableSentence(unavailable)
  return { available: false, reason: sentence.text, sentence }
}

/** What a status says of a device that does not sign. */
export function pauseStatus(pause: Sentence | undefined): Pick<Status, 'paused' | 'pause'> {
  return pause === undefined ? {} : { paused: pause.text, pause }
}

function checkMessages({ unavailable, hosts, people }: Examined['messages']): Check {
  if (unavailable !== undefined) return checkOf('messages', false, unavailableSentence(unavailable), unavailable.advice)
  return checkOf('messages', true, sayCheck('messages.places', { hosts: hosts.length, people: people.length }))
}

function unavailableSentence({ reason }: Unavailable): Sentence {
  return sayCheck('messages.unavailable', { reason })
}

function checkSigning({ paused, isRevoked }: Examined): Check {
  if (paused === undefined) return checkOf('signing', true, sayCheck('signing.works'))
  return checkOf('signing', false, paused, advise(isRevoked ? 'advice.joinAnew' : 'advice.meetFollower'))
}

function checkLog({ logForkedAt }: Examined): Check {
  if (logForkedAt === undefined) return checkOf('identity log', true, sayCheck('log.whole'))
  return checkOf('identity log', false, sayCheck('log.forked', { entry: logForkedAt }), advise('advice.newIdentity'))
}

function checkStore(store: FeedStore): Check {
  const problem = String(store.get('PRAGMA quick_check(1)')!.quick_check)
  if (problem === 'ok') return checkOf('store', true, sayCheck('store.sound'))
  return checkOf('store', false, sayCheck('store.damaged', { problem }), advise('advice.restoreStore'))
}

/** Above the quota is what could not be erased: headers, and identity logs. */
function checkQuota({ quota, used, distances, groups, unwanted }: Distances): Check {
  const [, followed, far] = distances
  const parts = {
    followedBytes: followed.bytes,
    groupBytes: groups.bytes,
    farBytes: far.bytes,
    unwantedBytes: unwanted
  }
  const found = [sayCheck('quota.used', { usedBytes: used, quotaBytes: quota }), sayCheck('quota.parts', parts)]
  return checkOf('quota', used <= quota, found, used <= quota ? undefined : advise('advice.raiseQuota'))
}

function checkDisk({ freeBytes, reserveBytes, isShort }: DiskState): Check {
  if (isShort)
    return checkOf(
      'disk',
      false,
      sayCheck('disk.short', { freeBytes, reserveBytes }),
      advise('advice.makeRoomForOthers')
    )
  const ok = freeBytes >= LOW_DISK
  return checkOf('disk', ok, sayCheck('disk.free', { freeBytes }), ok ? undefined : advise('advice.makeRoom'))
}

function checkAddresses(libp2p: Libp2p): Check {
  const count = libp2p.getMultiaddrs().length
  if (count > 0) return checkOf('addresses', true, sayCheck('addresses.known', { count }))
  return checkOf('addresses', false, sayCheck('addresses.none'), advise('advice.listen'))
}

function checkPeers(libp2p: Libp2p): Check {
  const count = libp2p.getPeers().length
  return checkOf(
    'peers',
    true,
    sayCheck('peers.connected', { count }),
    count > 0 ? undefined : advise('advice.findPeer')
  )
}

function checkDirectory({ directory: { published, certifiedUntilMs }, isDirectoryOn }: Examined): Check {
  if (!isDirectoryOn) return checkOf('directory', true, sayCheck('directory.off'))
  if (published?.problem === 'outdated' || (published?.problem === 'uncertified' && certifiedUntilMs === undefined))
    return checkOf('directory', false, sayCheck('directory.uncertified'), advise('advice.rootDevice'))
  const count = published?.holders ?? 0
  const kept = count === 0 ? sayCheck('directory.absent') : sayCheck('directory.kept', { count })
  if (certifiedUntilMs === undefined) return checkOf('directory', true, kept)
  const untilTime = new Date(certifiedUntilMs).toISOString()
  return checkOf('directory', true, [kept, sayCheck('directory.certified', { untilTime })])
}

function checkConfig(problems: string[]): Check {
  if (problems.length === 0) return checkOf('config', true, sayCheck('config.understood'))
  return checkOf('config', false, sayCheck('config.warnings', { problems }), advise('advice.readConfig'))
}
