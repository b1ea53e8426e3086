// Counts and durations as people write them; sizes, durations and times as people read them.
import { NodeError } from '../node/comrade.ts'

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** A whole number within bounds. @throws NodeError BAD_INPUT */
export function parseCount(text: string, min: number, max: number): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : NaN
  if (count >= min && count <= max) return count
  throw new NodeError('BAD_INPUT', `expected a whole number from ${min} to ${max}, not '${text}'`)
}

/** `90s`, `15m`, `12h`, `7d`, `2w`. @returns ms. @throws NodeError BAD_INPUT */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  if (unit !== undefined && Number(count) > 0) return Number(count) * UNIT_MS[unit]
  throw new NodeError('BAD_INPUT', `expected a duration such as 90s, 15m, 12h, 7d or 2w, not '${text}'`)
}

/** Bytes, in a unit that leaves at most four digits. */
export function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 2 ** (10 * power)
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`
}

/** Milliseconds as their largest unit, rounded down: `3 minutes`. */
export function formatDuration(ms: number): string {
  const units: [string, number][] = [
    ['week', UNIT_MS.w],
    ['day', UNIT_MS.d],
    ['hour', UNIT_MS.h],
    ['minute', UNIT_MS.m],
    ['second', UNIT_MS.s]
  ]
  const [name, size] = units.find(([, unit]) => ms >= unit) ?? ['second', UNIT_MS.s]
  const count = Math.floor(ms / size)
  return `${count} ${name}${count === 1 ? '' : 's'}`
}

/** How long ago a time was; the date when that is over four weeks, or in the future. */
export function formatAgo(time: string, nowMs: number): string {
  const ms = nowMs - Date.parse(time)
  if (!(ms >= -UNIT_MS.m && ms < 4 * UNIT_MS.w)) return time.slice(0, 10)
  return ms < 5_000 ? 'now' : `${formatDuration(ms)} ago`
}
