// comrade feed: reads posts, newest first, and goes on with --follow.
import type { EntryShape } from '../../api/shapes.ts'
import { shellWord } from '../group-lines.ts'
import { entryLines } from '../paint.ts'
import { parseCount } from '../quantity.ts'
import type { Verb } from '../verb.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 10_000

interface Options {
  limit?: number
  before?: string
  tag?: string
  mentions?: string
  search?: string
  in?: string
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
    { flags: '--mentions <who>', description: 'only what mentions this person' },
    { flags: '--search <words>', description: 'only with all of these words' },
    { flags: '--in <group>', description: 'what was written to this group, which is not part of the feed otherwise' },
    { flags: '--all', description: 'every type of entry, not only posts and reactions' },
    { flags: '--follow', description: 'go on with what arrives, until interrupted' }
  ],
  examples: [
    'comrade feed',
    'comrade feed alice --limit 10',
    'comrade feed --tag bees --follow',
    "comrade feed --search 'lift town'",
    'comrade feed --in @portland --follow'
  ],
  async run(
    { client, output, signal },
    [who],
    { limit = DEFAULT_LIMIT, before, tag, mentions, search, in: group, follow, all }
  ) {
    let shown = 0
    let last: EntryShape | undefined
    for await (const entry of client.lines<EntryShape>(
      'feed',
      { who, in: group, limit, before, tag, mentions, search, follow, all },
      { signal }
    )) {
      output.result(entry, () => entryLines(entry))
      shown += 1
      last = entry
    }
    if (shown === 0) output.talk('nothing here yet')
    const where = group === undefined ? '' : ` --in ${shellWord(group)}`
    if (shown === 0 && group !== undefined) output.next(`comrade post 'hello' --to ${shellWord(group)}`)
    else if (shown === 0) output.next("comrade post 'hello'", 'comrade follow <did>')
    if (shown === limit && last !== undefined)
      output.next(`comrade feed${where} --before ${last.id}    (what is older)`)
  }
}
