// comrade up: runs the node of this home in the foreground, with its API, until it is told to leave.
import { NodeError, type Comrade } from '../../node/comrade.ts'
import { homeAt } from '../../node/home.ts'
import { hasKeys } from '../../node/keystore.ts'
import { EXIT } from '../exit.ts'
import { coloured } from '../output.ts'
import { offerPage, type PageAddress } from '../page-address.ts'
import { askPassphrase, passphraseFromFile } from '../passphrase.ts'
import { parseCount } from '../quantity.ts'
import { type Handover, handOverKeptPhrase, handOverPhrase, refuseTakenPath, refuseUnseen } from '../recovery.ts'
import { RunningNode } from '../running-node.ts'
import type { Context, Verb } from '../verb.ts'

interface Options {
  listen: string[]
  peer: string[]
  /** false for --no-mdns, --no-lan */
  mdns: boolean
  lan: boolean
  http?: number
  recoveryFile?: string
  open?: boolean
  unattended?: boolean
}

/** Whoever has just installed may be away when the node is ready. */
const FIRST_ADDRESS_EXPIRES_MS = 600_000
/**
 * Small buffers are parts of larger ones of this size, in bytes, each of which stays as long as any of its parts. With the 64 KiB
 * of Node.js 24, every peer id that the DHT's table has takes that much.
 */
const BUFFER_POOL_SIZE = 8_192

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
    },
    {
      flags: '--open',
      description: "open the node's page in a browser; the recovery phrase is shown there, not on the terminal"
    },
    {
      flags: '--unattended',
      description: 'for a service, whose output is kept: print nothing of people, their words, or the recovery phrase'
    }
  ],
  examples: [
    'comrade up --open',
    'comrade up',
    'comrade up --listen /ip4/0.0.0.0/tcp/4040',
    'comrade up --peer /ip4/192.0.2.7/tcp/4040',
    'comrade up --json --recovery-file phrase.txt',
    'comrade up --unattended'
  ],
  handlesSignals: true,
  async run(context, _args, options) {
    Buffer.poolSize = BUFFER_POOL_SIZE
    const leaving = leaveOnSignal()
    const hasIdentity = hasKeys(homeAt(context.home).keys)
    if (options.recoveryFile !== undefined) refuseTakenPath(options.recoveryFile, hasIdentity)
    if (options.unattended === true) refuseUnseen(options, hasIdentity)
    const node = await openNode(context, options).catch((error: unknown) => {
      if (options.open === true && isInUse(error)) return undefined
      throw error
    })
    if (node === undefined) return openRunning(context)
    if (hasIdentity) handOverKeptPhrase(node, options.recoveryFile, handoverOf(context, options))
    const running = new RunningNode(node, context.output)
    try {
      await running.start(context.socketPath, options)
      if (options.open === true) await openPage(context)
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

function isInUse(error: unknown): boolean {
  return error instanceof NodeError && error.code === 'HOME_IN_USE'
}

function handoverOf({ output }: Context, { unattended }: Options): Handover {
  return { output, isSeen: unattended !== true }
}

/** There is nothing to start: the page of the node that runs is what was asked for. */
async function openRunning(context: Context): Promise<void> {
  context.output.talk('a node runs in this home already, with the options that it was started with: this is its page')
  await offerPage(context, (made) => printPage(context, made))
}

async function openPage(context: Context): Promise<void> {
  await offerPage(context, (made) => printPage(context, made), FIRST_ADDRESS_EXPIRES_MS)
  context.output.next('comrade open    (in another terminal, for another address; ^C here to leave)')
}

function printPage({ output }: Context, made: PageAddress): void {
  output.result({ event: 'page', ...made }, () => [[coloured('green', 'page    '), made.url]])
}

/** Makes the node; asks for the passphrase only when one is needed. */
async function openNode(context: Context, given: Options): Promise<Comrade> {
  const { listen, peer, mdns, lan, recoveryFile, open } = given
  const { home, isInteractive } = context
  const isShownByPage = open === true && recoveryFile === undefined
  // What was not said here is left to config.json.
  const options = {
    home,
    listen: listen.length === 0 ? undefined : listen,
    mdns: mdns && lan ? undefined : false,
    lan: lan ? undefined : false,
    logsPeople: given.unattended !== true,
    keepsRecoveryPhrase: isShownByPage,
    onRecoveryPhrase: isShownByPage
      ? () => context.output.talk('the recovery phrase is shown on the page: have paper at hand')
      : (phrase: string) => handOverPhrase(phrase, recoveryFile, handoverOf(context, given))
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
