// What this browser remembers: how the page looks, how far one has read, what one does not want to hear of.
import { effect, signal, type Signal } from '@preact/signals'

/** A value that outlives the page. Where the browser keeps nothing, it lives as long as the page. */
function kept<T>(name: string, otherwise: T, isFit: (value: unknown) => value is T): Signal<T> {
  const value = signal(read(name, otherwise, isFit))
  effect(() => write(name, value.value))
  return value
}

function read<T>(name: string, otherwise: T, isFit: (value: unknown) => value is T): T {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(`comrade.${name}`) ?? 'null')
    return isFit(value) ? value : otherwise
  } catch {
    return otherwise
  }
}

function write(name: string, value: unknown): void {
  try {
    localStorage.setItem(`comrade.${name}`, JSON.stringify(value))
  } catch {
    // private windows may refuse; then it is forgotten with the page
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)

const isTextByName = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && Object.values(value).every(isText)

export type Theme = 'system' | 'light' | 'dark'
const isTheme = (value: unknown): value is Theme => value === 'system' || value === 'light' || value === 'dark'

export const theme = kept<Theme>('theme', 'system', isTheme)
/** Language of the page; empty: as the browser prefers. */
export const chosenLanguage = kept('language', '', isText)
/** Newest post's time when a place (the feed, a group, a thread) was looked at last, in ISO 8601. */
export const visits = kept<Record<string, string>>('visits', {}, isTextByName)
/** Places that are remembered; those that were not visited for longest go first. */
const MAX_VISITS = 300

export function noteVisit(place: string, time: string): void {
  const { [place]: before = '', ...others } = visits.value
  if (time > before) visits.value = Object.fromEntries([...Object.entries(others), [place, time]].slice(-MAX_VISITS))
}
/** Newest notice that was looked at, in ISO 8601. */
export const noticesSeen = kept('noticesSeen', '', isText)
/** Roots of threads that give no notice. */
export const muted = kept<string[]>('muted', [], isTexts)
/** Whether the recovery phrase was put by, or the user goes on without. */
export const welcomed = kept('welcomed', '', isText)

export function applyTheme(): void {
  effect(() => {
    if (theme.value === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme.value
  })
}
