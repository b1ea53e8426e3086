// "Is it working?": the node's connections, what it keeps, what it found when it looked after itself, and what to do.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, post } from '../api.ts'
import { Action, Failure, Title } from '../parts/basics.tsx'
import { PersonLink, Sign } from '../parts/person.tsx'
import { WarningList } from '../parts/warnings.tsx'
import { onEvent } from '../state/live.ts'
import { loadStatus, status } from '../state/me.ts'
import { at } from '../state/route.ts'
import { line } from '../text.ts'
import type { CheckShape, PeerShape, SpaceShape } from '../shapes.ts'
import { t, tn, type Word } from '../words/index.ts'
import { ago, duration, milliseconds, size } from '../words/quantities.ts'
import { checkName, said, saidTogether } from '../words/sentence.ts'

/** How often what changes by itself is asked for, in ms. */
const LOOK_MS = 3_000

export function HealthView() {
  const peers = useSignal<PeerShape[]>([])
  const space = useSignal<SpaceShape | undefined>(undefined)
  const checks = useSignal<CheckShape[] | undefined>(undefined)
  const failure = useSignal<unknown>(undefined)
  const look = async (): Promise<void> => {
    try {
      const [connected, kept] = await Promise.all([get<PeerShape[]>('peers'), get<SpaceShape>('store'), loadStatus()])
      peers.value = connected
      space.value = kept
      failure.value = undefined
    } catch (error) {
      failure.value = error
    }
  }
  const examine = async (): Promise<void> => {
    checks.value = await get<CheckShape[]>('doctor')
  }
  useEffect(() => {
    void look()
    void examine().catch(() => {})
    const timer = setInterval(() => void look(), LOOK_MS)
    const ends = ['peer:connect', 'peer:disconnect', 'open'].map((event) => onEvent(event, () => void look()))
    return () => {
      clearInterval(timer)
      for (const end of ends) end()
    }
  }, [])
  return (
    <>
      <Title aside={<a href={at('settings')}>{t('settings')}</a>}>{t('healthTitle')}</Title>
      <Failure error={failure.value} />
      <Summary checks={checks.value} />
      <section>
        <h2>{t('connections')}</h2>
        {peers.value.length === 0 ? <p>{t('noConnections')}</p> : <Peers peers={peers.value} />}
      </section>
      <WarningList />
      <section>
        <h2>{t('checks')}</h2>
        <ul class="checks">
          {checks.value?.map((check, index) => (
            <Check key={index} check={check} />
          ))}
        </ul>
        <Action run={examine}>{t('checkAgain')}</Action>
      </section>
      {space.value !== undefined && <Storage space={space.value} onChange={(kept) => (space.value = kept)} />}
    </>
  )
}

function Summary({ checks }: { checks: readonly CheckShape[] | undefined }) {
  const node = status.value
  if (node === undefined) return null
  const failed = (checks ?? []).filter(({ ok }) => !ok).length
  return (
    <>
      <p class={failed === 0 ? 'notice good' : 'notice bad'} role="status">
        {checks === undefined ? t('checking') : failed === 0 ? t('allWell') : tn('faults', failed)}
      </p>
      {node.pause !== undefined && <p class="notice bad">{said(node.pause)}</p>}
      <dl class="figures">
        <div>
          <dt>{t('figurePeers')}</dt>
          <dd>{node.peers}</dd>
        </div>
        <div>
          <dt>{t('figureEntries')}</dt>
          <dd>{node.entries}</dd>
        </div>
        <div>
          <dt>{t('figureBytes')}</dt>
          <dd>{size(node.bytes)}</dd>
        </div>
        <div>
          <dt>{t('figureUptime')}</dt>
          <dd>{duration(node.uptimeMs)}</dd>
        </div>
      </dl>
      <p class="hint">
        Comrade {node.version} · {tn('figureFeeds', node.feeds)}
      </p>
    </>
  )
}

function Peers({ peers }: { peers: readonly PeerShape[] }) {
  return (
    <ul class="rows peers">
      {peers.map(({ peerId, did, name, address, direction, latencyMs, since }) => (
        <li key={`${peerId} ${address}`} class="row-entry">
          <Sign did={did ?? peerId} name={name ?? peerId.slice(-4)} isSmall />
          <div class="grow">
            <p class="row between">
              {did === null ? (
                <span>{t('unknownPeer', { id: peerId.slice(-8) })}</span>
              ) : (
                <span>
                  <PersonLink did={did} name={name ?? ''} />
                </span>
              )}
              <span class="figure">{latencyMs === null ? '–' : milliseconds(latencyMs)}</span>
            </p>
            <p class="hint">
              {t(address.includes('/p2p-circuit') ? 'relayed' : 'direct')} ·{' '}
              {t(direction === 'inbound' ? 'inbound' : 'outbound')} · {t('since')} {ago(since, t('justNow'))}
            </p>
            <p class="hint did">{line(address)}</p>
          </div>
        </li>
      ))}
    </ul>
  )
}

function Check({ check: { check, ok, sentences, advice } }: { check: CheckShape }) {
  return (
    <li class={ok ? 'check-ok' : 'check-bad'}>
      <p>
        <strong>
          <span aria-hidden="true">{ok ? '✓ ' : '✗ '}</span>
          {checkName(check)}
        </strong>
        <span class="hidden">{ok ? t('isOk') : t('isBad')}</span> {saidTogether(sentences)}
      </p>
      {advice !== undefined && <p class="hint">→ {said(advice)}</p>}
    </li>
  )
}

const DISTANCES: readonly Word[] = ['distanceOwn', 'distanceFollowed', 'distanceBeyond']
const MODES: Readonly<Record<SpaceShape['store'], Word>> = {
  all: 'storeAll',
  groups: 'storeGroups',
  own: 'storeOwn',
  none: 'storeNone'
}
const QUOTAS = [100e6, 500e6, 1e9, 2e9, 5e9, 10e9, 50e9, 100e9]

/** What is kept of whom, and how much it may take. */
function Storage({ space, onChange }: { space: SpaceShape; onChange: (space: SpaceShape) => void }) {
  const failure = useSignal<unknown>(undefined)
  const change = (verb: string, body: object): void => {
    post<SpaceShape>(verb, body)
      .then(onChange)
      .catch((error: unknown) => (failure.value = error))
  }
  const rows = [
    ...space.distances.map(({ distance, feeds, bytes }) => ({ word: DISTANCES[distance], feeds, bytes })),
    { word: 'distanceGroups' as const, feeds: space.groups.feeds, bytes: space.groups.bytes }
  ]
  const largest = Math.max(1, ...rows.map(({ bytes }) => bytes))
  return (
    <section>
      <h2>{t('storage')}</h2>
      <p>{t('quotaUsed', { used: size(space.used), quota: size(space.quota) })}</p>
      <progress class="wide" value={space.used} max={space.quota} aria-label={t('storage')} />
      <table>
        <thead>
          <tr>
            <th scope="col">{t('storedOf')}</th>
            <th scope="col">{t('feedsColumn')}</th>
            <th scope="col">{t('sizeColumn')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ word, feeds, bytes }) => (
            <tr key={word}>
              <th scope="row">{t(word)}</th>
              <td>{feeds}</td>
              <td>
                <span class="bar" style={{ '--part': String(bytes / largest) }} aria-hidden="true" />
                {size(bytes)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="row">
        <label>
          {t('storeChoice')}{' '}
          <select value={space.store} onChange={({ currentTarget: { value } }) => change('store', { store: value })}>
            {Object.entries(MODES).map(([mode, word]) => (
              <option key={mode} value={mode}>
                {t(word)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t('quotaChoice')}{' '}
          <select
            value={space.quota}
            onChange={({ currentTarget: { value } }) => change('quota', { quota: Number(value) })}
          >
            {[...new Set([...QUOTAS, space.quota])]
              .toSorted((a, b) => a - b)
              .map((bytes) => (
                <option key={bytes} value={bytes}>
                  {size(bytes)}
                </option>
              ))}
          </select>
        </label>
      </p>
      <Failure error={failure.value} />
    </section>
  )
}
