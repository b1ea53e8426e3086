// What is kept of whom, how much it may take, and the choice to keep more or less.
import { useSignal } from '@preact/signals'
import { post } from '../api.ts'
import type { SpaceShape } from '../shapes.ts'
import { space } from '../state/health.ts'
import { t, tn, type Word } from '../words/index.ts'
import { number, size } from '../words/quantities.ts'
import { Failure, Question } from './basics.tsx'
import { PersonLink } from './person.tsx'

const DISTANCES: readonly Word[] = ['distanceOwn', 'distanceFollowed', 'distanceBeyond']
const KEPT: Readonly<Record<SpaceShape['people'][number]['kept'], Word>> = {
  own: 'keptOwn',
  followed: 'keptFollowed',
  group: 'keptGroup',
  far: 'keptFar',
  unwanted: 'keptUnwanted',
  messages: 'keptMessages'
}
/** From most to least. */
const MODES: Readonly<Record<SpaceShape['store'], Word>> = {
  all: 'storeAll',
  groups: 'storeGroups',
  own: 'storeOwn',
  none: 'storeNone'
}
const QUOTAS = [100e6, 500e6, 1e9, 2e9, 5e9, 10e9, 50e9, 100e9]
/** People who are shown without being asked for. */
const FEW_PEOPLE = 8

export function Storage({ kept }: { kept: SpaceShape }) {
  return (
    <section>
      <h2>{t('storage')}</h2>
      <p>{t('quotaUsed', { used: size(kept.used), quota: size(kept.quota) })}</p>
      <progress class="wide" value={kept.used} max={Math.max(1, kept.quota)} aria-label={t('storage')} />
      {kept.files > 0 && <p class="hint">{t('filesTake', { size: size(kept.files) })}</p>}
      <ByDistance kept={kept} />
      <ByPerson kept={kept} />
      <Choices kept={kept} />
    </section>
  )
}

function ByDistance({ kept: { distances, groups, unwanted } }: { kept: SpaceShape }) {
  const rows = [
    ...distances.map(({ distance, feeds, bytes }) => ({ word: DISTANCES[distance], feeds, bytes })),
    { word: 'distanceGroups' as const, feeds: groups.feeds, bytes: groups.bytes },
    ...(unwanted > 0 ? [{ word: 'distanceUnwanted' as const, feeds: undefined, bytes: unwanted }] : [])
  ]
  const largest = Math.max(1, ...rows.map(({ bytes }) => bytes))
  return (
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
            <td>{feeds !== undefined && number(feeds)}</td>
            <td>
              <Bar part={bytes / largest} />
              {size(bytes)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function ByPerson({ kept: { people, others } }: { kept: SpaceShape }) {
  const isAll = useSignal(false)
  const totals = people.map(({ bytes, files }) => bytes + files)
  const shown = isAll.value ? people : people.slice(0, FEW_PEOPLE)
  if (people.length < 2) return null
  return (
    <>
      <h3>{t('byPerson')}</h3>
      <ul class="rows shares">
        {shown.map(({ did, name, kept, entries, bytes, files }, i) => (
          <li key={did} class="row between">
            <span class="grow">
              <PersonLink did={did} name={name} />
              <span class="hint block">
                {t(KEPT[kept])} · {tn('entryCount', entries)}
                {files > 0 && ` · ${t('filesOf', { size: size(files) })}`}
              </span>
            </span>
            <span class="figure">
              <Bar part={totals[i] / Math.max(1, totals[0])} />
              {size(bytes + files)}
            </span>
          </li>
        ))}
      </ul>
      {shown.length < people.length && (
        <button type="button" class="quiet" onClick={() => (isAll.value = true)}>
          {tn('showPeople', people.length)}
        </button>
      )}
      {isAll.value && others.people > 0 && (
        <p class="hint">{tn('otherPeople', others.people, { size: size(others.bytes + others.files) })}</p>
      )}
    </>
  )
}

function Bar({ part }: { part: number }) {
  return <span class="bar" style={{ '--part': String(part) }} aria-hidden="true" />
}

interface Change {
  verb: 'store' | 'quota'
  value: string | number
}

/** Keeping less erases at once, so it is asked about. */
function Choices({ kept }: { kept: SpaceShape }) {
  const failure = useSignal<unknown>(undefined)
  const asked = useSignal<Change | undefined>(undefined)
  const modes = Object.keys(MODES)
  const run = async ({ verb, value }: Change): Promise<void> => {
    failure.value = undefined
    space.value = await post<SpaceShape>(verb, { [verb]: value })
  }
  const choose = (change: Change, isLess: boolean): void => {
    if (isLess) asked.value = change
    else run(change).catch((error: unknown) => (failure.value = error))
  }
  const quotas = [...new Set([...QUOTAS, kept.quota])].toSorted((a, b) => a - b)
  // What was chosen is shown while it is asked about, and what holds again when it is not done.
  const { verb, value } = asked.value ?? {}
  return (
    <>
      <p class="row">
        <label>
          {t('storeChoice')}{' '}
          <select
            value={verb === 'store' ? value : kept.store}
            onChange={({ currentTarget: { value: mode } }) =>
              choose({ verb: 'store', value: mode }, modes.indexOf(mode) > modes.indexOf(kept.store))
            }
          >
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
            value={verb === 'quota' ? value : kept.quota}
            onChange={({ currentTarget: { value: bytes } }) =>
              choose({ verb: 'quota', value: Number(bytes) }, Number(bytes) < kept.used)
            }
          >
            {quotas.map((bytes) => (
              <option key={bytes} value={bytes}>
                {size(bytes)}
              </option>
            ))}
          </select>
        </label>
      </p>
      <Failure error={failure.value} />
      {asked.value !== undefined && (
        <Question
          title={t('keepLess')}
          yes={t('keepLessYes')}
          run={() => run(asked.value!)}
          onClose={() => (asked.value = undefined)}
        >
          <p>{t('keepLessAbout')}</p>
        </Question>
      )}
    </>
  )
}
