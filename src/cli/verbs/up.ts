// comrade up: runs the node of this home in the foreground, with its API, until it is told to leave.
import { NodeError, type Comrade } from '../../node/comrade.ts'
import { homeAt } from '../../node/home.ts'
import { hasKeys } from '../../node/keystore.ts'
import { EXIT } from '../exit.ts'
import { askPassphrase, passphraseFromFile } from '../passphrase.ts'
import { parseCount } from '../quantity.ts'
import { handOverPhrase, refuseTakenPath } from '../recovery.ts'
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
      await running.start(context.socketPath, options)
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
async function openNode(context: Context, { listen, peer, mdns, lan, recoveryFile }: Options): Promise<Comrade> {
  const { home, isInteractive } = context
  // What was not said here is left to config.json.
  const options = {
    home,
    listen: listen.length === 0 ? undefined : listen,
    mdns: mdns && lan ? undefined : false,
    lan: lan ? undefined : false,
    onRecoveryPhrase: (phrase: string) => handOverPhrase(phrase, recoveryFile, context)
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
