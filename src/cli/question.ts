// Asks the person on the terminal.
import { createInterface } from 'node:readline/promises'
import { Interrupted } from './exit.ts'
import type { Output, Segment } from './output.ts'

/** Asks until the answer is yes or no. @throws Interrupted at ^C and ^D, and when `signal` fires */
export async function askYesNo(output: Output, question: readonly Segment[], signal: AbortSignal): Promise<boolean> {
  const ended = new AbortController()
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  lines.on('SIGINT', () => ended.abort()).on('close', () => ended.abort())
  try {
    for (;;) {
      output.notice(...question)
      const answer = await lines.question('y or n: ', { signal: AbortSignal.any([signal, ended.signal]) })
      if (/^y(es)?$/i.test(answer.trim())) return true
      if (/^no?$/i.test(answer.trim())) return false
    }
  } catch {
    throw new Interrupted()
  } finally {
    lines.close()
  }
}
