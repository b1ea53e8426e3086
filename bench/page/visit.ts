// What all parts of the page's benchmark need: nodes in processes, a browser, and the moments at which something was on
// the screen.
import type { Page } from 'playwright-core'
import { createNode } from '../../src/node/index.ts'

/** Posts that are written with one signature. */
const BATCH = 2_000
const SENTENCE = ' The lathe runs again, and the window is mended.'

/** A figure of the table. */
export interface Row {
  what: string
  unit: 'ms' | 'KB' | 'MiB' | ''
  values: readonly number[]
  /** p50 and p99 rather than the median and the highest. @default false */
  isTail?: boolean
  goal?: string
}

/** Writes posts of one to five lines into a home without a running node. @returns the newest one's text */
export async function writePosts(home: string, count: number): Promise<string> {
  await using node = await createNode({ home, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
  await node.start()
  await node.profile({ name: 'Dora' })
  const textOf = (index: number): string => `note ${index}.${SENTENCE.repeat(index % 6)}`
  for (let from = 0; from < count; from += BATCH) {
    const texts = Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => textOf(from + index))
    await node.feeds.publishAll(texts.map((text) => ({ type: 'post', text })))
  }
  return textOf(count - 1)
}

/** Has the page note when a text was first on the screen, by the machine's clock. From the next load on. */
export async function noteTexts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const seen: Record<string, number> = {}
    Object.assign(window, { seen })
    const look = (): void => {
      for (const { textContent } of document.querySelectorAll('.text')) seen[textContent] ??= Date.now()
      requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
}

/** Waits until a text is on the screen. @returns when it was, in ms since 1970 */
export async function seenAt(page: Page, text: string): Promise<number> {
  const found = await page.waitForFunction(
    (wanted) => (window as unknown as { seen: Record<string, number> }).seen[wanted],
    text
  )
  return found.jsonValue()
}
