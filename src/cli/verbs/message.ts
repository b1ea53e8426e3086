// comrade message: writes to one person, whom alone it is for.
import type { MessageShape } from '../../api/message-shapes.ts'
import { NodeError } from '../../node/comrade.ts'
import { shellWord } from '../group-lines.ts'
import { parseDuration } from '../quantity.ts'
import { readStdin } from '../stdin.ts'
import type { Verb } from '../verb.ts'

/** Largest text, in bytes of UTF-8. */
const MAX_TEXT_SIZE = 28_000

interface Options {
  reply?: string
  expires?: number
}

export const verb: Verb<Options> = {
  arguments: [
    ['<who>', 'whom you follow: a petname, a did, or a name that only one person claims'],
    ['<text>', 'what to say; - reads it from stdin']
  ],
  options: [
    { flags: '--reply <id>', description: 'the message that this answers' },
    {
      flags: '--expires <duration>',
      description: 'erase it at both ends after this time: 90s, 15m, 12h, 7d, 2w',
      parse: parseDuration
    }
  ],
  examples: [
    "comrade message alice 'the key is under the mat'",
    "comrade message alice 'gone tomorrow' --expires 1d",
    'comrade message alice - < letter.txt'
  ],
  async run({ client, output, signal }, [who, words], { reply, expires }) {
    const text = words === '-' ? await readStdin(signal, MAX_TEXT_SIZE, 'a message') : words
    if (text === '') throw new NodeError('BAD_INPUT', 'there is nothing to send: the text is empty')
    const message = await client.post<MessageShape>('message', { who, text, reply, expiresInMs: expires }, { signal })
    output.result(message, () => `${message.state}  ${message.id}`)
    output.next(`comrade messages ${shellWord(who)} --follow`)
  }
}
