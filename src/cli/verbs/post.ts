// comrade post: writes a post from the command line or from stdin.
import { resolve } from 'node:path'
import { NodeError } from '../../node/comrade.ts'
import { checkAlts } from '../attaching.ts'
import { shellWord } from '../group-lines.ts'
import { parseDuration } from '../quantity.ts'
import { readStdin } from '../stdin.ts'
import type { Verb } from '../verb.ts'

/** Largest text, in bytes of UTF-8. */
const MAX_TEXT_SIZE = 65_536
/** Large files take their time to be stored: the limit, in ms. */
const STORE_TIMEOUT_MS = 300_000

interface Options {
  reply?: string
  tag: string[]
  mention: string[]
  expires?: number
  to?: string
  attach: string[]
  alt: string[]
  plain?: boolean
}

export const verb: Verb<Options> = {
  arguments: [['[text]', 'what to say; - reads it from stdin; may be left out when a file is attached']],
  options: [
    { flags: '--reply <id>', description: 'the entry that this answers' },
    { flags: '--tag <tag>', description: 'a tag, without #; may be given several times', isMany: true },
    {
      flags: '--mention <who>',
      description: 'whom it speaks to, where the text has @ and that name; may be given several times',
      isMany: true
    },
    {
      flags: '--expires <duration>',
      description: 'ask all holders to drop it after this time: 90s, 15m, 12h, 7d, 2w',
      parse: parseDuration
    },
    {
      flags: '--attach <file>',
      description: 'a file that goes with it, up to 64 MiB; may be given several times',
      isMany: true
    },
    {
      flags: '--alt <text>',
      description: 'what a picture shows, for those who do not see it; one for each --attach, in their order',
      isMany: true
    },
    { flags: '--plain', description: 'without what pictures hide, such as the place; only of JPEG, PNG and WebP' },
    {
      flags: '--to <group>',
      description: 'only for who may read in this group; an answer stays in its group by itself'
    }
  ],
  examples: [
    "comrade post 'hello'",
    "comrade post 'me too' --reply bafkrei…",
    'comrade post - --tag log < notes.txt',
    "comrade post 'ask @maria, she has ladders' --mention maria",
    "comrade post 'lift to town at 9?' --expires 1d",
    "comrade post 'the swarm' --attach swarm.jpg --alt 'bees on a branch' --plain",
    "comrade post 'the key is under the mat' --to @portland"
  ],
  async run({ client, output, signal }, [words], { reply, tag, mention, expires, to, attach, alt, plain }) {
    const text = words === '-' ? await readStdin(signal, MAX_TEXT_SIZE, 'a post') : words
    if (text === '') throw new NodeError('BAD_INPUT', 'there is nothing to post: the text is empty')
    if (text === undefined && attach.length === 0)
      throw new NodeError('BAD_INPUT', 'there is nothing to post: give a text, or a file with --attach')
    checkAlts(alt, attach)
    const post = await client.post<{ id: string; feed: string; seq: number }>(
      'post',
      {
        ...{ text, reply, tags: tag, mentions: mention, expiresInMs: expires, to },
        attach: attach.length === 0 ? undefined : attach.map((file) => resolve(file)),
        ...{ alts: alt.length === 0 ? undefined : alt, plain }
      },
      { signal, timeoutMs: STORE_TIMEOUT_MS }
    )
    output.result(post, () => post.id)
    output.next(`comrade show ${post.id}`, to === undefined ? 'comrade feed' : `comrade feed --in ${shellWord(to)}`)
  }
}
