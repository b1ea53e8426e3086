// A long feed: what of it is in the document while one scrolls, how evenly the frames come, and what the page takes.
import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { Person } from '../../test/browser/support.ts'
import type { Stage } from '../../test/support/processes.ts'
import { type Row, writePosts } from './visit.ts'

const STEP_PX = 400
const LATE_MS = 50

interface Frames {
  /** Between one frame and the next, in ms. */
  gaps: number[]
  /** Most rows that were in the document at a time. */
  rows: number
}

export async function measureScroll(stage: Stage, browser: Browser, posts: number, frames: number): Promise<Row[]> {
  const newest = await writePosts(stage.home('long'), posts)
  const { node, context, page } = await Person.come(stage, browser, 'long')
  await page.getByText(newest).waitFor()
  const before = await memory(browser, page)
  const { gaps, rows } = await scroll(page, frames)
  const after = await memory(browser, page)
  await context.close()
  await node.end()
  const of = `${posts.toLocaleString('en')} posts`
  const late = gaps.filter((gap) => gap > LATE_MS).length
  return [
    { what: `${of}: rows in the document, at most`, unit: '', values: [rows] },
    {
      what: `scrolled by ${STEP_PX} pixels a frame, ${frames} frames: a frame`,
      unit: 'ms',
      values: gaps,
      isTail: true
    },
    { what: 'the slowest frame', unit: 'ms', values: [Math.max(...gaps)] },
    { what: `frames over ${LATE_MS} ms`, unit: '', values: [late] },
    { what: 'memory of the page, before scrolling: its objects', unit: 'MiB', values: [before.heap] },
    { what: 'the same: the whole process', unit: 'MiB', values: [before.process] },
    { what: 'after scrolling: its objects', unit: 'MiB', values: [after.heap] },
    { what: 'the same: the whole process', unit: 'MiB', values: [after.process] }
  ]
}

function scroll(page: Page, frames: number): Promise<Frames> {
  return page.evaluate(
    async ({ frames, step }) => {
      const gaps: number[] = []
      let [rows, before] = [0, performance.now()]
      for (let frame = 0; frame < frames; frame += 1) {
        scrollBy(0, step)
        await new Promise((resolve) => requestAnimationFrame(resolve))
        const now = performance.now()
        gaps.push(now - before)
        before = now
        rows = Math.max(rows, document.querySelectorAll('.list-row').length)
      }
      return { gaps, rows }
    },
    { frames, step: STEP_PX }
  )
}

/** In MiB, when garbage was collected. */
async function memory(browser: Browser, page: Page): Promise<{ heap: number; process: number }> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  const whole = await browser.newBrowserCDPSession()
  const { processInfo } = await whole.send('SystemInfo.getProcessInfo')
  await whole.detach()
  // One page is open: it has the largest of the processes that draw pages.
  const resident = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => residentMiB(id))
  return { heap: usedSize / 2 ** 20, process: Math.max(...resident) }
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}
