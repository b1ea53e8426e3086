// What has happened to the node while the page was open: only there when something has.
import { useEffect } from 'preact/hooks'
import { When } from './basics.tsx'
import { noteSeen, warnings } from '../state/warnings.ts'
import { t } from '../words/index.ts'
import { said } from '../words/sentence.ts'

export function WarningList() {
  const all = warnings.value
  useEffect(noteSeen, [all])
  if (all.length === 0) return null
  return (
    <section>
      <h2>{t('happened')}</h2>
      <ul class="checks">
        {all.map((warning) => (
          <li key={`${warning.time} ${warning.code}`} class="check-bad">
            {said(warning.sentence)} <When time={warning.time} />
          </li>
        ))}
      </ul>
    </section>
  )
}
