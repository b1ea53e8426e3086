// Times, sizes and lengths of time, as the user's language writes them.
import { computed, signal } from '@preact/signals'
import { language, numbers } from './index.ts'

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['week', 7 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000]
]
const SIZES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const
const TICK_MS = 30_000

const now = signal(Date.now())
const shortAges = computed(() => new Intl.RelativeTimeFormat(language.value, { style: 'short' }))
const moments = computed(() => new Intl.DateTimeFormat(language.value, { dateStyle: 'long', timeStyle: 'short' }))

/** Lets what is shown grow older. */
export function watchTime(): void {
  setInterval(() => (now.value = Date.now()), TICK_MS)
}

/** "5 minutes ago". */
export function ago(iso: string, justNow: string): string {
  const sinceMs = Math.max(0, now.value - Date.parse(iso))
  const [unit, unitMs] = UNITS.find(([, ms]) => sinceMs >= ms) ?? []
  if (unit === undefined || unitMs === undefined) return justNow
  return shortAges.value.format(-Math.floor(sinceMs / unitMs), unit)
}

/** Whether a moment has come. */
export function isPast(iso: string | null): boolean {
  return iso !== null && Date.parse(iso) <= now.value
}

/** "12 seconds ago". */
export function agoInSeconds(iso: string, nowMs: number): string {
  const sinceMs = Math.max(0, nowMs - Date.parse(iso))
  const [unit, unitMs] = UNITS.find(([, ms]) => sinceMs >= ms) ?? ['second', 1_000]
  return new Intl.RelativeTimeFormat(language.value).format(-Math.floor(sinceMs / unitMs), unit)
}

/** "21 November 2026 at 16:05". */
export function moment(iso: string): string {
  return moments.value.format(new Date(iso))
}

/** "16:05" today, else the day as well. */
export function clock(iso: string): string {
  const date = new Date(iso)
  const isToday = date.toDateString() === new Date(now.value).toDateString()
  const day: Intl.DateTimeFormatOptions = isToday ? {} : { day: 'numeric', month: 'short' }
  return new Intl.DateTimeFormat(language.value, { ...day, hour: '2-digit', minute: '2-digit' }).format(date)
}

/** "1.2 MB", in powers of 1,000. */
export function size(bytes: number): string {
  const power = bytes < 1_000 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log10(bytes) / 3))
  const options = {
    style: 'unit',
    unit: SIZES[power],
    unitDisplay: power === 0 ? 'long' : 'short', // "845 byte" is how the short one has it
    maximumFractionDigits: power === 0 ? 0 : 1
  } as const
  return new Intl.NumberFormat(language.value, options).format(bytes / 1_000 ** power)
}

/** "3 hours", in the largest unit that fits. */
export function duration(ms: number): string {
  const [unit, unitMs] = UNITS.slice(3).find(([, each]) => ms >= each) ?? ['second', 1_000]
  const options = { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 } as const
  return new Intl.NumberFormat(language.value, options).format(Math.floor(ms / unitMs))
}

export function milliseconds(ms: number): string {
  const options = { style: 'unit', unit: 'millisecond', maximumFractionDigits: ms < 10 ? 1 : 0 } as const
  return new Intl.NumberFormat(language.value, options).format(ms)
}

export function number(value: number): string {
  return numbers.value.format(value)
}

/** "a, b and c". */
export function listing(texts: readonly string[]): string {
  return new Intl.ListFormat(language.value).format(texts)
}
