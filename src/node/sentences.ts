// What the node says of itself: why it does not sign, what it finds when it looks after itself and what can be done about
// it, and what has happened that its user should know.
import { speaker } from '../feeds/index.ts'

export const DEVICE_SENTENCES = {
  'pause.backup':
    'this store is older than its keys (a backup was restored): it signs again when a contact has given back what was written since',
  'pause.phrase':
    'this identity was restored from its phrase: it signs when somebody who keeps its identity log has given it back',
  'pause.logIncomplete':
    "the directory says that this identity's log has {count} entries, and {height} were given back: waiting for somebody who keeps the others",
  'pause.revoked': 'this device was revoked by another one of its identity: it signs nothing any more',
  'pause.forkedForGood':
    'this feed was continued in two places (at entry {entry}); it cannot be written any more: revoke this device on one that holds the root key, and join anew in an empty home',
  'pause.logForked':
    'the identity log was continued in two places (at entry {entry}): no device can be added or ended any more',
  'pause.notNamed': 'this device is not in its identity log yet'
} as const

export const CHECK_SENTENCES = {
  'store.sound': 'the database is sound',
  'store.damaged': '{problem}',
  'disk.free': '{freeBytes} free',
  'disk.short': '{freeBytes} free, and {reserveBytes} are kept free: nothing of others is taken',
  'signing.works': 'this device signs',
  'log.whole': 'it is in one piece',
  'log.forked': 'it was continued in two places, at entry {entry}: no device can be added or ended any more',
  'addresses.known': 'others can try {count} addresses',
  'addresses.none': 'nobody can connect to this node',
  'peers.connected': 'connected with {count}',
  'reachable.used': 'somebody on the Internet has connected to this node',
  'reachable.relayed': 'others reach this node through {names}',
  'reachable.public': '{count} public addresses are announced; nobody has used one yet',
  'reachable.local': 'only the local network can reach this node',
  'reachable.seen': 'others see this node at {addresses}',
  'relay.off': 'nothing is passed on for friends: as configured',
  'relay.on':
    '{waiting} friends or own devices wait here to be reached, {relayed} connections are passed on, {passedBytes} of {hourlyBytes} within this hour',
  'contacts.none': 'you follow nobody',
  'contacts.connected':
    'connected with {connected} of {count} people whom you follow, {relayed} of them through a friend',
  'contact.away': '{name} is away: {reason}',
  'contact.lastReached': 'last reached {lastTime}',
  'contact.neverReached': 'never reached',
  'contact.again': 'tried again in {inMs}',
  'contact.more': 'and {count} more are not connected',
  'directory.off': 'nothing is published, and the DHT is not asked: as configured',
  'directory.uncertified': 'this device has no certificate with which to publish where it is',
  'directory.absent': 'no node of the directory keeps where this device is yet',
  'directory.kept': '{count} nodes keep where this device is',
  'directory.certified': 'certified until {untilTime}',
  'messages.unavailable': 'no private messages: @signalapp/libsignal-client {reason}',
  'messages.places':
    'nodes that keep private messages for this device while it is off: {hosts}; people who can be written to while they are away: {people}',
  'quota.used': "{usedBytes} of {quotaBytes} of other people's data",
  'quota.parts':
    '{followedBytes} of people whom you follow, {groupBytes} of your groups, {farBytes} of people further away, {unwantedBytes} no longer wanted',
  'config.understood': 'every setting is understood',
  'config.warnings': '{problems}'
} as const

/** Why somebody was not reached. */
export const DIAL_SENTENCES = {
  'dial.noAddress': 'no address is known',
  'dial.noUsableAddress': 'no address is known that can be dialled',
  'dial.untried': 'not tried yet',
  'dial.refused': 'the machine answers, but no node listens there',
  'dial.noNetwork': 'there is no way to their network from here',
  'dial.private': 'only private addresses are known, and they are not dialled',
  'dial.relayCannot': 'the friend who passes connections on cannot reach them at the moment',
  'dial.relayFull': 'the friend who passes connections on has no room',
  'dial.otherPeer': 'somebody else answers at their address',
  'dial.silence': 'nobody answers there',
  'dial.other': '{problem}'
} as const

/** What the user can do. */
export const ADVICE_SENTENCES = {
  'advice.restoreStore': 'restore feeds.sqlite from a backup, or remove it: contacts give it back',
  'advice.makeRoom': 'make room, or set a lower quota',
  'advice.makeRoomForOthers':
    'make room, or set a lower quota, and it goes on by itself; or `comrade config set reserve <a smaller size>`, and start again',
  'advice.joinAnew': 'join anew, in an empty home',
  'advice.meetFollower': 'connect to somebody who follows you',
  'advice.newIdentity': 'begin a new identity, and tell your contacts by another way',
  'advice.listen': 'comrade config set listen /ip4/0.0.0.0/tcp/4040',
  'advice.findPeer': 'comrade up --peer <multiaddr>',
  'advice.forwardPort':
    'have the router forward the port that `comrade config get listen` names, or let a friend who can be reached follow you: their node then passes connections on',
  'advice.nextHour': 'wait for the next hour',
  'advice.follow': 'comrade follow <did>',
  'advice.theirAddress': 'comrade up --peer <an address of theirs>',
  'advice.askStatus': 'ask whether their node runs: `comrade status` tells it',
  'advice.ownNetwork': 'look at your own network first',
  'advice.lanOn': 'comrade config set lan on, when they are in your network',
  'advice.askRuns': 'ask whether their node runs',
  'advice.later': 'try again later',
  'advice.presentAddress': 'ask them for their present address',
  'advice.askRouter': 'ask whether their node runs, and whether a router is in the way',
  'advice.wait': 'wait a moment',
  'advice.rootDevice': 'run the device that holds the root key',
  'advice.raiseQuota': 'comrade quota <a larger size>, or comrade store own',
  'advice.readConfig': 'comrade config list'
} as const

/** What has happened. */
export const WARNING_SENTENCES = {
  'warning.fork': 'a feed was continued in two places; it is kept up to entry {entry}',
  'warning.logFork':
    "this identity's log was continued in two places: its devices stay those up to entry {entry}, and none can be added or ended any more",
  'warning.deviceReplaced': "this device's feed was written in two places: it goes on under a new device key",
  'warning.stop': 'not everything could be ended: {problem}',
  'warning.upkeep': '{problem}',
  'warning.diskShort':
    'only {freeBytes} of the disk are free, and {reserveBytes} are kept for what you do yourself: nothing of others is taken until there is room',
  'warning.group': '{problem}',
  'warning.sessionBroken':
    'messages from a device of {name} could not be opened: it is asked to begin anew, and to send them again',
  'warning.sessionRenewed':
    'a device of {name} could not open what came from here, and has begun anew: it is sent again',
  'warning.sessionRefused':
    'a device of {name} comes with other keys for messages than before, and is refused: meet them again, and see that it is them'
} as const

/** What one should know about a group. */
export const GROUP_SENTENCES = {
  'group.notArrived': 'its log has not arrived yet: it comes as soon as somebody who keeps it is connected',
  'group.single': 'not anonymous at this size: with a single member, others can guess who vouched',
  'group.small': 'not anonymous at this size: with only {count} members, others can guess who vouched'
} as const

export const sayDevice = speaker(DEVICE_SENTENCES)
export const sayCheck = speaker(CHECK_SENTENCES)
export const sayDial = speaker(DIAL_SENTENCES)
export const advise = speaker(ADVICE_SENTENCES)
export const sayWarning = speaker(WARNING_SENTENCES)
export const sayGroup = speaker(GROUP_SENTENCES)
