// How results reach stdout and talk reaches stderr. All text is made harmless here, so that no verb can forget to.
import { styleText } from 'node:util'
import { errorShape } from '../api/shapes.ts'
import { harmless } from '../trust/names.ts'

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** A piece of a line; it is made harmless before it is styled. */
export type Segment = string | { text: string; style: Style }
/** A line of human output. */
export type Line = Segment | readonly Segment[]

export const bold = (text: string): Segment => ({ text, style: 'bold' })
export const dim = (text: string): Segment => ({ text, style: 'dim' })
export const coloured = (style: Style, text: string): Segment => ({ text, style })

/**
 * What a terminal might obey or reorder: DEL, C1, and the marks that change direction or break lines. In JSON they are
 * written as escapes, which leaves the value exactly what it is. (C0 is escaped by JSON itself.)
 */
const UNPRINTABLE = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** How often it is said how far something has come, in ms. */
const PROGRESS_EVERY_MS = 100
/** Takes away what stands on the line of a terminal. */
const BEGIN_ANEW = '\r\x1b[2K'

export interface OutputInit {
  json: boolean
  quiet: boolean
}

/** The two streams of a process, for people or for programs. */
export class Output {
  readonly json: boolean
  readonly #isTalkative: boolean
  #hasProgress = false
  #progressedAt = -Infinity

  constructor({ json, quiet }: OutputInit) {
    this.json = json
    this.#isTalkative = !json && !quiet
  }

  /** Prints one result: the value as a line of JSON, or `human`'s lines. */
  result(value: unknown, human: () => Line | readonly Line[]): void {
    if (this.json) return this.jsonLine(value)
    this.#endProgress()
    for (const line of linesOf(human())) process.stdout.write(render(line, process.stdout))
  }

  /** Prints text as it is, for other programs to read: a script, a schema. */
  raw(text: string): void {
    process.stdout.write(text)
  }

  /** Prints a line of JSON, whoever reads it. */
  jsonLine(value: unknown): void {
    process.stdout.write(exactJson(value) + '\n')
  }

  /** Says something to the person; not part of the result. Silent under --quiet and --json. */
  talk(...segments: Segment[]): void {
    if (this.#isTalkative) process.stderr.write(render(segments, process.stderr))
  }

  /** Says how far something has come, in place of what this said before. Only on a terminal; silent as {@link talk}. */
  progress(text: string): void {
    const isSoon = performance.now() - this.#progressedAt < PROGRESS_EVERY_MS
    if (!this.#isTalkative || !process.stderr.isTTY || isSoon) return
    process.stderr.write(`${BEGIN_ANEW}${harmless(text)}`)
    this.#progressedAt = performance.now()
    this.#hasProgress = true
  }

  /** Says what to do next: command lines. */
  next(...commands: string[]): void {
    for (const [i, command] of commands.entries()) this.talk(dim(i === 0 ? 'next: ' : '      '), command)
  }

  /** Says something that the person must see, also under --quiet and --json. */
  notice(...segments: Segment[]): void {
    process.stderr.write(render(segments, process.stderr))
  }

  /** Warns of what has to be known before something is done, also under --quiet; under --json as a line of JSON. */
  warning(code: string, message: string): void {
    if (this.json) return void process.stderr.write(exactJson({ warning: { code, message } }) + '\n')
    this.notice(coloured('yellow', 'warning: '), message)
  }

  /** Tells a failure, as a line of JSON or in words. */
  error(error: unknown): void {
    const body = errorShape(error)
    if (this.json) return void process.stderr.write(exactJson(body) + '\n')
    this.#endProgress()
    const [first, ...rest] = body.error.message.split('\n')
    this.notice(coloured('red', 'error: '), first)
    for (const line of rest) this.notice(line)
  }

  #endProgress(): void {
    if (this.#hasProgress) process.stderr.write(BEGIN_ANEW)
    this.#hasProgress = false
  }
}

function linesOf(lines: Line | readonly Line[]): readonly Line[] {
  if (!Array.isArray(lines)) return [lines as Line]
  return lines.some(Array.isArray) || lines.length === 0 ? (lines as readonly Line[]) : [lines as Line]
}

function render(line: Line, stream: NodeJS.WriteStream): string {
  const segments = Array.isArray(line) ? (line as readonly Segment[]) : [line as Segment]
  return segments.map((segment) => styled(segment, stream)).join('') + '\n'
}

function styled(segment: Segment, stream: NodeJS.WriteStream): string {
  if (typeof segment === 'string') return harmless(segment)
  // styleText looks at the stream and at NO_COLOR by itself.
  return styleText(segment.style, harmless(segment.text), { stream })
}

function exactJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}
