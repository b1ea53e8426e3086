// comrade restore: makes an empty home a new device of an identity whose recovery phrase one has.
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { NodeError } from '../../node/comrade.ts'
import { coloured, dim } from '../output.ts'
import { askSecret, passphraseFromFile } from '../passphrase.ts'
import type { Context, Verb } from '../verb.ts'

/** More than 24 words have. */
const MAX_PHRASE_LENGTH = 1_024

interface Options {
  phraseFile?: string
  alone?: boolean
}

export const verb: Verb<Options> = {
  options: [
    {
      flags: '--phrase-file <file>',
      description: 'read the 24 words from this file, - is stdin; else they are asked for'
    },
    {
      flags: '--alone',
      description: 'nobody keeps anything of this identity: begin it anew. Else it waits until its log was given back'
    }
  ],
  examples: [
    'comrade restore',
    'comrade restore --phrase-file phrase.txt',
    'comrade up --peer /ip4/192.0.2.7/tcp/4040    (then: somebody who follows you)'
  ],
  async run(context, _args, { phraseFile, alone }) {
    const { home, output } = context
    const phrase = phraseFile === undefined ? await askPhrase(context) : await readPhrase(phraseFile)
    const passphrase = await passphraseFromFile(process.env)
    const { restoreIdentity } = await import('../../node/index.ts')
    const restored = await restoreIdentity({ home, phrase, passphrase, isAlone: alone })
    output.result(restored, () => [
      [coloured('green', 'restored '), restored.did],
      [dim('device   '), restored.device]
    ])
    if (alone !== true)
      output.talk('what you wrote comes back, and this device signs, when somebody who follows you is connected')
    output.next('comrade up --peer <multiaddr>', 'comrade device list    (then end the devices that you lost)')
  }
}

async function askPhrase({ isInteractive }: Context): Promise<string> {
  if (isInteractive) return askSecret('the 24 words of the recovery phrase: ', 'phrase')
  throw new NodeError('BAD_INPUT', 'the recovery phrase is needed: give it by --phrase-file <file or ->')
}

/** @throws NodeError BAD_INPUT when it cannot be read. What it holds is repeated nowhere */
async function readPhrase(path: string): Promise<string> {
  try {
    const words = path === '-' ? await text(process.stdin) : await readFile(path, 'utf8')
    if (words.length <= MAX_PHRASE_LENGTH) return words
  } catch (cause) {
    throw new NodeError('BAD_INPUT', `--phrase-file: ${path} cannot be read`, { cause })
  }
  throw new NodeError('BAD_INPUT', `--phrase-file: ${path} holds more than a recovery phrase`)
}
