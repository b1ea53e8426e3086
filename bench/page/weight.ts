// What a browser loads before the page is there, compressed as servers do it; and what it loads only when it is needed.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Row } from './visit.ts'

const PAGE = join(import.meta.dirname, '../../build/web')

export function measureWeight(): Row[] {
  const document = readFileSync(join(PAGE, 'index.html'), 'utf8')
  const isFirst = (name: string): boolean => name === 'index.html' || document.includes(`/web/${name}`)
  const names = readdirSync(PAGE)
  const later = names.filter((name) => !isFirst(name))
  const rows: Row[] = [
    { what: 'the page by gzip, first load', unit: 'KB', values: [weigh(names.filter(isFirst))], goal: '≤ 150' }
  ]
  if (later.length > 0)
    rows.push({ what: `loaded when it is needed: ${later.join(', ')}`, unit: 'KB', values: [weigh(later)] })
  return rows
}

function weigh(names: readonly string[]): number {
  const sizes = names.map((name) => gzipSync(readFileSync(join(PAGE, name))).length)
  return sizes.reduce((sum, size) => sum + size, 0) / 1_000
}
