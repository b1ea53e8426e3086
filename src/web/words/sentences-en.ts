// What the node says, in English, with what to do in the page where that can be done there. A text that counts has two forms.
import type { CheckName, SentenceCode } from '../shapes.ts'

export type Phrase = string | { one: string; other: string }
export type Phrases = Readonly<Record<SentenceCode, Phrase>>
export type CheckNames = Readonly<Record<CheckName, string>>

export const checkNamesEn: CheckNames = {
  store: 'Store',
  disk: 'Disk',
  signing: 'Signing',
  'identity log': 'Identity log',
  addresses: 'Addresses',
  peers: 'Connections',
  reachable: 'Reachable from outside',
  relay: 'Passing on',
  contacts: 'People',
  contact: 'Away',
  directory: 'Directory',
  messages: 'Private messages',
  quota: 'Room for others',
  config: 'Settings'
}

export const sentencesEn: Phrases = {
  // why this device does not sign
  'pause.forked':
    'What this device writes was continued in two places, at entry {entry}: nothing more can be written there.',
  'pause.behind':
    'Contacts hold {theirs} entries of this device, and here are {ours}. Nothing is written until the others are here.',
  'pause.backup':
    'This store is older than its keys: a backup was restored. You can write again when a contact has given back what was written since.',
  'pause.phrase':
    'You came back with your recovery words. You can write when somebody who keeps the log of your identity has given it back.',
  'pause.logIncomplete':
    'The directory says that the log of your identity has {count} entries, and {height} were given back. It is waited for somebody who keeps the others.',
  'pause.revoked': 'Another device of yours has ended this one: nothing is written here any more.',
  'pause.forkedForGood':
    'What this device writes was continued in two places, at entry {entry}. End this device on the one that holds the root key, and let it join anew in an empty home.',
  'pause.logForked':
    'The log of your identity was continued in two places, at entry {entry}: no device can be added or ended any more.',
  'pause.notNamed': 'This device is not in the log of your identity yet.',

  // what the node finds
  'store.sound': 'the database is sound',
  'store.damaged': 'the database is damaged: {problem}',
  'disk.free': '{freeBytes} free',
  'disk.short': '{freeBytes} free, and {reserveBytes} are kept free: nothing of others is taken',
  'signing.works': 'what you write is signed by this device',
  'log.whole': 'in one piece',
  'log.forked': 'continued in two places, at entry {entry}: no device can be added or ended any more',
  'addresses.known': { one: 'others can try {count} address', other: 'others can try {count} addresses' },
  'addresses.none': 'nobody can connect to this node',
  'peers.connected': { one: 'connected with {count} device', other: 'connected with {count} devices' },
  'reachable.used': 'somebody on the Internet has connected to this node',
  'reachable.relayed': 'others reach this node through {names}',
  'reachable.public': {
    one: '{count} public address is announced; nobody has used it yet',
    other: '{count} public addresses are announced; nobody has used one yet'
  },
  'reachable.local': 'only the local network can reach this node',
  'reachable.seen': 'others see it at {addresses}',
  'relay.off': 'nothing is passed on for friends, as you set it',
  'relay.on':
    'friends and own devices that wait here to be reached: {waiting}; connections passed on: {relayed}; {passedBytes} of {hourlyBytes} in this hour',
  'contacts.none': 'you follow nobody yet',
  'contacts.connected': {
    one: 'you follow {count} person; connected: {connected}, through a friend: {relayed}',
    other: 'you follow {count} people; connected: {connected}, through a friend: {relayed}'
  },
  'contact.away': '{name}: {reason}',
  'contact.lastReached': 'last reached {lastTime}',
  'contact.neverReached': 'never reached',
  'contact.again': 'tried again in {inMs}',
  'contact.more': { one: 'and {count} more', other: 'and {count} more' },
  'directory.off': 'nothing is published and nobody is looked up, as you set it',
  'directory.uncertified': 'this device may not publish where it is: it has no certificate',
  'directory.absent': 'no node of the directory keeps yet where this device is',
  'directory.kept': {
    one: '{count} node keeps where this device is, for who knows your key',
    other: '{count} nodes keep where this device is, for who knows your key'
  },
  'directory.certified': 'this device may publish until {untilTime}',
  'messages.unavailable': 'libsignal {reason}',
  'messages.places':
    'nodes that keep them for you while this device is off: {hosts}; people whom you can write to while they are away: {people}',
  'quota.used': '{usedBytes} of {quotaBytes} are used',
  'quota.parts':
    'people whom you follow {followedBytes}, your groups {groupBytes}, people further away {farBytes}, no longer wanted {unwantedBytes}',
  'config.understood': 'every setting is understood',
  'config.warnings': 'not understood: {problems}',

  // why somebody was not reached
  'dial.noAddress': 'no address of theirs is known',
  'dial.noUsableAddress': 'no address of theirs is known that can be tried',
  'dial.untried': 'not tried yet',
  'dial.refused': 'their machine answers, but no node runs there',
  'dial.noNetwork': 'there is no way to their network from here',
  'dial.private': 'only private addresses are known, and those are not tried',
  'dial.relayCannot': 'the friend who passes connections on cannot reach them at the moment',
  'dial.relayFull': 'the friend who passes connections on has no room',
  'dial.otherPeer': 'somebody else answers at their address',
  'dial.silence': 'nobody answers there',
  'dial.other': '{problem}',

  // what to do
  'advice.restoreStore': 'restore feeds.sqlite from a backup, or remove it: your contacts give it back',
  'advice.makeRoom': 'make room on the disk, or allow others less of it, below',
  'advice.makeRoomForOthers': 'make room on the disk, or allow others less of it, below: then it goes on by itself',
  'advice.joinAnew': 'let this device join anew, in an empty home',
  'advice.meetFollower': 'connect with somebody who follows you',
  'advice.newIdentity': 'begin a new identity, and tell your contacts by another way',
  'advice.listen': 'in a terminal: comrade config set listen /ip4/0.0.0.0/tcp/4040',
  'advice.findPeer': 'wait until somebody whom you follow is there, or meet somebody',
  'advice.forwardPort':
    'nothing has to be done. So that others reach you directly, have the router forward the port of “comrade config get listen”; or let a friend who can be reached follow you: their node passes connections on',
  'advice.nextHour': 'wait for the next hour',
  'advice.follow': 'meet somebody: invite them, or take their invite',
  'advice.theirAddress': 'ask them for a new invite link: it says where they are',
  'advice.askStatus': 'ask whether their node runs',
  'advice.ownNetwork': 'look at your own network first',
  'advice.lanOn': 'when they are in your network: comrade config set lan on, in a terminal',
  'advice.askRuns': 'ask whether their node runs',
  'advice.later': 'nothing: it is tried again',
  'advice.presentAddress': 'ask them for a new invite link: it says where they are now',
  'advice.askRouter': 'ask whether their node runs, and whether a router is in the way',
  'advice.wait': 'wait a moment',
  'advice.rootDevice': 'let the device run that holds the root key',
  'advice.raiseQuota': 'allow others more room, or keep only your own data, below',
  'advice.readConfig': 'in a terminal: comrade config list',
  'advice.installOptional': 'where the node was installed: npm install --include=optional',
  'advice.otherMachine':
    'let the node run on another machine: Linux on x64 or arm64 with glibc {needed} or newer, macOS or Windows',
  'advice.newerSystem':
    'let the node run on a newer system: Linux on x64 or arm64 with glibc {needed} or newer, macOS or Windows',
  'advice.rebuild': 'where the node was installed: npm rebuild, or npm ci; then start the node again',

  // why there are no private messages
  'libsignal.notInstalled': 'is not installed',
  'libsignal.noBuild': 'is not made for {system}',
  'libsignal.oldLibrary': 'needs glibc {needed}, and this system has {found}',
  'libsignal.otherLibrary': 'needs glibc {needed}, and this system has another C library',
  'libsignal.broken': 'cannot be loaded: {problem}',

  // what has happened
  'warning.fork': 'Somebody’s device wrote in two places, as after a restored backup. It is kept up to entry {entry}.',
  'warning.logFork':
    'The log of your identity was continued in two places. Your devices stay those up to entry {entry}, and none can be added or ended any more.',
  'warning.deviceReplaced': 'What this device writes was written in two places: it goes on under a new device key.',
  'warning.stop': 'Not everything could be ended: {problem}',
  'warning.upkeep': 'Putting the store in order failed: {problem}',
  'warning.diskShort':
    'Only {freeBytes} of the disk are free, and {reserveBytes} are kept for what you do yourself. Nothing of others is taken until there is room.',
  'warning.group': 'Something in a group failed: {problem}',
  'warning.sessionBroken':
    'Messages from a device of {name} could not be opened. It is asked to begin anew, and to send them again.',
  'warning.sessionRenewed':
    'A device of {name} could not open what came from here, and has begun anew. It is sent again.',
  'warning.sessionRefused':
    'A device of {name} comes with other keys for messages than before, and is refused. Ask them by another way; when it is them, meet once more.',

  // what one should know about a group
  'group.notArrived': 'Its log has not arrived yet. It comes as soon as somebody who keeps it is connected.',
  'group.single': 'Not nameless at this size: with a single member, others can guess who vouched.',
  'group.small': 'Not nameless at this size: with only {count} members, others can guess who vouched.',

  // why somebody is a member or not
  'standing.founder': '{name} founded the group.',
  'standing.asked': '{name} asked to join: {count} of {needed} vouches; {ring} can vouch.',
  'standing.askedAloud':
    '{name} asked to join: {count} of {needed} vouches; {ring} can vouch. Among so few nobody is hidden.',
  'standing.proposed': '{sponsor} proposed {name}: {count} of {needed} vouches; {ring} can vouch.',
  'standing.proposedAloud':
    '{sponsor} proposed {name}: {count} of {needed} vouches; {ring} can vouch. Among so few nobody is hidden.',
  'standing.joined': {
    one: '{name} joined with {count} vouch ({needed} needed), at least {sure} of them by members of today.',
    other: '{name} joined with {count} vouches ({needed} needed), at least {sure} of them by members of today.'
  },
  'standing.removedUnseen': 'That {name} joined does not count: somebody removed {name} without having seen it.',
  'standing.fewVouches': {
    one: 'That {name} joined does not count: {count} vouch, and {needed} are needed.',
    other: 'That {name} joined does not count: {count} vouches, and {needed} are needed.'
  },
  'standing.doubtfulVouches':
    'That {name} joined does not count: {count} vouches, up to {doubtful} of them by people who do not count for it, and {needed} are needed.',
  'standing.left': '{name} left.',
  'standing.expelled': '{name} was expelled by {count} of {of} ballots.',
  'standing.candidacyInvalid': 'A candidacy of {name} does not count: {reason}.',
  'standing.joinInvalid': 'That {name} joined does not count: {reason}.',
  'standing.leaveInvalid': 'That {name} left does not count: {reason}.',
  'standing.certificateInvalid': 'That {name} was expelled does not count: {reason}.',
  'standing.member': '{name} is a member.',
  'standing.notMember': '{name} is not a member.',

  // why something in a group's log does not count
  'invalid.late': 'it reached the others only after what is final now',
  'invalid.waits': 'it waits for what it stands on',
  'invalid.otherGroup': 'it founds another group',
  'invalid.unknown': 'this program does not know what it means',
  'invalid.proof': 'its proof does not hold',
  'invalid.author': 'its author was not a member',
  'invalid.alreadyMember': 'the candidate was a member already',
  'invalid.sponsor': 'who proposed it was not a member',
  'invalid.noCandidacy': 'it stands on no valid candidacy',
  'invalid.otherCandidate': 'the candidacy is for somebody else',
  'invalid.wereMember': 'they were a member already',
  'invalid.usedKey': 'it brings a key that a member has',
  'invalid.oldCandidacy': 'the time of the candidacy is over',
  'invalid.expelsStranger': 'it would expel somebody who was not a member',
  'invalid.noMotion': 'it stands on no valid motion',
  'invalid.oldMotion': 'the time of the motion is over',
  'invalid.carriedBefore': 'the motion was carried out before',
  'invalid.manyVouches': 'it lists {count} vouches, and only {ring} people could vouch',
  'invalid.manyBallots': 'it lists {count} ballots, and only {ring} people could vote',
  'invalid.fewVouches': 'it has {count} of {needed} vouches by different members',
  'invalid.fewBallots': 'it has {count} of {needed} ballots by different members',
  'invalid.usedRingKey': 'it brings a key that a member has',
  'invalid.rekeyedBefore': 'its author took a new key in this period already',
  'invalid.oldDay': 'its day is before what is final',
  'invalid.noCheckpoint': 'it confirms nothing valid',
  'invalid.notInRoster': 'its author had no voice there',
  'invalid.notOnStable': 'what it confirms leaves out what is final',
  'invalid.notOnAcked': 'what it confirms leaves out what its author confirmed before',

  // why something was refused
  'refusal.yourself': 'That is yourself.',
  'refusal.blocked': 'You have blocked {name}. Unblock them first.',
  'refusal.inviteExpired': 'This invite was good until {endTime}. Ask for a new one.',
  'refusal.inviteOver': 'This invite is not good any more. Ask for a new one.',
  'refusal.inviteUsed': 'Somebody else has used this invite. Ask for a new one.',
  'refusal.inviteUnknown':
    'The other node does not know this invite: it may be too old, or of another device. Ask for a new one.',
  'refusal.declined': 'The other side does not want to meet.',
  'refusal.whereabouts': 'Nobody knows where this person is. Ask them for an invite link.',
  'refusal.noRecord': 'Nobody says where this person is: neither the directory nor a friend.',
  'refusal.askedByYou': 'You asked {name} yourself, and there is no answer yet.',
  'refusal.noRequest': 'There is no request of {name} any more.',
  'refusal.samePerson': '{name} cannot be introduced to themself.',
  'refusal.notFollowed': 'You do not follow {name}.',
  'refusal.introduceLater': '{name} cannot be reached now. Introduce them when both are there.',
  'refusal.noAnswer': 'The other node does not answer. Try again when it runs.',
  'refusal.did': 'This is not a key, or not all of it. A key begins with did:key:z6Mk.',
  'refusal.name': 'This cannot be a name. ({problem})',
  'refusal.nameTaken': 'You call somebody else so. Choose another name.',
  'refusal.unknown': 'Nobody of this name is known.',
  'refusal.ambiguous': 'Several have this name: choose by the key.',
  'refusal.self': 'That makes no sense with yourself.',
  'refusal.isBlocked': 'You have blocked this person. Unblock them first.',
  'refusal.link': 'This is not the link that belongs here, or not all of it. Copy all of it once more.',
  'refusal.noEntry': 'This post is not kept here any more.',
  'refusal.otherEntry': 'You can erase only what this device wrote. Erase it on the device that wrote it.',
  'refusal.filesWithPosts': 'Files can go only with posts.',
  'refusal.answerInGroup': 'What answers a post in a group goes to that group, and nowhere else.',
  'refusal.answerSealed': 'You cannot answer this: it is sealed, and it is not known here for whom.',
  'refusal.manyFiles': 'At most {max} files go with a post.',
  'refusal.emptyFile': '{name} is empty.',
  'refusal.largeFile': '{name} is too large: {sizeBytes}, and {maxBytes} may be attached.',
  'refusal.uploadGone': 'The file that you chose is not kept any more: after an hour it is let go. Choose it again.',
  'refusal.uploadsBusy': 'Too many files are coming at once. Wait until some of them are here.',
  'refusal.fileGone': 'The file is not here any more.',
  'refusal.fileFails': 'The file does not come. ({problem})',
  'refusal.fileNoRoom': 'There is no room for the file until you save it.',
  'refusal.areMember': 'You are a member of @{group} already.',
  'refusal.leaveFirst': 'You are a member of @{group}. Leave first.',
  'refusal.isMember': '{name} is a member already.',
  'refusal.noMember': '{name} is no member of @{group} any more.',
  'refusal.noCandidate': '{name} is no candidate of @{group} any more.',
  'refusal.notVouchedFor': 'Nobody has vouched for you yet. Ask to become a member first.',
  'refusal.fewVouches': 'You have {count} of the {needed} vouches that it takes.',
  'refusal.crowded': 'Too many strangers have asked to become members. Ask a member to propose you.',
  'refusal.otherDevice': 'Another device of yours is the member of @{group}. Do it there.',
  'refusal.membersOnly': 'Only members can do that, and you are none of @{group}.',
  'refusal.noMotion': 'This vote in @{group} is over, or is not known here.',
  'refusal.noVoice': 'You became a member after this was opened: you have no voice in it.',
  'refusal.vouchTakenBack': 'You took your vouch back, and that is for good.',
  'refusal.vouchedBefore': 'You have vouched already. It counts when it has gone round.',
  'refusal.votedBefore': 'You have voted already. It counts when it has gone round.',
  'refusal.vouchesSpent': 'In {days} days one can vouch {count} times, and you have done so.',
  'refusal.noGroup': 'The group {name} is not kept here. Open its link first.',
  'refusal.groupName': 'A group’s name has 1 to {max} characters, without spaces, @ and /. This was: {found}',
  'refusal.groupGone': 'The group is not kept here any more.',
  'refusal.groupForgotten': 'You have forgotten this group. Open its link again.',
  'refusal.groupNotArrived': 'The group’s log has not arrived yet. A member has to be connected.',
  'refusal.groupReaders': 'Only members can write to a group, on the device that joined.',
  'refusal.groupTooLarge': 'What only members read can go to at most {max} of them, and there are {count}.',
  'refusal.groupNoKey': 'No key could be made for this group. Try again.',
  'refusal.groupLostKeys':
    'This device came back from a copy that is older than its keys in this group. It takes new ones, once in 30 days.',
  'refusal.groupNoExpiry': 'A post to a group cannot expire: who keeps it cannot see when.',
  'refusal.groupLongPost': 'This is too long for a group: {size} bytes, and {max} may be posted.',
  'refusal.noRootKey':
    'This device does not hold the root key of your identity. Do it on the device on which you began, or come back there with your recovery words.',
  'refusal.manyDevices': 'You have added {max} devices, and there can be no more.',
  'refusal.thisDevice': 'A device cannot end itself. End it on another one.',
  'refusal.noConversation': 'There is no conversation {name} here.',
  'refusal.leftConversation': 'You do not belong to this conversation any more.',
  'refusal.messageSelf': 'A message is for somebody else.',
  'refusal.messageBlocked': 'You have blocked this person. Unblock and follow them first.',
  'refusal.messageStranger': 'Messages go between people who follow each other. Follow them first.',
  'refusal.messageNobody': 'This would reach nobody. Follow somebody in this conversation first.',
  'refusal.conversationAlone': 'A conversation needs somebody else.',
  'refusal.notInConversation': 'That person does not belong to the conversation.',
  'refusal.conversationName': 'The name is too long: it may have {max} bytes.',
  'refusal.noMessage': 'This message is not here any more.',
  'refusal.noAttachment': 'No file belongs to this message.'
}
