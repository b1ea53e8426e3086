// "Is it working?": the node's connections, what it keeps, what it found when it looked after itself, and what to do.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get } from '../api.ts'
import { Action, Failure, Title } from '../parts/basics.tsx'
import { Connections } from '../parts/connections.tsx'
import { Exchange } from '../parts/exchange.tsx'
import { Storage } from '../parts/storage.tsx'
import { WarningList } from '../parts/warnings.tsx'
import { failure, peers, space, watchHealth } from '../state/health.ts'
import { status } from '../state/me.ts'
import { at } from '../state/route.ts'
import type { CheckShape } from '../shapes.ts'
import { t, tn } from '../words/index.ts'
import { duration, number, size } from '../words/quantities.ts'
import { checkName, said, saidTogether } from '../words/sentence.ts'

export function HealthView() {
  const checks = useSignal<CheckShape[] | undefined>(undefined)
  const examine = async (): Promise<void> => {
    checks.value = await get<CheckShape[]>('doctor')
  }
  useEffect(() => {
    void examine().catch(() => {})
    return watchHealth()
  }, [])
  return (
    <>
      <Title aside={<a href={at('settings')}>{t('settings')}</a>}>{t('healthTitle')}</Title>
      <Failure error={failure.value} />
      <Summary checks={checks.value} />
      {status.value !== undefined && <Exchange sync={status.value.sync} />}
      <Connections peers={peers.value} />
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
      {space.value !== undefined && <Storage kept={space.value} />}
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
          <dd>{number(node.peers)}</dd>
        </div>
        <div>
          <dt>{t('figureEntries')}</dt>
          <dd>{number(node.entries)}</dd>
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

function Check({ check: { check, ok, sentences, advice } }: { check: CheckShape }) {
  return (
    <li class={ok ? 'check-ok' : 'check-bad'}>
      <p>
        <strong>
          <span aria-hidden="true">{ok ? '✓ ' : '✗ '}</span>
          {checkName(check)}
          <span aria-hidden="true">:</span>
        </strong>
        <span class="hidden">{ok ? t('isOk') : t('isBad')}</span> {saidTogether(sentences)}
      </p>
      {advice !== undefined && <p class="hint">→ {said(advice)}</p>}
    </li>
  )
}
