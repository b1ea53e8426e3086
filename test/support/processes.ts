// Nodes and programs in processes of their own, for tests that tell a story. Everything that a Stage started is killed,
// and what it wrote removed, when it is disposed of, also after a failure. Every wait has a time limit.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'

const ROOT = resolve(import.meta.dirname, '../..')
const PROGRAMS = join(import.meta.dirname, 'programs')
/** For what takes milliseconds on a quiet machine. */
const LIMIT_MS = 20_000
const LOOPBACK = ['--listen', '/ip4/127.0.0.1/tcp/0']

export type Line = Record<string, unknown>

/** How a command ended. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** A process that prints JSON lines. */
export class Running {
  readonly child: ChildProcess
  readonly lines: Line[] = []
  stderr = ''
  readonly #closed: Promise<unknown>
  #isClosed = false

  constructor(child: ChildProcess) {
    this.child = child
    this.#closed = once(child, 'close').then(() => (this.#isClosed = true))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    createInterface({ input: child.stdout! }).on('line', (text) => {
      this.lines.push(JSON.parse(text) as Line)
      child.emit('line')
    })
  }

  /** The first line that fits, also among those that came before. @throws when the process ends first, or at the limit */
  async line(fits: (line: Line) => boolean, limitMs = LIMIT_MS): Promise<Line> {
    const end = performance.now() + limitMs
    for (;;) {
      const found = this.lines.find(fits)
      if (found !== undefined) return found
      if (this.#isClosed) throw new Error(`the process ended without that line: ${this.stderr}`)
      const leftMs = end - performance.now()
      if (leftMs <= 0)
        throw new Error(
          `no such line within ${limitMs} ms: ${fits}\n${this.lines
            .slice(-5)
            .map((line) => JSON.stringify(line))
            .join('\n')}\n${this.stderr}`
        )
      await Promise.race([once(this.child, 'line'), this.#closed, sleep(leftMs)])
    }
  }

  /** Sends a signal and waits for the end. @returns the exit code; null when the signal ended it */
  async end(signal: NodeJS.Signals = 'SIGTERM', limitMs = LIMIT_MS): Promise<number | null> {
    this.child.kill(signal)
    await within(this.#closed, limitMs, `the process has not ended after ${signal}`)
    return this.child.exitCode
  }
}

/** The exit code of a verb where no node runs. */
const NOT_RUNNING = 69

/** A node started with `comrade up`. */
export class NodeProcess extends Running {
  readonly home: string
  readonly #stage: Stage

  constructor(stage: Stage, home: string, child: ChildProcess) {
    super(child)
    this.#stage = stage
    this.home = home
  }

  async ready(): Promise<this> {
    await this.line(({ event }) => event === 'ready')
    return this
  }

  get did(): string {
    return String(this.lines[0].did)
  }

  get device(): string {
    return String(this.lines[0].device)
  }

  get peerId(): string {
    return String(this.lines[0].peerId)
  }

  get address(): string {
    return (this.lines[0].addresses as string[])[0]
  }

  /** Runs a verb against this node. */
  run(...args: string[]): Promise<Ended> {
    return this.#stage.run(this.home, ...args)
  }

  /** Runs a verb against this node. @returns what it printed. @throws when it fails */
  async json(...args: string[]): Promise<Line[]> {
    const { code, stdout, stderr } = await this.run(...args)
    const why = code === NOT_RUNNING ? this.stderr : '' // what the node said before it was gone
    if (code !== 0) throw new Error(`comrade ${args.join(' ')} ended with ${code}: ${stderr}${why}`)
    return parseLines(stdout)
  }

  /** Starts a verb that goes on, such as `feed --follow`. */
  follow(...args: string[]): Running {
    return this.#stage.start(this.home, args)
  }

  /** The entry event for this text. */
  entry(text: string, limitMs?: number): Promise<Line> {
    return this.line((line) => line.event === 'entry' && line.text === text, limitMs)
  }
}

/** The machine may have little room: unless a test has settings of its own, nothing of its disk is kept free. */
function keepNothingFree(home: string): void {
  const config = join(home, 'config.json')
  if (existsSync(config)) return
  mkdirSync(home, { recursive: true, mode: 0o700 })
  writeFileSync(config, '{"reserve":0}\n', { mode: 0o600 })
}

/** What a clone does not have, or a test does not need of it. */
const NOT_CLONED = ['.git', 'node_modules', 'build', 'dist', 'coverage', 'docs', 'test']

export class Stage implements AsyncDisposable {
  /** The checkout whose `./comrade` is run. */
  #checkout = ROOT
  /** A fresh directory. */
  readonly path = mkdtempSync(join(tmpdir(), 'comrade-story-'))
  readonly #running = new Set<Running>()
  readonly #bundles = new Map<string, Promise<string>>()
  readonly #onExit = (): void => {
    for (const { child } of this.#running) child.kill('SIGKILL')
  }

  constructor() {
    process.on('exit', this.#onExit)
  }

  /** Runs everything from now on in a copy of the checkout that nothing was built in, with the same packages installed. */
  cloneCheckout(): void {
    this.#checkout = join(this.path, 'comrade')
    cpSync(ROOT, this.#checkout, {
      recursive: true,
      filter: (path) => !NOT_CLONED.includes(relative(ROOT, path))
    })
    utimesSync(join(this.#checkout, 'package-lock.json'), 0, 0) // installed after it was made
    symlinkSync(join(ROOT, 'node_modules'), join(this.#checkout, 'node_modules'))
  }

  /** The directory of a node. */
  home(name: string): string {
    return join(this.path, name)
  }

  /** Starts nodes side by side and waits until all are ready. @param home a name, or a path */
  async up(home: string, ...args: string[]): Promise<NodeProcess> {
    return this.spawnUp(home, ...args).ready()
  }

  /** Starts a node and does not wait. */
  spawnUp(home: string, ...args: string[]): NodeProcess {
    const path = resolve(this.path, home)
    keepNothingFree(path)
    const listen = args.includes('--listen') ? [] : LOOPBACK
    const child = this.#spawn('./comrade', ['--home', path, '--json', 'up', '--no-mdns', ...listen, ...args])
    return this.#watch(new NodeProcess(this, path, child))
  }

  /** Starts a node on a machine of a local network, where it may look for others. */
  spawnOnLan(
    { namespace, address }: { namespace: string; address: string },
    home: string,
    ...args: string[]
  ): NodeProcess {
    const path = this.home(home)
    keepNothingFree(path)
    const up = ['--home', path, '--json', 'up', '--listen', `/ip4/${address}/tcp/0`, ...args]
    return this.#watch(new NodeProcess(this, path, this.#spawn('ip', ['netns', 'exec', namespace, './comrade', ...up])))
  }

  /** Starts a verb. */
  start(home: string, args: readonly string[]): Running {
    return this.#watch(new Running(this.#spawn('./comrade', ['--home', home, '--json', ...args])))
  }

  /** Runs a verb to its end. */
  async run(home: string, ...args: string[]): Promise<Ended> {
    const verb = this.start(home, args)
    await within(once(verb.child, 'close'), LIMIT_MS, `comrade ${args[0]} has not ended`)
    return {
      code: verb.child.exitCode,
      stdout: verb.lines.map((line) => JSON.stringify(line)).join('\n'),
      stderr: verb.stderr
    }
  }

  /** Starts a program of test/support/programs, bundled once. It gets one argument, as JSON. */
  async program(name: string, argument: object): Promise<Running> {
    const bundle = this.#bundles.get(name) ?? this.#bundle(name)
    this.#bundles.set(name, bundle)
    return this.#watch(new Running(this.#spawn(process.execPath, [await bundle, JSON.stringify(argument)])))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#running].map((running) => running.end('SIGKILL')))
    process.off('exit', this.#onExit)
    rmSync(this.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  #spawn(command: string, args: string[]): ChildProcess {
    const { COMRADE_HOME: _home, COMRADE_PASSPHRASE_FILE: _file, ...inherited } = process.env
    const env = {
      ...inherited,
      NO_COLOR: '1',
      NODE_NO_WARNINGS: '1',
      NODE_COMPILE_CACHE: join(this.#checkout, 'build/compile-cache')
    }
    return spawn(command, args, { cwd: this.#checkout, env, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  #watch<T extends Running>(running: T): T {
    this.#running.add(running)
    running.child.once('close', () => this.#running.delete(running))
    return running
  }

  /** One file starts in half the time of the sources; started a hundred times, that is the length of a test. */
  async #bundle(name: string): Promise<string> {
    const outfile = join(this.path, 'programs', `${basename(name)}.mjs`)
    await build({
      entryPoints: [join(PROGRAMS, `${name}.ts`)],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['classic-level', '@signalapp/libsignal-client'],
      banner: {
        js: "import { createRequire as bundledRequire } from 'node:module'; const require = bundledRequire(import.meta.url);"
      },
      logLevel: 'error'
    })
    if (this.#bundles.size <= 1) symlinkSync(join(ROOT, 'node_modules'), join(this.path, 'node_modules'))
    return outfile
  }
}

export function parseLines(text: string): Line[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
}

/** Below the ports that systems give to whoever asks for any (32,768 on Linux, 49,152 by RFC 6335, section 6). */
const FIXED_PORTS = [16_384, 32_768] as const

/** A TCP address on loopback that stays free, also while the node that has it is off and other tests start theirs. */
export async function fixedAddress(): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(...FIXED_PORTS)
    if (await isFree(port)) return `/ip4/127.0.0.1/tcp/${port}`
  }
  throw new Error(`no port is free between ${FIXED_PORTS.join(' and ')}`)
}

function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.once('listening', () => server.close(() => resolve(true)))
  })
}

/** Asks again and again until the answer is true. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, limitMs = LIMIT_MS): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await sleep(20)
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms).unref())
}

async function within<T>(work: Promise<T>, limitMs: number, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>(
    (_, reject) => (timer = setTimeout(() => reject(new Error(`${otherwise} within ${limitMs} ms`)), limitMs))
  )
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
