// Real processes of the command line for the tests: one that ends, and a node that runs until it is told to leave.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts')
/** Types are stripped once and not in each process; as ./comrade does. */
const COMPILE_CACHE = resolve(import.meta.dirname, '../../build/compile-cache')
/** Only loopback, and nobody is looked for. */
const ALONE = ['--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns']

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  /** Written to stdin, which is then closed. @default nothing */
  input?: string | Uint8Array
  env?: NodeJS.ProcessEnv
  cwd?: string
  /** The program. @default src/cli/main.ts */
  main?: string
}

/** Starts `comrade` with these arguments, and no home from the environment of the tests. */
export function start(args: readonly string[], { env, cwd, main = MAIN }: RunOptions = {}): ChildProcess {
  const { COMRADE_HOME: _home, COMRADE_PASSPHRASE_FILE: _file, ...inherited } = process.env
  return spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...inherited, NO_COLOR: '1', NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    stdio: 'pipe'
  })
}

/** Runs `comrade` to its end. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = start(args, options)
  child.stdin!.on('error', () => {}) // a command that refuses its input does not read all of it
  child.stdin!.end(options.input)
  const [stdout, stderr, [code]] = await Promise.all([
    textOf(child.stdout!),
    textOf(child.stderr!),
    once(child, 'close')
  ])
  return { code: code as number | null, stdout, stderr }
}

/** A fresh directory that is removed with `await using`. */
export async function scratch(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'comrade-cli-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A node in a process of its own. Disposing of it makes it leave and removes nothing. */
export class NodeProcess implements AsyncDisposable {
  readonly child: ChildProcess
  readonly home: string
  readonly lines: string[] = []
  stderr = ''
  readonly #main: string | undefined
  readonly #closed: Promise<unknown[]>

  /** Resolves when the node is ready. @throws when it ends before that */
  static async up(home: string, args: readonly string[] = [], options: RunOptions = {}): Promise<NodeProcess> {
    const node = new NodeProcess(home, args, options)
    await node.line(({ event }) => event === 'ready')
    return node
  }

  constructor(home: string, args: readonly string[], options: RunOptions) {
    this.home = home
    this.#main = options.main
    this.child = start(['up', '--home', home, '--json', ...ALONE, ...args], options)
    this.#closed = once(this.child, 'close')
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.lines.push(line)
      this.child.emit('line')
    })
  }

  /** The first line on stdout that fits, also among those that came before. */
  async line(fits: (value: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.lines.map((line) => JSON.parse(line) as Record<string, unknown>).find(fits)
      if (found !== undefined) return found
      await Promise.race([
        once(this.child, 'line'),
        this.#closed.then(() => {
          throw new Error(`the node ended: ${this.stderr}`)
        })
      ])
    }
  }

  /** Runs a verb against this node. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended> {
    return run([...args, '--home', this.home], { main: this.#main, ...options })
  }

  /** Runs a verb with --json. @returns the lines of stdout, read */
  async json<T = Record<string, unknown>>(...args: string[]): Promise<T[]> {
    const { code, stdout, stderr } = await this.run([...args, '--json'])
    if (code !== 0) throw new Error(`comrade ${args.join(' ')} ended with ${code}: ${stderr}`)
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as T)
  }

  /** Sends a signal and waits for the end. @returns the exit code */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal)
    const [code] = await this.#closed
    return code as number | null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end()
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk)
  return text
}
