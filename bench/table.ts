// The results as Markdown: a row a figure, a column a contender, and how Comrade stands to hypercore.
import type { Contender } from './contender.ts'
import type { Row, Scenario } from './scenario.ts'
import { median } from './statistics.ts'

/** Values of one row, run by run, for each contender that has any. */
export type Runs = Partial<Record<Contender, (number | undefined)[]>>

export function tableHead(contenders: Contender[]): string {
  const cells = ['what', 'unit', ...contenders, 'comrade : hypercore', 'to reach']
  return `${line(cells)}\n${line(cells.map((_, index) => (index < 2 || index === cells.length - 1 ? '---' : '---:')))}`
}

export function tableRow(scenario: Scenario, row: Row, runs: Runs, contenders: Contender[]): string {
  const values = contenders.map((contender) => {
    if (scenario.without?.[contender] !== undefined) return '—'
    const numbers = (runs[contender] ?? []).filter((value) => value !== undefined)
    return numbers.length === 0 ? '' : format(median(numbers))
  })
  return line([row.what, row.unit, ...values, ratio(runs), row.goal ?? ''])
}

/** Run by run, then the median: what disturbs the machine disturbs both sides of one run. */
function ratio({ comrade = [], hypercore = [] }: Runs): string {
  const ratios = comrade.flatMap((value, run) => {
    const other = hypercore[run]
    return value === undefined || other === undefined ? [] : [value / other]
  })
  return ratios.length === 0 ? '' : `${format(median(ratios))} ×`
}

function format(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}

function line(cells: string[]): string {
  return `| ${cells.join(' | ')} |`
}
