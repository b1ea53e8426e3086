// Runs the console blocks of a Markdown file as a reader would type them, and compares what is printed.
//
//   ```console                 a line `$ ` is a command; lines `> ` continue it; what follows is its expected output
//   $ comrade up &             ends in ` &`: runs in the background until the file's end; its expected lines (or any
//                              line, where none are given) are awaited before going on
//   ...                        alone on a line: any number of lines
//   posted [..]                [..] in a line: any text
//   ? 69                       last line of the output: the exit code, when it is not 0
//   ```console skip=<reason>   is not run, and counted as pending with its reason
//
// The commands of one file share one shell's state: directory, variables, background processes.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const COMMAND_LIMIT_MS = 60_000
const READY_LIMIT_MS = 30_000
const STOP_LIMIT_MS = 5_000

export interface Command {
  /** Line in the file, from 1. */
  line: number
  text: string
  isBackground: boolean
  expected: string[]
  exitCode: number
}

export interface Block {
  line: number
  /** The fence's first word. */
  language: string
  /** What follows it. */
  info: string
  /** Why it is not run; '' when `skip=` gives no reason. */
  skip?: string
  lines: string[]
}

/** All fenced blocks of a Markdown text. @throws when a fence is not closed */
export function fencedBlocks(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: (Block & { fence: string }) | undefined
  for (const [index, line] of markdown.split(/\r?\n/).entries()) {
    const [, indent, fence, info] = /^( *)(`{3,}|~{3,})(.*)$/.exec(line) ?? []
    if (open === undefined) {
      if (fence !== undefined) open = { fence, ...openBlock(index + 1, info.trim()) }
    } else if (fence !== undefined && fence.startsWith(open.fence) && info.trim() === '') {
      blocks.push(dedent(open, indent.length))
      open = undefined
    } else {
      open.lines.push(line)
    }
  }
  if (open !== undefined) throw new Error(`the block that opens in line ${open.line} is not closed`)
  return blocks
}

function openBlock(line: number, text: string): Block {
  const [, language, info] = /^(\S*)\s*(.*)$/.exec(text)!
  const skip = /(?:^|\s)skip=(.*)$/
    .exec(info)?.[1]
    .trim()
    .replace(/^"(.*)"$/, '$1')
  return { line, language, info, ...(skip === undefined ? {} : { skip }), lines: [] }
}

/** A block inside a list is indented as its fence is. */
function dedent({ line, language, info, skip, lines }: Block, width: number): Block {
  const inner = lines.map((text) => (text.slice(0, width).trim() === '' ? text.slice(width) : text))
  return { line, language, info, ...(skip === undefined ? {} : { skip }), lines: inner }
}

/** The commands of a console block. @throws when it begins with something else */
export function commandsOf(block: Block): Command[] {
  const commands: Command[] = []
  for (const [index, line] of block.lines.entries()) {
    const last = commands.at(-1)
    if (line.startsWith('$ ')) {
      commands.push({
        line: block.line + 1 + index,
        text: line.slice(2),
        isBackground: false,
        expected: [],
        exitCode: 0
      })
    } else if (last === undefined) {
      throw new Error(`line ${block.line + 1 + index}: a console block begins with a command: $ …`)
    } else if (line.startsWith('> ') && last.expected.length === 0) {
      last.text += `\n${line.slice(2)}`
    } else {
      last.expected.push(line.trimEnd())
    }
  }
  return commands.map(finish)
}

function finish(command: Command): Command {
  const expected = trimEmpty(command.expected)
  const exitCode = /^\? (\d+)$/.exec(expected.at(-1) ?? '')?.[1]
  const isBackground = command.text.endsWith(' &')
  return {
    ...command,
    text: isBackground ? command.text.slice(0, -2) : command.text,
    isBackground,
    expected: exitCode === undefined ? expected : expected.slice(0, -1),
    exitCode: Number(exitCode ?? 0)
  }
}

function trimEmpty(lines: string[]): string[] {
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1)
}

/** Whether the lines are as expected, with `...` and `[..]` as above. */
export function matches(expected: readonly string[], actual: readonly string[]): boolean {
  // reached: how many actual lines the expected ones so far may have taken
  let reached = new Set([0])
  for (const pattern of expected) {
    const next = new Set<number>()
    for (const taken of reached) {
      if (pattern === '...') for (let end = taken; end <= actual.length; end++) next.add(end)
      else if (taken < actual.length && matchesLine(pattern, actual[taken])) next.add(taken + 1)
    }
    reached = next
  }
  return reached.has(actual.length)
}

function matchesLine(pattern: string, line: string): boolean {
  const source = pattern
    .split('[..]')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('.*')
  return new RegExp(`^${source}$`, 'u').test(line)
}

/** Where the first difference is: lines that agree, then `-` what was expected and `+` what came. */
export function difference(expected: readonly string[], actual: readonly string[]): string {
  let same = 0
  while (same < expected.length && same < actual.length && matchesLine(expected[same], actual[same])) same++
  return [
    ...expected.slice(0, same).map((line) => `  ${line}`),
    ...expected.slice(same).map((line) => `- ${line}`),
    ...actual.slice(same).map((line) => `+ ${line}`)
  ].join('\n')
}

/** What a shell's output shows, by line: without colours, trailing blanks and empty last lines. */
function outputLines(text: string): string[] {
  return trimEmpty(text.split('\n').map((line) => line.trimEnd()))
}

interface Background {
  command: Command
  child: ChildProcess
  closed: Promise<number>
  output: () => string
}

/** One reader's terminal: an empty home, the program on the PATH and in the directory, and what was started there. */
export class Session implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'comrade-docs-'))
  readonly #background: Background[] = []
  readonly #env: NodeJS.ProcessEnv
  readonly #limitMs: number

  /**
   * @param program the file that `comrade` is
   * @param limitMs for one command @default 60,000
   */
  constructor(program: string, limitMs = COMMAND_LIMIT_MS) {
    const bin = join(this.#directory, 'bin')
    const work = join(this.#directory, 'work')
    for (const directory of [bin, work]) {
      mkdirSync(directory)
      symlinkSync(program, join(directory, 'comrade'))
    }
    const { PATH, LANG, TMPDIR } = process.env
    this.#env = {
      ...{ PATH: `${bin}:${PATH}`, HOME: this.#directory, COMRADE_HOME: join(this.#directory, 'home') },
      ...{ NO_COLOR: '1', TERM: 'dumb', TZ: 'UTC', STATE: this.#directory },
      ...(LANG === undefined ? {} : { LANG }),
      ...(TMPDIR === undefined ? {} : { TMPDIR })
    }
    this.#limitMs = limitMs
    writeFileSync(join(this.#directory, 'env'), '')
    writeFileSync(join(this.#directory, 'cwd'), work)
  }

  /** Runs one command. @throws with a difference when its output or exit code is not as expected */
  async run(command: Command): Promise<void> {
    if (command.isBackground) await this.#start(command)
    else await this.#finish(command)
  }

  async #finish(command: Command): Promise<void> {
    const { child, closed, output } = this.#spawn(command, true)
    const code = await within(closed, this.#limitMs)
    if (code === undefined) {
      stopGroup(child, 'SIGKILL')
      throw new Error(failure(command, `not done within ${this.#limitMs} ms`, output()))
    }
    if (code !== command.exitCode)
      throw new Error(failure(command, `exit code ${code}, not ${command.exitCode}`, output()))
    const lines = outputLines(output())
    if (!matches(command.expected, lines)) {
      throw new Error(failure(command, 'other output', difference(command.expected, lines)))
    }
  }

  async #start(command: Command): Promise<void> {
    const background = this.#spawn(command, false)
    this.#background.push(background)
    const expected = command.expected.length === 0 ? ['[..]', '...'] : [...command.expected, '...']
    const isReady = (): boolean => matches(expected, outputLines(background.output()))
    const ready = new Promise<boolean>((resolve) => {
      const check = (): void => void (isReady() && resolve(true))
      for (const stream of [background.child.stdout, background.child.stderr]) stream?.on('data', check)
      void background.closed.then(() => resolve(isReady()))
    })
    if ((await within(ready, Math.min(READY_LIMIT_MS, this.#limitMs))) === true) return
    const ended = background.child.exitCode === null ? 'not ready in time' : `ended with ${background.child.exitCode}`
    throw new Error(failure(command, ended, difference(expected, outputLines(background.output()))))
  }

  /** Every command has a shell of its own in a process group of its own; directory and variables go on by files. */
  #spawn(command: Command, keepsState: boolean): Background {
    const restore = 'cd "$(cat "$STATE/cwd")"; set -a; . "$STATE/env"; exec 2>&1'
    const keep = 'status=$?; export -p >"$STATE/env"; pwd >"$STATE/cwd"; exit $status'
    const script = `${restore}\n${command.text}\n${keepsState ? keep : ''}`
    const child = spawn('sh', ['-c', script], { env: this.#env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (more: string) => (text += more))
    const closed = new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve(code ?? 1))
    })
    closed.catch(() => {}) // told where it is awaited
    return { command, child, closed, output: () => text }
  }

  /** Asks what still runs in the background to end, ends it if it does not, and removes the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#background.map(async ({ child, closed }) => {
        stopGroup(child, 'SIGTERM')
        if ((await within(closed, STOP_LIMIT_MS)) === undefined) stopGroup(child, 'SIGKILL')
      })
    )
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

function stopGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // all of it has ended already
  }
}

async function within<T>(promise: Promise<T>, limitMs: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, limitMs, undefined)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function failure({ line, text }: Command, problem: string, detail: string): string {
  return `line ${line}: $ ${text}\n${problem}\n${detail}`
}
