// What the people of the demo do: meet, write, answer, found two groups, send each other messages.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DemoNode } from './nodes.ts'
import { picture } from './picture.ts'

/** Things take a while to go from node to node: they are tried until they work, for this long and so often, in ms. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 300

export const NAMES = ['Ada', 'Ben', 'Chiara', 'Devon', 'Emre', 'Fatima', 'Greta'] as const
type Name = (typeof NAMES)[number]
export type People = ReadonlyMap<Name, DemoNode>

/** Who does not know whom, so that somebody is left to be introduced. */
const STRANGERS: readonly (readonly [Name, Name])[] = [
  ['Ada', 'Greta'],
  ['Ben', 'Greta']
]

interface Said {
  by: Name
  text: string
  tags?: string[]
  /** Draw a picture for it. */
  picture?: number
  reactions?: Partial<Record<Name, string>>
  answers?: Said[]
}

const POSTS: readonly Said[] = [
  {
    by: 'Chiara',
    text: 'The choir meets in the old fire station from now on: Wednesdays at eight. Tenors are still welcome, and so is anybody with a key to the side door.',
    reactions: { Ada: '❤️' }
  },
  {
    by: 'Emre',
    text: 'Repair café on Thursday from six: bicycles, radios, whatever has a screw. Last time we mended 14 of 19 things.',
    tags: ['repair'],
    reactions: { Ben: '❤️', Greta: '❤️' },
    answers: [
      {
        by: 'Devon',
        text: 'I have a toaster that only toasts on one side. Is that a fault or an opinion?',
        reactions: { Emre: '❤️' },
        answers: [{ by: 'Emre', text: 'Bring it. We have opinions too.' }]
      }
    ]
  },
  {
    by: 'Fatima',
    text: 'From the ridge, just before the rain.',
    picture: 3,
    tags: ['hills'],
    reactions: { Ada: '❤️', Chiara: '❤️', Emre: '❤️' },
    answers: [
      {
        by: 'Ben',
        text: 'Is the path to the hut open again?',
        answers: [{ by: 'Fatima', text: 'Since Monday. Take boots.' }]
      }
    ]
  },
  {
    by: 'Ben',
    text: 'Swarm in the old oak at the crossing. If somebody has an empty box, I can bring the bees over this evening.\n\nWhoever comes: bring gloves.',
    tags: ['bees'],
    answers: [{ by: 'Ada', text: 'I have a box, and two pairs of gloves. Seven o’clock?' }]
  },
  {
    by: 'Ada',
    text: 'The apples are ripe, come and pick. There is a ladder behind the shed, and the dog is friendlier than it sounds. #apples #garden',
    reactions: { Ben: '❤️', Devon: '❤️', Fatima: '❤️' },
    answers: [
      {
        by: 'Chiara',
        text: 'I come on Saturday with two baskets',
        answers: [{ by: 'Ada', text: 'Take the small ladder, the large one is lent.' }]
      },
      { by: 'Devon', text: 'Are there any for juice?' }
    ]
  }
]

const GROUPS: readonly { name: string; members: readonly Name[]; posts: readonly Said[] }[] = [
  {
    name: 'orchard',
    members: ['Ada', 'Ben', 'Chiara', 'Devon'],
    posts: [
      { by: 'Ada', text: 'The key is under the third pot, counted from the gate.' },
      { by: 'Ben', text: 'Pruning on the 12th. I bring the saws.' }
    ]
  },
  {
    name: 'choir',
    members: ['Chiara', 'Emre', 'Fatima'],
    posts: [{ by: 'Chiara', text: 'Notes for Wednesday are in the cupboard. Altos: bar 40, please.' }]
  }
]

const MESSAGES: readonly [from: Name, to: Name, text: string][] = [
  ['Ada', 'Ben', 'Are you coming by train?'],
  ['Ben', 'Ada', 'Yes, the 9:40. I bring the box.'],
  ['Emre', 'Devon', 'What kind of toaster is it?']
]

/** What is said now and then while the demo goes on. */
export const SMALL_TALK: readonly Said[] = [
  { by: 'Greta', text: 'Fog down to the river. The ferry goes anyway.' },
  { by: 'Devon', text: 'The toaster toasts on both sides now. I miss the suspense.' },
  { by: 'Emre', text: 'Found a box of radio valves. Free to whoever can pronounce them.' },
  { by: 'Ben', text: 'Bees are in their box, and in a good mood.' },
  { by: 'Fatima', text: 'First snow above 1,800 metres.' },
  { by: 'Chiara', text: 'Whoever left a scarf in the fire station: it sings bass.' }
]

/** Has everybody do what is written above. @param say is told what is under way */
export async function tell(people: People, directory: string, say: (text: string) => void): Promise<void> {
  say('they meet')
  await meetAll(people)
  say('they write')
  for (const said of POSTS) await write(people, directory, said)
  say('they found groups, and vouch for each other')
  await Promise.all(GROUPS.map((group) => found(people, directory, group)))
  for (const [from, to, text] of MESSAGES)
    await again(() => of(people, from).client.post('message', { who: of(people, to).did, text }))
}

function of(people: People, name: Name): DemoNode {
  return people.get(name)!
}

async function meetAll(people: People): Promise<void> {
  const pairs = NAMES.flatMap((one, index) => NAMES.slice(index + 1).map((other) => [one, other] as const))
  const isStranger = ([one, other]: readonly [Name, Name]): boolean =>
    STRANGERS.some(([a, b]) => a === one && b === other)
  for (const [one, other] of pairs.filter((pair) => !isStranger(pair))) {
    const { link } = await of(people, one).client.post<{ link: string }>('meet/invite')
    await again(() => of(people, other).client.post('meet', { with: link }))
  }
}

/** Writes a post and all that it is answered with. @param more reply, to */
export async function write(people: People, directory: string, said: Said, more: object = {}): Promise<void> {
  const { by, text, tags = [], picture: seed, reactions = {}, answers = [] } = said
  const found = [...text.matchAll(/#(\w+)/g)].map(([, tag]) => tag)
  const body = {
    text,
    tags: [...tags, ...found],
    ...more,
    ...(seed === undefined ? {} : { attach: [drawn(directory, seed)] })
  }
  const { id } = await again(() => of(people, by).client.post<{ id: string }>('post', body))
  for (const [name, emoji] of Object.entries(reactions))
    await again(() => of(people, name as Name).client.post('react', { id, emoji }))
  for (const answer of answers) await write(people, directory, answer, { reply: id })
}

function drawn(directory: string, seed: number): string {
  const file = join(directory, 'ridge.png')
  writeFileSync(file, picture(seed))
  return file
}

/** Founds a group, and lets the others in one after the other. */
async function found(
  people: People,
  directory: string,
  { name, members, posts }: (typeof GROUPS)[number]
): Promise<void> {
  const [first, ...others] = members.map((member) => of(people, member))
  const { id } = await first.client.post<{ id: string }>('group/create', { name })
  const { link } = await first.client.get<{ link: string }>('group/link', { group: id })
  const group = { group: id }
  for (const [index, { client, did }] of others.entries()) {
    await client.post('group/open', { link })
    await again(() => client.post('group/apply', group))
    const { needed } = await again(() => candidacy(first, id, did))
    // Who came last vouches first: nobody may vouch often within a month.
    const voters = [first, ...others.slice(0, index)].toReversed().slice(0, needed)
    for (const voter of voters) await again(() => voter.client.post('group/vouch', { ...group, who: did }))
    await again(() => client.post('group/join', group))
  }
  for (const said of posts) await write(people, directory, said, { to: id })
}

async function candidacy({ client }: DemoNode, group: string, did: string): Promise<{ needed: number }> {
  const [found] = await client.get<{ needed: number }[]>('group/candidates', { group, who: did })
  if (found === undefined) throw new Error('not a candidate yet')
  return found
}

async function again<T>(work: () => Promise<T>): Promise<T> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}
