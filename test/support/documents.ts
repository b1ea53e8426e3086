// The project's Markdown files whose blocks are run, and where the project lies.
import { globSync } from 'node:fs'
import { dirname } from 'node:path'

/** The repository's root. */
export const ROOT = dirname(dirname(import.meta.dirname))

/** README.md and docs/*.md, relative to the root. */
export function documents(): string[] {
  return globSync(['README.md', 'docs/**/*.md'], { cwd: ROOT }).sort()
}
