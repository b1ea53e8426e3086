// Who is connected: own devices, people, and nodes of strangers, each once, with how they are reached and how far they are.
import type { PeerShape } from '../shapes.ts'
import { line } from '../text.ts'
import { personOf } from '../state/people.ts'
import { t, tn, type Word } from '../words/index.ts'
import { ago, milliseconds } from '../words/quantities.ts'
import { PersonLink, Sign } from './person.tsx'

/** Strangers who are shown without being asked for. */
const FEW_STRANGERS = 3

export function Connections({ peers }: { peers: readonly PeerShape[] }) {
  const known = peers.filter(({ did }) => did !== null)
  const strangers = peers.filter(({ did }) => did === null)
  // In an order that stays: own devices, then people by name.
  const inOrder = known.toSorted(
    (a, b) =>
      Number(b.relation === 'self') - Number(a.relation === 'self') || (a.name ?? '').localeCompare(b.name ?? '')
  )
  return (
    <section>
      <h2>{t('connections')}</h2>
      {peers.length === 0 && <p>{t('noConnections')}</p>}
      <Rows peers={strangers.length <= FEW_STRANGERS ? [...inOrder, ...strangers] : inOrder} />
      {strangers.length > FEW_STRANGERS && (
        <details>
          <summary>{tn('strangers', strangers.length)}</summary>
          <Rows peers={strangers} />
        </details>
      )}
    </section>
  )
}

function Rows({ peers }: { peers: readonly PeerShape[] }) {
  return (
    <ul class="rows peers">
      {peers.map((peer) => (
        <Row key={peer.peerId} peer={peer} />
      ))}
    </ul>
  )
}

function Row({ peer }: { peer: PeerShape }) {
  const { peerId, did, name, address, latencyMs, since, connections, isRelay } = peer
  const parts = [
    wayOf(peer),
    t('sinceAgo', { ago: ago(since, t('justNow')) }),
    ...(connections > 1 ? [tn('connectionCount', connections)] : [])
  ]
  return (
    <li class="row-entry">
      <Sign did={did ?? peerId} name={name ?? peerId.slice(-4)} isSmall />
      <div class="grow">
        <p class="row between">
          <span>
            <Who peer={peer} />
          </span>
          <span class="figure">{latencyMs === null ? '–' : milliseconds(latencyMs)}</span>
        </p>
        <p class="hint">{parts.join(' · ')}</p>
        <p class="hint">{[syncText(peer), ...(isRelay ? [t('waitsThere')] : [])].join(' · ')}</p>
        <p class="hint did" title={line(address)}>
          {line(address)}
        </p>
      </div>
    </li>
  )
}

function Who({ peer: { peerId, did, name, device } }: { peer: PeerShape }) {
  if (did === null) return <>{t('unknownPeer', { id: peerId.slice(-8) })}</>
  if (device !== null) return <strong>{t('ownDevice', { name: line(device) })}</strong>
  return <PersonLink did={did} name={name ?? ''} warnings={personOf(did)?.warnings} />
}

/** Directly, or through whom. */
function wayOf({ relayed, through }: PeerShape): string {
  if (!relayed) return t('direct')
  const name = through?.name ?? undefined
  return name === undefined ? t('relayed') : t('relayedBy', { name: line(name) })
}

const SYNC_STATES: Readonly<Record<NonNullable<PeerShape['sync']>['state'], Word>> = {
  comparing: 'stateComparing',
  fetching: 'stateFetching',
  current: 'stateCurrent'
}

function syncText({ sync }: PeerShape): string {
  if (sync === null) return t('stateNone')
  if (sync.missing > 0) return tn('entriesMissing', sync.missing)
  return `${t(SYNC_STATES[sync.state])}, ${tn('sharedFeeds', sync.feeds)}`
}
