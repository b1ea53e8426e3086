// The table of one part, on the standard output and in the file that it was given.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

export interface Row {
  what: string
  unit: string
  /** In the order of the table's columns. */
  values: readonly (number | string)[]
  goal?: string
}

/** What every part understands: `--quick` for a first look, `--out` for a file. */
export function partOptions(): { quick: boolean; out: string | undefined } {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, out: { type: 'string' } } })
  return { quick: values.quick, out: values.out }
}

export function tableOf(columns: readonly string[], rows: readonly Row[]): string {
  const head = ['what', 'unit', ...columns, 'to reach']
  const rule = head.map((_, i) => (i < 2 || i === head.length - 1 ? '---' : '---:'))
  const lines = rows.map(({ what, unit, values, goal = '' }) => [what, unit, ...values.map(format), goal])
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

export function report(out: string | undefined, ...blocks: readonly string[]): void {
  const text = `${blocks.join('\n\n')}\n`
  process.stdout.write(text)
  if (out !== undefined) writeFileSync(out, text)
}

function format(value: number | string): string {
  if (typeof value === 'string') return value
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}
