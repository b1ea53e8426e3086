// What comes from others now, how far it is, and with whom nothing is missing any more.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { SyncShape } from '../shapes.ts'
import { t, tn } from '../words/index.ts'
import { agoInSeconds, size } from '../words/quantities.ts'

/** How often "12 seconds ago" is said anew, in ms. */
const TICK_MS = 1_000

export function Exchange({ sync }: { sync: SyncShape }) {
  const { comparing, people, missing, files, last } = sync
  const isQuiet = comparing === 0 && missing === 0
  return (
    <section>
      <h2>{t('exchange')}</h2>
      <p>
        {comparing > 0 && `${tn('comparingWith', comparing)} `}
        {missing > 0 && `${tn('entriesToCome', missing)} `}
        {isQuiet && (people > 0 ? tn('upToDateWith', people) : t('upToDateWithNobody'))}
      </p>
      {missing > 0 && <EntriesProgress sync={sync} />}
      {files.fetching > 0 && (
        <>
          <p>
            {tn('filesComing', files.fetching)}{' '}
            {files.size > 0 && t('partOf', { have: size(files.have), size: size(files.size) })}
          </p>
          <progress class="wide" value={files.have} max={Math.max(1, files.size)} aria-label={t('filesProgress')} />
        </>
      )}
      {files.waiting > 0 && <p class="hint">{tn('filesWaiting', files.waiting)}</p>}
      {last !== null && <LastExchange last={last} />}
    </section>
  )
}

/** From what there was when entries began to come; what comes meanwhile makes the way longer. */
function EntriesProgress({ sync: { received, missing } }: { sync: SyncShape }) {
  const begin = useSignal(received)
  const have = received - begin.value
  return <progress class="wide" value={have} max={have + missing} aria-label={t('entriesProgress')} />
}

function LastExchange({ last }: { last: string }) {
  const now = useSignal(Date.now())
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), TICK_MS)
    return () => clearInterval(timer)
  }, [])
  return <p class="hint">{t('lastExchange', { ago: agoInSeconds(last, now.value) })}</p>
}
