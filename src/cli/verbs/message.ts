// comrade message: writes to one person, or in a conversation of several, whom alone it is for.
import { resolve } from 'node:path'
import type { MessageShape } from '../../api/message-shapes.ts'
import { NodeError } from '../../node/comrade.ts'
import { checkAlts } from '../attaching.ts'
import { shellWord } from '../group-lines.ts'
import type { Output } from '../output.ts'
import { parseDuration } from '../quantity.ts'
import { readStdin } from '../stdin.ts'
import type { Verb } from '../verb.ts'

/** Largest text, in bytes of UTF-8. */
const MAX_TEXT_SIZE = 28_000
/** A large file takes its time to be sealed: the limit, in ms. */
const SEAL_TIMEOUT_MS = 300_000

interface Options {
  reply?: string
  attach: string[]
  alt: string[]
  plain?: boolean
  expires?: number
}

export const verb: Verb<Options> = {
  arguments: [
    ['<who>', 'whom you follow: a petname, a did, or a name that only one person claims; or a conversation: +name'],
    ['[text]', 'what to say; - reads it from stdin; may be left out when a file is attached']
  ],
  options: [
    { flags: '--reply <id>', description: 'the message that this answers' },
    {
      flags: '--attach <file>',
      description: 'a file that goes with it; each of several is a message of its own',
      isMany: true
    },
    {
      flags: '--alt <text>',
      description: 'what a picture shows, for those who do not see it; one for each --attach, in their order',
      isMany: true
    },
    { flags: '--plain', description: 'without what pictures hide, such as the place; only of JPEG, PNG and WebP' },
    {
      flags: '--expires <duration>',
      description: 'erase it at both ends after this time: 90s, 15m, 12h, 7d, 2w',
      parse: parseDuration
    }
  ],
  examples: [
    "comrade message alice 'the key is under the mat'",
    "comrade message alice 'gone tomorrow' --expires 1d",
    'comrade message alice - < letter.txt',
    "comrade message +weekend 'who brings bread?'",
    "comrade message alice --attach map.pdf 'the way to the meadow'"
  ],
  async run({ client, output, signal }, [who, words], { reply, expires, attach, alt, plain }) {
    const text = words === '-' ? await readStdin(signal, MAX_TEXT_SIZE, 'a message') : words
    if (text === '') throw new NodeError('BAD_INPUT', 'there is nothing to send: the text is empty')
    if (text === undefined && attach.length === 0)
      throw new NodeError('BAD_INPUT', 'there is nothing to send: give a text, or a file with --attach')
    checkAlts(alt, attach)
    const files = attach.length === 0 ? [undefined] : attach.map((file) => resolve(file))
    for (const [i, file] of files.entries()) {
      const said = i === 0 ? { text, reply } : {} // the text goes with the first
      const draft = { who, ...said, attach: file, alt: alt[i], plain, expiresInMs: expires }
      const message = await client.post<MessageShape>('message', draft, { signal, timeoutMs: SEAL_TIMEOUT_MS })
      output.result(message, () => `${message.state}  ${message.id}`)
      warnOfUnreached(output, message)
    }
    output.next(`comrade messages ${shellWord(who)} --follow`)
  }
}

/** Nobody is to believe that all in a conversation read what only some of them get. */
function warnOfUnreached(output: Output, { recipients }: MessageShape): void {
  const unreached = recipients.filter(({ state }) => state === 'unreachable').map(({ name }) => name)
  if (unreached.length === 0) return
  output.warning('UNREACHABLE', `not for ${unreached.join(', ')}: messages go between people who follow each other`)
}
