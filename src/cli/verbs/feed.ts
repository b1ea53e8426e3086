// comrade feed: reads posts, newest first, and goes on with --follow.
import type { EntryShape } from '../../api/shapes.ts'
import { entryLines } from '../paint.ts'
import { parseCount } from '../quantity.ts'
import type { Verb } from '../verb.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 10_000

interface Options {
  limit?: number
  before?: string
  tag?: string
  search?: string
  follow?: boolean
  all?: boolean
}

export const verb: Verb<Options> = {
  arguments: [['[who]', 'a petname, a did, or a name that only one person claims; else you and all whom you follow']],
  options: [
    {
      flags: '--limit <n>',
      description: `how many at most (default ${DEFAULT_LIMIT})`,
      parse: (text) => parseCount(text, 1, MAX_LIMIT)
    },
    { flags: '--before <id>', description: 'only what is older than this entry' },
    { flags: '--tag <tag>', description: 'only with this tag' },
    { flags: '--search <words>', description: 'only with all of these words' },
    { flags: '--all', description: 'every type of entry, not only posts and reactions' },
    { flags: '--follow', description: 'go on with what arrives, until interrupted' }
  ],
  examples: [
    'comrade feed',
    'comrade feed alice --limit 10',
    'comrade feed --tag bees --follow',
    "comrade feed --search 'lift town'"
  ],
  async run({ client, output, signal }, [who], { limit = DEFAULT_LIMIT, before, tag, search, follow, all }) {
    let shown = 0
    let last: EntryShape | undefined
    for await (const entry of client.lines<EntryShape>(
      'feed',
      { who, limit, before, tag, search, follow, all },
      { signal }
    )) {
      output.result(entry, () => entryLines(entry))
      shown += 1
      last = entry
    }
    if (shown === 0) output.talk('nothing here yet')
    if (shown === 0) output.next("comrade post 'hello'", 'comrade follow <did>')
    if (shown === limit && last !== undefined) output.next(`comrade feed --before ${last.id}    (what is older)`)
  }
}
