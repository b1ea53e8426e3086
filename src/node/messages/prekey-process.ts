// Has prekeys made: in this process where libsignal is loaded anyway, else in one that ends when nothing was asked for a
// while. All nodes of a process share that one.
import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  isLibsignalLoaded,
  libsignalUnavailable,
  loadLibsignal,
  type MadePrekey,
  makePrekeys,
  MessageError,
  type PrekeyOrder
} from '../../messages/index.ts'
import type { PrekeyAnswer } from './prekey-worker.ts'

/** Beside this file in the sources, in dist/, and in the bundle, where scripts/build.ts puts it among the chunks. */
const PROGRAM = new URL(`./prekey-worker${extname(import.meta.url)}`, import.meta.url)
/** How long the process stays when nothing is asked, in ms. */
const IDLE_MS = 10_000
/** How long an answer may take, in ms: a second where little else is done, to start the process and load libsignal. */
const ANSWER_TIMEOUT_MS = 60_000

interface Task {
  order: PrekeyOrder
  resolve: (made: MadePrekey[]) => void
  reject: (error: Error) => void
}

/** Asked and not answered; the process answers them in this order. */
const tasks: Task[] = []
let child: ChildProcess | undefined
let timer: NodeJS.Timeout | undefined

/**
 * Makes prekeys.
 * @throws MessageError UNAVAILABLE where libsignal cannot be loaded, or no process can be started
 */
export async function orderPrekeys(order: PrekeyOrder): Promise<MadePrekey[]> {
  const unavailable = libsignalUnavailable()
  if (unavailable !== undefined || isLibsignalLoaded()) return makePrekeys(await loadLibsignal(), order)
  return new Promise((resolve, reject) => {
    tasks.push({ order, resolve, reject })
    child ??= start()
    child.send(order, (error) => error !== null && end(error))
    watch()
  })
}

function start(): ChildProcess {
  const started = fork(fileURLToPath(PROGRAM), [], {
    execArgv: [],
    serialization: 'advanced', // bytes stay bytes
    stdio: ['ignore', 'ignore', 'ignore', 'ipc']
  })
  const isCurrent = (): boolean => started === child
  started.on('message', (answer: PrekeyAnswer) => isCurrent() && take(answer))
  started.on('error', (error) => isCurrent() && end(error))
  started.on('exit', (code, signal) => isCurrent() && end(new Error(`it ended with ${signal ?? code}`)))
  // It keeps nobody from ending.
  started.unref()
  started.channel?.unref()
  return started
}

function take(answer: PrekeyAnswer): void {
  const task = tasks.shift()
  if ('made' in answer) task?.resolve(answer.made)
  else task?.reject(new MessageError('UNAVAILABLE', answer.error))
  watch()
}

/** Ends a process that owes an answer for too long, or that nobody asks any more. */
function watch(): void {
  clearTimeout(timer)
  const isOwing = tasks.length > 0
  const late = new Error(`it has not answered within ${ANSWER_TIMEOUT_MS} ms`)
  timer = setTimeout(() => end(late), isOwing ? ANSWER_TIMEOUT_MS : IDLE_MS).unref()
}

function end(reason: Error): void {
  clearTimeout(timer)
  const ended = child
  child = undefined
  ended?.kill('SIGKILL')
  const failure = new MessageError('UNAVAILABLE', `the process that makes prekeys failed: ${reason.message}`)
  for (const { reject } of tasks.splice(0)) reject(failure)
}
