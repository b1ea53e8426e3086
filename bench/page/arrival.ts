// From the author's signature to the reader's screen.
import type { Person } from '../../test/browser/support.ts'
import { sleep } from '../../test/support/processes.ts'
import { noteTexts, type Row, seenAt } from './visit.ts'

const PAUSE_MS = 100

/** @param author somebody whom the reader follows */
export async function measureArrival(reader: Person, author: Person, posts: number): Promise<Row[]> {
  await noteTexts(reader.page)
  await reader.page.reload()
  await reader.page.getByRole('heading', { level: 1 }).waitFor()
  const values: number[] = []
  for (let index = 0; index < posts; index += 1) {
    values.push(await arrival(reader, author, `post ${index}`))
    await sleep(PAUSE_MS)
  }
  const what = 'from a signature on one node to the screen at the other'
  return [{ what, unit: 'ms', values, isTail: true, goal: '≤ 200' }]
}

/** The entry's time is that of the signature. */
async function arrival(reader: Person, author: Person, text: string): Promise<number> {
  const { id } = await author.client.post<{ id: string }>('post', { text })
  const shownMs = await seenAt(reader.page, text)
  const { time } = await author.client.get<{ time: string }>('show', { id })
  return shownMs - Date.parse(time)
}
