// After a break: how soon a reader of events has what it missed, and a page what came while its node was gone.
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { socketPath } from '../../src/node/home.ts'
import type { Person } from '../../test/browser/support.ts'
import type { NodeProcess, Stage } from '../../test/support/processes.ts'
import { type Row, seenAt } from './visit.ts'

/** Posts that come while nobody reads. */
const MISSED = 200
const LIMIT_MS = 60_000

export async function measureResume(stage: Stage, reader: Person, author: Person, times: number): Promise<Row[]> {
  const values: number[] = []
  for (let time = 0; time < times; time += 1) values.push(await resume(reader.node, author, String(time)))
  return [
    { what: `events: from asking again to the last of ${MISSED} that were missed`, unit: 'ms', values },
    {
      what: 'its node was killed: from the ready line to what came meanwhile on the screen',
      unit: 'ms',
      values: [await comeBack(stage, reader, author)]
    }
  ]
}

/** Reads events as a browser does, breaks off, and asks for what came after the last one. */
async function resume(reader: NodeProcess, author: Person, round: string): Promise<number> {
  const before = await events(reader)
  const read = readTo(before, `before ${round}`)
  await author.client.post('post', { text: `before ${round}` })
  const id = await read
  const last = `missed ${round} ${MISSED - 1}`
  for (let index = 0; index < MISSED; index += 1) await author.client.post('post', { text: `missed ${round} ${index}` })
  await reader.entry(last, LIMIT_MS)
  const startMs = performance.now()
  await readTo(await events(reader, id), last)
  return performance.now() - startMs
}

/** The page's session and its port are those of the node that was killed. */
async function comeBack(stage: Stage, { node, page }: Person, author: Person): Promise<number> {
  const home = node.home
  await node.end('SIGKILL')
  await page.getByText(/The connection to your node is gone/).waitFor()
  await author.client.post('post', { text: 'written meanwhile' })
  await using restarted = {
    node: await stage.up(home),
    [Symbol.asyncDispose]: async () => void (await restarted.node.end())
  }
  const readyMs = Date.now()
  return (await seenAt(page, 'written meanwhile')) - readyMs
}

async function events({ home }: NodeProcess, lastId?: string): Promise<IncomingMessage> {
  const headers = { accept: 'text/event-stream', ...(lastId === undefined ? {} : { 'last-event-id': lastId }) }
  const asked = request({ socketPath: socketPath(home), path: '/api/events', headers, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return response
}

/** Reads until an entry with this text has come, and breaks off. @returns its id in the stream */
async function readTo(response: IncomingMessage, text: string): Promise<string> {
  let id = ''
  for await (const line of createInterface({ input: response })) {
    if (line.startsWith('id: ')) id = line.slice(4)
    if (line.startsWith('data: ') && (JSON.parse(line.slice(6)) as { text?: string }).text === text) break
  }
  response.destroy()
  return id
}
