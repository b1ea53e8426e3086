// What has happened to this node that its user should know, since the page was opened.
import { computed, signal } from '@preact/signals'
import type { Sentence } from '../shapes.ts'
import { onEvent } from './live.ts'

/** Older ones are let go. */
const MAX_WARNINGS = 20

export interface Warning {
  code: string
  sentence: Sentence
  time: string
}

/** The newest first. */
export const warnings = signal<readonly Warning[]>([])
const seen = signal(0)
let count = 0

/** How many were not looked at. */
export const freshWarnings = computed(() => warnings.value.length && count - seen.value)

export function noteSeen(): void {
  seen.value = count
}

export function watchWarnings(): void {
  onEvent('warning', (line) => {
    const { code, sentence } = line as unknown as Warning
    count += 1
    warnings.value = [{ code, sentence, time: new Date().toISOString() }, ...warnings.value].slice(0, MAX_WARNINGS)
  })
}
