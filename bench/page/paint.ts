// From the address to the first paint, and to the newest post, by a browser that has nothing of the page in its cache.
import type { Browser } from 'playwright-core'
import { Person } from '../../test/browser/support.ts'
import type { Stage } from '../../test/support/processes.ts'
import { noteTexts, type Row, seenAt, writePosts } from './visit.ts'

const POSTS = 1_000

export async function measurePaint(stage: Stage, browser: Browser, times: number): Promise<Row[]> {
  const newest = await writePosts(stage.home('painted'), POSTS)
  const { node, context, page } = await Person.come(stage, browser, 'painted')
  await page.getByText(newest).waitFor()
  const { origin } = new URL(page.url())
  const cookies = await context.storageState()
  await context.close()
  const [paints, feeds]: [number[], number[]] = [[], []]
  for (let time = 0; time < times; time += 1) {
    const fresh = await browser.newContext({ storageState: cookies, viewport: { width: 1280, height: 860 } })
    const visited = await fresh.newPage()
    await noteTexts(visited)
    await visited.goto(origin)
    const shownMs = await seenAt(visited, newest)
    const { beganMs, paintMs } = await visited.evaluate(() => ({
      beganMs: performance.timeOrigin,
      paintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime
    }))
    paints.push(paintMs)
    feeds.push(shownMs - beganMs)
    await fresh.close()
  }
  await node.end()
  return [
    { what: 'first paint', unit: 'ms', values: paints, goal: '≤ 500' },
    { what: `until the newest of ${POSTS.toLocaleString('en')} posts is on the screen`, unit: 'ms', values: feeds }
  ]
}
