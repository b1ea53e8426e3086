// The first run: a name, the recovery phrase, and somebody to read. Whoever left the phrase for later comes back to it here.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get } from '../api.ts'
import { Action, MeetLinks } from '../parts/basics.tsx'
import { Form } from '../parts/fields.tsx'
import { welcomed } from '../state/choices.ts'
import { changeProfile, profile, putPhraseBy } from '../state/me.ts'
import { at } from '../state/route.ts'
import { line } from '../text.ts'
import { t } from '../words/index.ts'
import { LanguageChoice } from './settings.tsx'

type Step = 'name' | 'phrase' | 'confirm' | 'people'
/** How many words are asked for again. */
const ASKED = 3

export function Welcome() {
  const step = useSignal<Step>(profile.value?.name === null ? 'name' : 'phrase')
  const phrase = useSignal<string | undefined>(undefined)
  useEffect(() => {
    if (step.value === 'phrase') void next()
  }, [])
  /** The phrase is there until it was put by; where the node does not keep it, only in the run that made it. */
  const next = async (): Promise<void> => {
    const answer = await get<{ phrase: string | null }>('recovery')
    phrase.value = answer.phrase ?? undefined
    step.value = answer.phrase === null ? 'people' : 'phrase'
  }
  const words = phrase.value?.split(' ') ?? []
  return (
    <main class="alone welcome">
      <p class="row between">
        <span class="brand">Comrade</span>
        <LanguageChoice />
      </p>
      {step.value === 'name' && <NameStep onDone={next} />}
      {step.value === 'phrase' && words.length > 0 && (
        <PhraseStep words={words} onDone={() => (step.value = 'confirm')} />
      )}
      {step.value === 'confirm' && (
        <ConfirmStep words={words} onBack={() => (step.value = 'phrase')} onDone={() => (step.value = 'people')} />
      )}
      {step.value === 'people' && <PeopleStep />}
    </main>
  )
}

function NameStep({ onDone }: { onDone: () => Promise<void> }) {
  const name = useSignal('')
  const save = async (): Promise<void> => {
    welcomed.value = 'begun'
    await changeProfile({ name: name.value.trim() })
    await onDone()
  }
  return (
    <Form>
      <h1 tabIndex={-1}>{t('welcomeTitle')}</h1>
      <p>{t('welcomeAbout')}</p>
      <label class="field">
        {t('yourName')}
        <input
          type="text"
          maxLength={64}
          autocomplete="nickname"
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
      </label>
      <p class="hint">{t('yourNameAbout')}</p>
      <Action kind="main" isSubmit run={save} isDisabled={name.value.trim() === ''}>
        {t('goOn')}
      </Action>
    </Form>
  )
}

function PhraseStep({ words, onDone }: { words: readonly string[]; onDone: () => void }) {
  return (
    <>
      <h1 tabIndex={-1}>{t('phraseTitle')}</h1>
      <p>{t('phraseAbout')}</p>
      <ol class="words" translate={false}>
        {words.map((word) => (
          <li key={word}>{word}</li>
        ))}
      </ol>
      <p class="hint">{t('phraseHint')}</p>
      <p class="row">
        <button type="button" class="main" onClick={onDone}>
          {t('phraseWritten')}
        </button>
        <Later />
      </p>
    </>
  )
}

interface ConfirmProps {
  words: readonly string[]
  onBack: () => void
  onDone: () => void
}

/** Asks for some of the words, so that they are on paper and not only on the screen. */
function ConfirmStep({ words, onBack, onDone }: ConfirmProps) {
  const asked = useSignal(someOf(words.length))
  const given = useSignal<readonly string[]>(asked.value.map(() => ''))
  const isRight = asked.value.every((place, index) => given.value[index].trim().toLowerCase() === words[place])
  const isFull = given.value.every((word) => word.trim() !== '')
  const confirm = async (): Promise<void> => {
    if (!isRight) throw new Error(t('phraseWrong'))
    await putPhraseBy()
    onDone()
  }
  return (
    <Form>
      <h1 tabIndex={-1}>{t('confirmTitle')}</h1>
      <p>{t('confirmAbout')}</p>
      {asked.value.map((place, index) => (
        <label key={place} class="field">
          {t('wordNumber', { number: place + 1 })}
          <input
            type="text"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            value={given.value[index]}
            onInput={({ currentTarget: { value } }) =>
              (given.value = given.value.map((word, each) => (each === index ? value : word)))
            }
          />
        </label>
      ))}
      <p class="row">
        <Action kind="main" isSubmit run={confirm} isDisabled={!isFull}>
          {t('goOn')}
        </Action>
        <button type="button" class="plain" onClick={onBack}>
          {t('showAgain')}
        </button>
      </p>
    </Form>
  )
}

function someOf(count: number): number[] {
  const places = Array.from({ length: count }, (_, place) => place)
  const drawn = places.map((place) => ({ place, order: Math.random() })).toSorted((a, b) => a.order - b.order)
  return drawn
    .slice(0, ASKED)
    .map(({ place }) => place)
    .toSorted((a, b) => a - b)
}

function leave(): void {
  welcomed.value = 'done'
}

function Later() {
  return (
    <a href={at('feed')} onClick={leave}>
      {t('later')}
    </a>
  )
}

function PeopleStep() {
  return (
    <>
      <h1 tabIndex={-1}>{t('peopleTitle', { name: line(profile.value?.name ?? '') })}</h1>
      <p>{t('peopleAbout')}</p>
      <p class="row">
        <MeetLinks onLeave={leave} />
      </p>
      <p>
        <Later />
      </p>
    </>
  )
}
