// `npm run demo`: seven people on this machine, each with a node in a process of its own and a page to look at, until ^C.
//   --pace <seconds>   between two things that happen, on average. @default 30
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { Life } from './demo/life.ts'
import { nameOf, PEOPLE } from './demo/people.ts'
import type { Resident } from './demo/resident.ts'
import { settle } from './demo/settle.ts'
import { Speech } from './demo/speech.ts'
import { Village } from './demo/village.ts'

const DEFAULT_PACE_S = '30'
/** ^C in a terminal comes twice under npm, which passes it on. */
const SAME_SIGNAL_MS = 1_000
/** Where the second column of what is shown begins. */
const INDENT = 8
const BLANK = ' '.repeat(INDENT + 2)

/** Fires at the first SIGINT, SIGTERM or SIGHUP; another one, later, ends the demo at once. */
function endOnSignal(): AbortSignal {
  const ending = new AbortController()
  let firstMs = 0
  const onSignal = (): void => {
    if (!ending.signal.aborted) firstMs = performance.now()
    else if (performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(130)
    ending.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  process.stdout.on('error', () => ending.abort()) // nobody reads any more
  return ending.signal
}

function paceOf(text: string): number {
  const seconds = Number(text)
  if (seconds > 0 && seconds <= 3_600) return seconds * 1_000
  throw new Error(`--pace <seconds>: expected a number above 0, at most 3600, not '${text}'`)
}

/** Makes the village, shows it, and has it live until the signal. */
async function run(ending: AbortSignal, paceMs: number): Promise<void> {
  const [startMs, lost] = [performance.now(), new AbortController()]
  let isReady = false
  await using village = new Village(AbortSignal.any([ending, lost.signal]))
  village.onLost = ({ id, end }) => {
    const what = `the node of ${nameOf(id)} has ended (${end})`
    if (isReady) say(`${what}; the others go on`)
    else lost.abort(new Error(what)) // without one of them the beginning cannot be told
  }
  const speech = new Speech(village)
  try {
    say(`starting ${PEOPLE.length} nodes in ${village.directory}`)
    await village.start()
    await settle(village, speech, say)
    isReady = true
  } catch (error) {
    throw lost.signal.aborted ? lost.signal.reason : error
  }
  say(`ready after ${Math.round((performance.now() - startMs) / 1_000)} s`)
  await show(village)
  const input = createInterface({ input: process.stdin }).on('line', () => void show(village).catch(() => {}))
  const life = new Life({ village, speech, paceMs, tell: (what) => say(`${clock()}  ${what}`), signal: ending })
  await Promise.allSettled([life.live(), until(ending)])
  input.close()
  say('they leave')
}

/** Prints an address for each page, as `comrade open` gives it, and what to look at there. */
async function show({ residents }: Village): Promise<void> {
  const urls = await Promise.all(residents.map(addressOf))
  console.log('\nSeven people, each with a node and a page of their own. Open one, or several side by side:\n')
  for (const [i, { name, look }] of PEOPLE.entries()) console.log(`  ${name.padEnd(INDENT)}${urls[i]}\n${BLANK}${look}`)
  console.log('\nWrite something as one of them, and somebody answers. Each address is good once, and for a minute.')
  console.log('Enter: new addresses. ^C: ends everything, and leaves nothing behind.\n')
}

async function addressOf(one: Resident): Promise<string> {
  try {
    return (await one.post<{ url: string }>('open')).url
  } catch (error) {
    if (one.end === undefined) throw error
    return 'has left'
  }
}

function until(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function say(text: string): void {
  console.log(text)
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8)
}

const ending = endOnSignal()
try {
  const { values } = parseArgs({ options: { pace: { type: 'string', default: DEFAULT_PACE_S } } })
  await run(ending, paceOf(values.pace))
} catch (error) {
  if (!ending.aborted) {
    console.error(`demo: ${(error as Error).message}`)
    process.exit(1)
  }
}
process.exit(0) // whatever a library or the terminal still holds
