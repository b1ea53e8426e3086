// comrade up: runs the node of this home in the foreground, with its API, until it is told to leave.
import type { Api, EventLine } from '../../api/index.ts'
import type { EntryShape } from '../../api/shapes.ts'
import { NodeError, type Comrade } from '../../node/comrade.ts'
import { homeAt } from '../../node/home.ts'
import { hasKeys } from '../../node/keystore.ts'
import { join } from 'node:path'
import { EXIT } from '../exit.ts'
import { coloured, dim, type Line, type Output } from '../output.ts'
import { entryLines } from '../paint.ts'
import { askPassphrase, passphraseFromFile } from '../passphrase.ts'
import { parseCount } from '../quantity.ts'
import { handOverPhrase, refuseTakenPath } from '../recovery.ts'
import type { Context, Verb } from '../verb.ts'

/** A node leaves within 3 s, its API within another; past this the process ends anyhow. */
const LEAVE_TIMEOUT_MS = 8_000

interface Options {
  listen: string[]
  peer: string[]
  /** false for --no-mdns, --no-lan */
  mdns: boolean
  lan: boolean
  http?: number
  recoveryFile?: string
}

export const verb: Verb<Options> = {
  options: [
    { flags: '--listen <multiaddr>', description: 'listen here; may be given several times', isMany: true },
    { flags: '--peer <multiaddr>', description: 'connect to this node; may be given several times', isMany: true },
    { flags: '--no-mdns', description: 'do not look for nodes in the local network by multicast' },
    { flags: '--no-lan', description: 'nor dial private or loopback addresses, but those given by --peer' },
    {
      flags: '--http <port>',
      description: 'serve the API on 127.0.0.1 too; 0 takes any free port',
      parse: (text) => parseCount(text, 0, 65_535)
    },
    {
      flags: '--recovery-file <path>',
      description: 'on first use, write the recovery phrase here, not to the terminal'
    }
  ],
  examples: [
    'comrade up',
    'comrade up --listen /ip4/0.0.0.0/tcp/4040',
    'comrade up --peer /ip4/192.0.2.7/tcp/4040',
    'comrade up --json --recovery-file phrase.txt'
  ],
  handlesSignals: true,
  async run(context, _args, options) {
    const leaving = leaveOnSignal()
    if (options.recoveryFile !== undefined) refuseTakenPath(options.recoveryFile, hasKeys(homeAt(context.home).keys))
    const node = await openNode(context, options)
    const running = new RunningNode(node, context.output)
    try {
      handOverPhrase(node.recoveryPhrase, options.recoveryFile, context)
      await running.start(context, options)
      await running.until(leaving)
    } finally {
      await running.leave()
    }
    await running.close()
    process.exit(EXIT.done) // whatever timer a library has left behind
  }
}

/** Fires at the first SIGINT or SIGTERM, or when nobody reads stdout any more; a second signal ends the process. */
function leaveOnSignal(): AbortSignal {
  const leaving = new AbortController()
  const onSignal = (): void => {
    if (leaving.signal.aborted) process.exit(EXIT.interrupted)
    leaving.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  process.stdout.on('error', () => leaving.abort())
  return leaving.signal
}

/** Makes the node; asks for the passphrase only when one is needed. */
async function openNode({ home, isInteractive }: Context, { listen, peer, mdns, lan }: Options): Promise<Comrade> {
  // What was not said here is left to config.json.
  const options = {
    home,
    listen: listen.length === 0 ? undefined : listen,
    mdns: mdns && lan ? undefined : false,
    lan: lan ? undefined : false
  }
  const passphrase = await passphraseFromFile(process.env)
  // A wrong address is wrong usage, not a peer that does not answer.
  const { parseSetting } = await import('../../node/config.ts')
  for (const address of listen) parseSetting('listen', address)
  for (const address of peer) parseSetting('peers', address)
  // libp2p takes longer to load than any other verb to run: it is loaded here and nowhere else.
  const { createNode } = await import('../../node/index.ts')
  try {
    return await createNode({ ...options, passphrase })
  } catch (error) {
    const isLocked = error instanceof NodeError && error.code === 'LOCKED'
    if (!isLocked || passphrase !== undefined || !isInteractive) throw error
    return createNode({ ...options, passphrase: await askPassphrase('passphrase: ') })
  }
}

/** A node with its API and its lines on stdout. */
class RunningNode {
  readonly #node: Comrade
  readonly #output: Output
  readonly #left = new AbortController()
  readonly #asked = new AbortController()
  #api: Api | undefined
  #leaving: Promise<void> | undefined

  constructor(node: Comrade, output: Output) {
    this.#node = node
    this.#output = output
  }

  async start({ socketPath }: Context, { http, peer }: Options): Promise<void> {
    const node = this.#node
    const { eventLines, serveApi } = await import('../../api/index.ts')
    const lines = eventLines(node, this.#left.signal)
    await node.start()
    this.#api = await serveApi({
      comrade: node,
      socketPath,
      http: http === undefined ? undefined : { port: http, tokenPath: join(homeAt(node.home).keys, 'api-token') },
      onDown: () => this.leave()
    })
    this.#announce(this.#api.url)
    void this.#printAll(lines)
    for (const address of peer) void this.#connect(address)
  }

  /** Waits until a signal comes, or the API was asked to end the node. */
  async until(leaving: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([leaving, this.#asked.signal])
    if (signal.aborted) return
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  /** Leaves: the API takes no more questions, then the node stops. Called again, waits for the same. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  /** Lets answers under way reach who asked. */
  async close(): Promise<void> {
    await this.#api?.close()
  }

  async #leave(): Promise<void> {
    const limit = setTimeout(() => process.exit(EXIT.failed), LEAVE_TIMEOUT_MS)
    this.#asked.abort()
    this.#left.abort()
    this.#api?.retire()
    try {
      await this.#node.stop()
    } finally {
      clearTimeout(limit)
    }
  }

  #announce(url: string | undefined): void {
    const {
      identity: { did, device },
      peerId,
      addresses,
      home
    } = this.#node
    const ready = { event: 'ready', did, device, peerId, addresses, home }
    this.#output.result(ready, () => [
      [coloured('green', 'ready   '), did],
      [dim('home    '), home],
      ...addresses.map((address) => [dim('address '), address])
    ])
    if (url !== undefined) this.#output.result({ event: 'http', url }, () => [[dim('http    '), `${url}/api/status`]])
    this.#output.next(`comrade post 'hello'    (in another terminal; ^C here to leave)`)
  }

  async #printAll(lines: AsyncIterable<EventLine>): Promise<void> {
    for await (const line of lines) this.#print(line)
  }

  #print(line: EventLine): void {
    this.#output.result(line, () => eventText(line))
  }

  async #connect(address: string): Promise<void> {
    try {
      await this.#node.connect(address, { signal: this.#left.signal })
    } catch (error) {
      const message = `no connection to ${address}: ${(error as Error).message}`
      if (!this.#left.signal.aborted) this.#print({ event: 'warning', code: 'UNREACHABLE', message })
    }
  }
}

function eventText(line: EventLine): readonly Line[] {
  switch (line.event) {
    case 'entry':
      return entryLines(line as unknown as EntryShape)
    case 'peer:connect':
      return [[coloured('green', 'connected    '), String(line.did ?? line.peerId)]]
    case 'peer:disconnect':
      return [[dim('disconnected '), String(line.did ?? line.peerId)]]
    case 'warning':
      return [[coloured('yellow', 'warning: '), String(line.message)]]
    default:
      return [[dim(JSON.stringify(line))]]
  }
}
