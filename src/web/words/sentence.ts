// Sentences of the node, and what went wrong, in the user's language. What is not known yet is shown as the node wrote it.
import { ApiError } from '../api.ts'
import { line } from '../text.ts'
import type { CheckName, ErrorCode, Sentence, SentenceCode, SentenceValue } from '../shapes.ts'
import { formOf, LANGUAGES, language, t } from './index.ts'
import { duration, listing, moment, number, size } from './quantities.ts'

/** A sentence of the node. */
export function said({ code, values, text }: Sentence): string {
  const { sentences } = LANGUAGES[language.value]
  if (!Object.hasOwn(sentences, code)) return line(text)
  const phrase = sentences[code as SentenceCode]
  const form = typeof phrase === 'string' ? phrase : phrase[formOf(Number(values.count))]
  return form.replace(/\{(\w+)\}/g, (_, place: string) => shown(place, values[place] ?? ''))
}

/** Several that make up one. */
export function saidTogether(sentences: readonly Sentence[]): string {
  return sentences.map(said).join('; ')
}

function shown(place: string, value: SentenceValue): string {
  if (typeof value === 'string') return place.endsWith('Time') && Date.parse(value) > 0 ? moment(value) : line(value)
  if (typeof value === 'number') return withUnit(place, value)
  return 'code' in value ? said(value) : listing(value.map(line))
}

function withUnit(place: string, value: number): string {
  if (place.endsWith('Bytes')) return size(value)
  return place.endsWith('Ms') ? duration(value) : number(value)
}

/** What the node calls a check. */
export function checkName(check: string): string {
  const { checks } = LANGUAGES[language.value]
  return Object.hasOwn(checks, check) ? checks[check as CheckName] : line(check)
}

/** Why something did not work, and what to do. */
export interface Explained {
  text: string
  /** What the node or the browser said, in its own words, where the text says little. */
  detail?: string
}

/** Codes that say little: what exactly it was is added. */
const VAGUE: ReadonlySet<string> = new Set(['BAD_INPUT', 'FAILED', 'BODY_SCHEMA', 'UNREACHABLE', 'BUSY'])

export function explained(error: unknown): Explained {
  const { errors } = LANGUAGES[language.value]
  if (!(error instanceof ApiError)) return ofPage(error)
  const { code, message, sentence } = error
  if (sentence !== undefined && Object.hasOwn(LANGUAGES[language.value].sentences, sentence.code))
    return { text: said(sentence) }
  const text = Object.hasOwn(errors, code) ? errors[code as ErrorCode] : errors.FAILED
  return VAGUE.has(code) || text === errors.FAILED ? { text, detail: line(message) } : { text }
}

/** What the page itself throws is said already; what the browser throws is for programmers. */
function ofPage(error: unknown): Explained {
  if (!(error instanceof Error)) return { text: t('unexpected'), detail: line(String(error)) }
  return error.constructor === Error
    ? { text: line(error.message) }
    : { text: t('unexpected'), detail: line(error.message) }
}
