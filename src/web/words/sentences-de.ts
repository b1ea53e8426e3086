// What the node says, in German.
import type { CheckNames, Phrases } from './sentences-en.ts'

export const checkNamesDe: CheckNames = {
  store: 'Speicher',
  disk: 'Platte',
  signing: 'Unterschreiben',
  'identity log': 'Protokoll deiner Identität',
  addresses: 'Adressen',
  peers: 'Verbindungen',
  reachable: 'Von außen erreichbar',
  relay: 'Weiterreichen',
  contacts: 'Leute',
  contact: 'Nicht da',
  directory: 'Verzeichnis',
  messages: 'Private Nachrichten',
  quota: 'Platz für andere',
  config: 'Einstellungen'
}

export const sentencesDe: Phrases = {
  // why this device does not sign
  'pause.forked':
    'Was dieses Gerät schreibt, wurde an zwei Stellen fortgesetzt, bei Eintrag {entry}: Dort kann nichts mehr geschrieben werden.',
  'pause.behind':
    'Kontakte haben {theirs} Einträge dieses Geräts, und hier sind {ours}. Geschrieben wird erst, wenn die anderen hier sind.',
  'pause.backup':
    'Dieser Speicher ist älter als seine Schlüssel: Eine Sicherung wurde zurückgespielt. Du kannst wieder schreiben, wenn ein Kontakt zurückgegeben hat, was seitdem geschrieben wurde.',
  'pause.phrase':
    'Du bist mit deinen 24 Wörtern zurückgekommen. Schreiben kannst du, wenn jemand das Protokoll deiner Identität zurückgegeben hat.',
  'pause.logIncomplete':
    'Das Verzeichnis sagt, dass das Protokoll deiner Identität {count} Einträge hat; zurückgegeben wurden {height}. Auf jemanden mit den übrigen wird gewartet.',
  'pause.revoked': 'Ein anderes deiner Geräte hat dieses beendet: Hier wird nichts mehr geschrieben.',
  'pause.forkedForGood':
    'Was dieses Gerät schreibt, wurde an zwei Stellen fortgesetzt, bei Eintrag {entry}. Beende dieses Gerät auf dem, das den Hauptschlüssel hat, und lass es in einem leeren Ordner neu beitreten.',
  'pause.logForked':
    'Das Protokoll deiner Identität wurde an zwei Stellen fortgesetzt, bei Eintrag {entry}: Kein Gerät kann mehr hinzukommen oder beendet werden.',
  'pause.notNamed': 'Dieses Gerät steht noch nicht im Protokoll deiner Identität.',

  // what the node finds
  'store.sound': 'die Datenbank ist heil',
  'store.damaged': 'die Datenbank ist beschädigt: {problem}',
  'disk.free': '{freeBytes} frei',
  'disk.short': '{freeBytes} frei, und {reserveBytes} bleiben frei: von anderen wird nichts angenommen',
  'signing.works': 'dieses Gerät unterschreibt, was du schreibst',
  'log.whole': 'in einem Stück',
  'log.forked':
    'an zwei Stellen fortgesetzt, bei Eintrag {entry}: Kein Gerät kann mehr hinzukommen oder beendet werden',
  'addresses.known': {
    one: 'andere können es unter {count} Adresse versuchen',
    other: 'andere können es unter {count} Adressen versuchen'
  },
  'addresses.none': 'niemand kann sich mit diesem Knoten verbinden',
  'peers.connected': { one: 'mit {count} Gerät verbunden', other: 'mit {count} Geräten verbunden' },
  'reachable.used': 'jemand aus dem Internet hat sich mit diesem Knoten verbunden',
  'reachable.relayed': 'andere erreichen diesen Knoten über {names}',
  'reachable.public': {
    one: '{count} öffentliche Adresse ist bekannt gegeben; noch hat sie niemand benutzt',
    other: '{count} öffentliche Adressen sind bekannt gegeben; noch hat niemand eine benutzt'
  },
  'reachable.local': 'nur aus dem eigenen Netz ist dieser Knoten zu erreichen',
  'reachable.seen': 'andere sehen ihn unter {addresses}',
  'relay.off': 'für Freunde wird nichts weitergereicht, wie du es eingestellt hast',
  'relay.on':
    'Freunde und eigene Geräte, die hier darauf warten, erreicht zu werden: {waiting}; weitergereichte Verbindungen: {relayed}; {passedBytes} von {hourlyBytes} in dieser Stunde',
  'contacts.none': 'du folgst noch niemandem',
  'contacts.connected': {
    one: 'du folgst {count} Menschen; verbunden: {connected}, über einen Freund: {relayed}',
    other: 'du folgst {count} Leuten; verbunden: {connected}, über einen Freund: {relayed}'
  },
  'contact.away': '{name}: {reason}',
  'contact.lastReached': 'zuletzt erreicht {lastTime}',
  'contact.neverReached': 'noch nie erreicht',
  'contact.again': 'nächster Versuch in {inMs}',
  'contact.more': { one: 'und {count} Mensch mehr', other: 'und {count} Leute mehr' },
  'directory.off': 'nichts wird veröffentlicht und niemand nachgeschlagen, wie du es eingestellt hast',
  'directory.uncertified': 'dieses Gerät darf nicht veröffentlichen, wo es ist: Ihm fehlt die Bescheinigung',
  'directory.absent': 'noch bewahrt kein Knoten des Verzeichnisses auf, wo dieses Gerät ist',
  'directory.kept': {
    one: '{count} Knoten bewahrt auf, wo dieses Gerät ist, für alle, die deinen Schlüssel kennen',
    other: '{count} Knoten bewahren auf, wo dieses Gerät ist, für alle, die deinen Schlüssel kennen'
  },
  'directory.certified': 'dieses Gerät darf veröffentlichen bis {untilTime}',
  'messages.unavailable': 'libsignal {reason}',
  'messages.places':
    'Knoten, die sie für dich aufheben, solange dieses Gerät aus ist: {hosts}; Leute, denen du schreiben kannst, solange sie nicht da sind: {people}',
  'quota.used': '{usedBytes} von {quotaBytes} sind belegt',
  'quota.parts':
    'Leute, denen du folgst, {followedBytes}; deine Gruppen {groupBytes}; Leute weiter weg {farBytes}; nicht mehr gewünscht {unwantedBytes}',
  'config.understood': 'jede Einstellung ist verständlich',
  'config.warnings': 'nicht verstanden: {problems}',

  // why somebody was not reached
  'dial.noAddress': 'keine Adresse ist bekannt',
  'dial.noUsableAddress': 'keine Adresse ist bekannt, mit der man es versuchen kann',
  'dial.untried': 'noch nicht versucht',
  'dial.refused': 'der Rechner antwortet, aber dort läuft kein Knoten',
  'dial.noNetwork': 'von hier führt kein Weg in das andere Netz',
  'dial.private': 'nur private Adressen sind bekannt, und damit wird es nicht versucht',
  'dial.relayCannot': 'der Freund, der weiterreicht, kommt gerade nicht durch',
  'dial.relayFull': 'der Freund, der weiterreicht, hat keinen Platz',
  'dial.otherPeer': 'unter der Adresse antwortet jemand anderes',
  'dial.silence': 'dort antwortet niemand',
  'dial.other': '{problem}',

  // what to do
  'advice.restoreStore':
    'spiel feeds.sqlite aus einer Sicherung zurück, oder entfern es: Deine Kontakte geben es zurück',
  'advice.makeRoom': 'mach Platz auf der Platte, oder gib anderen unten weniger davon',
  'advice.makeRoomForOthers':
    'mach Platz auf der Platte, oder gib anderen unten weniger davon: Dann geht es von selbst weiter',
  'advice.joinAnew': 'lass dieses Gerät in einem leeren Ordner neu beitreten',
  'advice.meetFollower': 'verbinde dich mit jemandem, der dir folgt',
  'advice.newIdentity': 'fang eine neue Identität an, und sag es deinen Kontakten auf anderem Weg',
  'advice.listen': 'in einem Terminal: comrade config set listen /ip4/0.0.0.0/tcp/4040',
  'advice.findPeer': 'warte, bis jemand da ist, dem du folgst, oder lern jemanden kennen',
  'advice.forwardPort':
    'du musst nichts tun. Damit andere dich direkt erreichen, lass den Router den Port weiterleiten, den „comrade config get listen“ nennt; oder lass dir von jemandem folgen, der erreichbar ist: Dessen Knoten reicht Verbindungen weiter',
  'advice.nextHour': 'warte auf die nächste Stunde',
  'advice.follow': 'lern jemanden kennen: lade ein, oder nimm eine Einladung an',
  'advice.theirAddress': 'bitte um einen neuen Einladungslink: Darin steht, wo die Person ist',
  'advice.askStatus': 'frag nach, ob der andere Knoten läuft',
  'advice.ownNetwork': 'sieh zuerst nach deinem eigenen Netz',
  'advice.lanOn': 'wenn die Person in deinem Netz ist: comrade config set lan on, in einem Terminal',
  'advice.askRuns': 'frag nach, ob der andere Knoten läuft',
  'advice.later': 'nichts: Es wird wieder versucht',
  'advice.presentAddress': 'bitte um einen neuen Einladungslink: Darin steht, wo die Person jetzt ist',
  'advice.askRouter': 'frag nach, ob der andere Knoten läuft und ob ein Router im Weg ist',
  'advice.wait': 'warte einen Augenblick',
  'advice.rootDevice': 'lass das Gerät laufen, das den Hauptschlüssel hat',
  'advice.raiseQuota': 'gib anderen unten mehr Platz, oder bewahr nur eigene Daten auf',
  'advice.readConfig': 'in einem Terminal: comrade config list',
  'advice.installOptional': 'dort, wo der Knoten installiert ist: npm install --include=optional',
  'advice.otherMachine':
    'lass den Knoten auf einem anderen Rechner laufen: Linux auf x64 oder arm64 mit glibc {needed} oder neuer, macOS oder Windows',
  'advice.newerSystem':
    'lass den Knoten auf einem neueren System laufen: Linux auf x64 oder arm64 mit glibc {needed} oder neuer, macOS oder Windows',
  'advice.rebuild': 'dort, wo der Knoten installiert ist: npm rebuild oder npm ci; danach den Knoten neu starten',

  // why there are no private messages
  'libsignal.notInstalled': 'ist nicht installiert',
  'libsignal.noBuild': 'gibt es nicht für {system}',
  'libsignal.oldLibrary': 'braucht glibc {needed}, und dieses System hat {found}',
  'libsignal.otherLibrary': 'braucht glibc {needed}, und dieses System hat eine andere C-Bibliothek',
  'libsignal.broken': 'kann nicht geladen werden: {problem}',

  // what has happened
  'warning.fork':
    'Ein Gerät von jemandem hat an zwei Stellen geschrieben, wie nach einer zurückgespielten Sicherung. Aufbewahrt wird es bis Eintrag {entry}.',
  'warning.logFork':
    'Das Protokoll deiner Identität wurde an zwei Stellen fortgesetzt. Deine Geräte bleiben die bis Eintrag {entry}, und keines kann mehr hinzukommen oder beendet werden.',
  'warning.deviceReplaced':
    'Was dieses Gerät schreibt, wurde an zwei Stellen geschrieben: Es macht mit einem neuen Geräteschlüssel weiter.',
  'warning.stop': 'Nicht alles konnte beendet werden: {problem}',
  'warning.upkeep': 'Beim Aufräumen des Speichers ging etwas schief: {problem}',
  'warning.diskShort':
    'Auf der Platte sind nur noch {freeBytes} frei, und {reserveBytes} bleiben für das, was du selbst tust. Von anderen wird nichts angenommen, bis wieder Platz ist.',
  'warning.group': 'In einer Gruppe ging etwas schief: {problem}',
  'warning.sessionBroken':
    'Nachrichten von einem Gerät von {name} ließen sich nicht öffnen. Es wird gebeten, neu anzufangen und sie noch einmal zu schicken.',
  'warning.sessionRenewed':
    'Ein Gerät von {name} konnte nicht öffnen, was von hier kam, und hat neu angefangen. Es wird noch einmal geschickt.',
  'warning.sessionRefused':
    'Ein Gerät von {name} kommt mit anderen Schlüsseln für Nachrichten als bisher und wird abgewiesen. Frag auf anderem Weg nach; ist es wirklich {name}, lernt euch noch einmal kennen.',

  // what one should know about a group
  'group.notArrived': 'Das Protokoll der Gruppe ist noch nicht da. Es kommt, sobald jemand verbunden ist, der es hat.',
  'group.single': 'Nicht namenlos: In einer Gruppe mit einem einzigen Mitglied können andere erraten, wer bürgt.',
  'group.small': 'Nicht namenlos: In einer Gruppe mit nur {count} Mitgliedern können andere erraten, wer bürgt.',

  // why somebody is a member or not
  'standing.founder': '{name} hat die Gruppe gegründet.',
  'standing.asked': '{name} bat um Aufnahme: {count} von {needed} Bürgschaften; bürgen können {ring}.',
  'standing.askedAloud':
    '{name} bat um Aufnahme: {count} von {needed} Bürgschaften; bürgen können {ring}. Unter so wenigen bleibt niemand verborgen.',
  'standing.proposed': '{sponsor} schlug {name} vor: {count} von {needed} Bürgschaften; bürgen können {ring}.',
  'standing.proposedAloud':
    '{sponsor} schlug {name} vor: {count} von {needed} Bürgschaften; bürgen können {ring}. Unter so wenigen bleibt niemand verborgen.',
  'standing.joined': {
    one: '{name} wurde Mitglied mit {count} Bürgschaft (nötig: {needed}), davon mindestens {sure} von heutigen Mitgliedern.',
    other:
      '{name} wurde Mitglied mit {count} Bürgschaften (nötig: {needed}), davon mindestens {sure} von heutigen Mitgliedern.'
  },
  'standing.removedUnseen':
    'Dass {name} Mitglied wurde, zählt nicht: Jemand hat {name} ausgeschlossen, ohne es gesehen zu haben.',
  'standing.fewVouches': {
    one: 'Dass {name} Mitglied wurde, zählt nicht: {count} Bürgschaft, und nötig sind {needed}.',
    other: 'Dass {name} Mitglied wurde, zählt nicht: {count} Bürgschaften, und nötig sind {needed}.'
  },
  'standing.doubtfulVouches':
    'Dass {name} Mitglied wurde, zählt nicht: {count} Bürgschaften, davon bis zu {doubtful} von Leuten, die dafür nicht zählen, und nötig sind {needed}.',
  'standing.left': '{name} hat die Gruppe verlassen.',
  'standing.expelled': '{name} wurde mit {count} von {of} Stimmen ausgeschlossen.',
  'standing.candidacyInvalid': 'Eine Bewerbung von {name} zählt nicht: {reason}.',
  'standing.joinInvalid': 'Dass {name} Mitglied wurde, zählt nicht: {reason}.',
  'standing.leaveInvalid': 'Dass {name} die Gruppe verlassen hat, zählt nicht: {reason}.',
  'standing.certificateInvalid': 'Dass {name} ausgeschlossen wurde, zählt nicht: {reason}.',
  'standing.member': '{name} ist Mitglied.',
  'standing.notMember': '{name} ist nicht Mitglied.',

  // why something in a group's log does not count
  'invalid.late': 'die anderen erreichte es erst nach dem, was jetzt endgültig ist',
  'invalid.waits': 'es wartet auf das, worauf es beruht',
  'invalid.otherGroup': 'es gründet eine andere Gruppe',
  'invalid.unknown': 'dieses Programm weiß nicht, was es bedeutet',
  'invalid.proof': 'der Beweis dazu stimmt nicht',
  'invalid.author': 'wer es schrieb, war nicht Mitglied',
  'invalid.alreadyMember': 'die Person war schon Mitglied',
  'invalid.sponsor': 'wer sie vorschlug, war nicht Mitglied',
  'invalid.noCandidacy': 'es beruht auf keiner gültigen Bewerbung',
  'invalid.otherCandidate': 'die Bewerbung ist für jemand anderen',
  'invalid.wereMember': 'die Person war schon Mitglied',
  'invalid.usedKey': 'es bringt einen Schlüssel, den schon ein Mitglied hat',
  'invalid.oldCandidacy': 'die Zeit der Bewerbung ist vorbei',
  'invalid.expelsStranger': 'es würde jemanden ausschließen, der nicht Mitglied war',
  'invalid.noMotion': 'es beruht auf keinem gültigen Antrag',
  'invalid.oldMotion': 'die Zeit des Antrags ist vorbei',
  'invalid.carriedBefore': 'der Antrag wurde schon ausgeführt',
  'invalid.manyVouches': 'es nennt {count} Bürgschaften, und nur {ring} Leute konnten bürgen',
  'invalid.manyBallots': 'es nennt {count} Stimmen, und nur {ring} Leute konnten abstimmen',
  'invalid.fewVouches': 'es hat {count} von {needed} Bürgschaften verschiedener Mitglieder',
  'invalid.fewBallots': 'es hat {count} von {needed} Stimmen verschiedener Mitglieder',
  'invalid.usedRingKey': 'es bringt einen Schlüssel, den schon ein Mitglied hat',
  'invalid.rekeyedBefore': 'wer es schrieb, hat in dieser Zeit schon einen neuen Schlüssel genommen',
  'invalid.oldDay': 'sein Tag liegt vor dem, was endgültig ist',
  'invalid.noCheckpoint': 'es bestätigt nichts Gültiges',
  'invalid.notInRoster': 'wer es schrieb, hatte dort keine Stimme',
  'invalid.notOnStable': 'was es bestätigt, lässt aus, was endgültig ist',
  'invalid.notOnAcked': 'was es bestätigt, lässt aus, was vorher bestätigt wurde',

  // why something was refused
  'refusal.yourself': 'Das bist du selbst.',
  'refusal.blocked': 'Du hast {name} blockiert. Heb das zuerst auf.',
  'refusal.inviteExpired': 'Diese Einladung galt bis {endTime}. Bitte um eine neue.',
  'refusal.inviteOver': 'Diese Einladung gilt nicht mehr. Bitte um eine neue.',
  'refusal.inviteUsed': 'Jemand anderes hat diese Einladung benutzt. Bitte um eine neue.',
  'refusal.inviteUnknown':
    'Der andere Knoten kennt diese Einladung nicht: Vielleicht ist sie zu alt oder von einem anderen Gerät. Bitte um eine neue.',
  'refusal.declined': 'Die andere Seite möchte nicht.',
  'refusal.whereabouts': 'Niemand weiß, wo diese Person ist. Bitte sie um einen Einladungslink.',
  'refusal.noRecord': 'Niemand sagt, wo diese Person ist: weder das Verzeichnis noch ein Freund.',
  'refusal.askedByYou': 'Du hast {name} selbst gefragt, und noch ist keine Antwort da.',
  'refusal.noRequest': 'Eine Anfrage von {name} gibt es nicht mehr.',
  'refusal.samePerson': '{name} kann man sich nicht selbst vorstellen.',
  'refusal.notFollowed': 'Du folgst {name} nicht.',
  'refusal.introduceLater': '{name} ist gerade nicht zu erreichen. Stell beide einander vor, wenn beide da sind.',
  'refusal.noAnswer': 'Der andere Knoten antwortet nicht. Versuch es wieder, wenn er läuft.',
  'refusal.did': 'Das ist kein Schlüssel, oder nicht der ganze. Ein Schlüssel beginnt mit did:key:z6Mk.',
  'refusal.name': 'Das kann kein Name sein. ({problem})',
  'refusal.nameTaken': 'So nennst du schon jemand anderen. Nimm einen anderen Namen.',
  'refusal.unknown': 'Unter diesem Namen ist niemand bekannt.',
  'refusal.ambiguous': 'So heißen mehrere: Wähl nach dem Schlüssel.',
  'refusal.self': 'Mit dir selbst hat das keinen Sinn.',
  'refusal.isBlocked': 'Du hast diesen Menschen blockiert. Heb das zuerst auf.',
  'refusal.link': 'Das ist nicht der Link, der hierher gehört, oder nicht der ganze. Kopier ihn noch einmal ganz.',
  'refusal.noEntry': 'Dieser Beitrag ist hier nicht mehr aufbewahrt.',
  'refusal.otherEntry':
    'Löschen kannst du nur, was dieses Gerät geschrieben hat. Lösch es auf dem Gerät, das es schrieb.',
  'refusal.filesWithPosts': 'Dateien gehen nur mit Beiträgen.',
  'refusal.answerInGroup':
    'Was auf einen Beitrag in einer Gruppe antwortet, geht an diese Gruppe und nirgendwohin sonst.',
  'refusal.answerSealed': 'Darauf kannst du nicht antworten: Es ist versiegelt, und hier weiß man nicht, für wen.',
  'refusal.manyFiles': 'Zu einem Beitrag gehören höchstens {max} Dateien.',
  'refusal.emptyFile': '{name} ist leer.',
  'refusal.largeFile': '{name} ist zu groß: {sizeBytes}, und anhängen kann man {maxBytes}.',
  'refusal.uploadGone':
    'Die gewählte Datei wird nicht mehr aufgehoben: Nach einer Stunde wird sie vergessen. Wähl sie noch einmal.',
  'refusal.uploadsBusy': 'Zu viele Dateien kommen auf einmal. Warte, bis einige da sind.',
  'refusal.fileGone': 'Die Datei ist nicht mehr hier.',
  'refusal.fileFails': 'Die Datei kommt nicht. ({problem})',
  'refusal.fileNoRoom': 'Für die Datei ist kein Platz, solange du sie nicht speicherst.',
  'refusal.areMember': 'Du bist schon Mitglied von @{group}.',
  'refusal.leaveFirst': 'Du bist Mitglied von @{group}. Verlass die Gruppe zuerst.',
  'refusal.isMember': '{name} ist schon Mitglied.',
  'refusal.noMember': '{name} ist nicht mehr Mitglied von @{group}.',
  'refusal.noCandidate': '{name} bewirbt sich nicht mehr bei @{group}.',
  'refusal.notVouchedFor': 'Noch hat niemand für dich gebürgt. Bitte zuerst um Aufnahme.',
  'refusal.fewVouches': 'Du hast {count} von {needed} Bürgschaften, die es braucht.',
  'refusal.crowded': 'Zu viele Fremde haben um Aufnahme gebeten. Bitte ein Mitglied, dich vorzuschlagen.',
  'refusal.otherDevice': 'Ein anderes deiner Geräte ist Mitglied von @{group}. Tu es dort.',
  'refusal.membersOnly': 'Das können nur Mitglieder, und du bist keines von @{group}.',
  'refusal.noMotion': 'Diese Abstimmung in @{group} ist vorbei oder hier nicht bekannt.',
  'refusal.noVoice': 'Du wurdest erst Mitglied, als das schon begonnen hatte: Du hast dabei keine Stimme.',
  'refusal.vouchTakenBack': 'Du hast deine Bürgschaft zurückgenommen, und das gilt für immer.',
  'refusal.vouchedBefore': 'Du hast schon gebürgt. Es zählt, wenn es herumgegangen ist.',
  'refusal.votedBefore': 'Du hast schon abgestimmt. Es zählt, wenn es herumgegangen ist.',
  'refusal.vouchesSpent': 'In {days} Tagen kann man {count}-mal bürgen, und das hast du getan.',
  'refusal.noGroup': 'Die Gruppe {name} ist hier nicht aufbewahrt. Öffne zuerst ihren Link.',
  'refusal.groupName': 'Der Name einer Gruppe hat 1 bis {max} Zeichen, ohne Leerzeichen, @ und /. Das war: {found}',
  'refusal.groupGone': 'Die Gruppe ist hier nicht mehr aufbewahrt.',
  'refusal.groupForgotten': 'Du hast diese Gruppe vergessen. Öffne ihren Link noch einmal.',
  'refusal.groupNotArrived': 'Das Protokoll der Gruppe ist noch nicht da. Ein Mitglied muss verbunden sein.',
  'refusal.groupReaders': 'An eine Gruppe schreiben können nur Mitglieder, auf dem Gerät, das beigetreten ist.',
  'refusal.groupTooLarge': 'Was nur Mitglieder lesen, geht an höchstens {max} von ihnen, und es sind {count}.',
  'refusal.groupNoKey': 'Für diese Gruppe konnte kein Schlüssel gemacht werden. Versuch es noch einmal.',
  'refusal.groupLostKeys':
    'Dieses Gerät kam aus einer Kopie zurück, die älter ist als seine Schlüssel in dieser Gruppe. Es nimmt neue, einmal in 30 Tagen.',
  'refusal.groupNoExpiry': 'Ein Beitrag an eine Gruppe kann nicht ablaufen: Wer ihn aufbewahrt, sieht nicht, wann.',
  'refusal.groupLongPost': 'Das ist zu lang für eine Gruppe: {size} Byte, und {max} dürfen es sein.',
  'refusal.noRootKey':
    'Dieses Gerät hat den Hauptschlüssel deiner Identität nicht. Tu es auf dem Gerät, auf dem du angefangen hast, oder komm dort mit deinen 24 Wörtern zurück.',
  'refusal.manyDevices': 'Du hast {max} Geräte hinzugefügt, und mehr können es nicht werden.',
  'refusal.thisDevice': 'Ein Gerät kann sich nicht selbst beenden. Beende es auf einem anderen.',
  'refusal.noConversation': 'Ein Gespräch {name} gibt es hier nicht.',
  'refusal.leftConversation': 'Du gehörst nicht mehr zu diesem Gespräch.',
  'refusal.messageSelf': 'Eine Nachricht ist für jemand anderen.',
  'refusal.messageBlocked': 'Du hast diesen Menschen blockiert. Heb das zuerst auf, und folge ihm.',
  'refusal.messageStranger': 'Nachrichten gehen zwischen Leuten, die einander folgen. Folge der Person zuerst.',
  'refusal.messageNobody': 'Das würde niemanden erreichen. Folge zuerst jemandem in diesem Gespräch.',
  'refusal.conversationAlone': 'Zu einem Gespräch gehört noch jemand.',
  'refusal.notInConversation': 'Diese Person gehört nicht zum Gespräch.',
  'refusal.conversationName': 'Der Name ist zu lang: Er darf {max} Byte haben.',
  'refusal.noMessage': 'Diese Nachricht ist nicht mehr hier.',
  'refusal.noAttachment': 'Zu dieser Nachricht gehört keine Datei.'
}
