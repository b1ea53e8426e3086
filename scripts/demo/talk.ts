// What the people of the demo have written when a newcomer comes: posts with their threads, and private messages.
import type { PersonId } from './people.ts'
import type { PictureName } from './paintings.ts'

/** A post, with what was said to it. */
export interface Post {
  by: PersonId
  text: string
  tags?: readonly string[]
  /** Whom `@` and their name in the text means. */
  mentions?: readonly PersonId[]
  picture?: PictureName
  /** A group that it is written to. What answers it goes there by itself. */
  to?: string
  reactions?: Partial<Record<PersonId, string>>
  replies?: readonly Post[]
}

export const POSTS: readonly Post[] = [
  {
    by: 'greta',
    text: 'Hello from the yellow house by the bridge. I have moved here with two boxes of books and a transceiver.',
    reactions: { emre: '👋', fatima: '❤️' },
    replies: [{ by: 'emre', text: 'Welcome! Tell me if a door sticks: in that house they all do.' }]
  },
  {
    by: 'chiara',
    text: 'The choir meets in the old fire station from now on: Wednesdays at eight. Tenors are still welcome, and so is anybody with a key to the side door.',
    reactions: { ada: '❤️' }
  },
  {
    by: 'emre',
    text: 'Repair café on Thursday from six: bicycles, radios, whatever has a screw. Last time we mended 14 of 19 things.',
    tags: ['repair'],
    reactions: { ben: '❤️', greta: '❤️' },
    replies: [
      {
        by: 'devon',
        text: 'I have a toaster that only toasts on one side. Is that a fault or an opinion?',
        reactions: { emre: '❤️' },
        replies: [{ by: 'emre', text: 'Bring it. We have opinions too.' }]
      }
    ]
  },
  {
    by: 'chiara',
    text: 'Twenty loaves tomorrow, rye and wheat, out of the oven at seven. What is left at nine goes to whoever stands there.',
    tags: ['bread'],
    reactions: { ada: '❤️', devon: '👍', ben: '❤️' },
    replies: [
      { by: 'devon', text: 'How long do you let the sourdough stand when it is this cold?' },
      {
        by: 'chiara',
        text: 'Overnight beside the stove, sixteen hours or so. It tells you: when it smells of apples, it is ready.',
        reactions: { devon: '👍', ada: '❤️' }
      }
    ]
  },
  {
    by: 'fatima',
    text: 'From the ridge, just before the rain.',
    picture: 'ridge',
    tags: ['hills'],
    reactions: { ada: '❤️', chiara: '❤️', emre: '❤️' },
    replies: [
      {
        by: 'ben',
        text: 'Is the path to the hut open again?',
        replies: [{ by: 'fatima', text: 'Since Monday. Take boots.' }]
      }
    ]
  },
  {
    by: 'ben',
    text: 'Swarm in the old oak at the crossing. If somebody has an empty box, I can bring the bees over this evening.\n\nWhoever comes: bring gloves.',
    tags: ['bees'],
    replies: [{ by: 'ada', text: 'I have a box, and two pairs of gloves. Seven o’clock?' }]
  },
  {
    by: 'ada',
    text: 'The apples are ripe, come and pick. There is a ladder behind the shed, and the dog is friendlier than it sounds. #apples #garden',
    tags: ['apples', 'garden'],
    reactions: { ben: '❤️', devon: '❤️', fatima: '❤️' },
    replies: [
      {
        by: 'chiara',
        text: 'I come on Saturday with two baskets',
        replies: [{ by: 'ada', text: 'Take the small ladder, @Emre has the large one.', mentions: ['emre'] }]
      },
      { by: 'devon', text: 'Are there any for juice?' }
    ]
  }
]

export const GROUP_POSTS: readonly Post[] = [
  {
    by: 'ada',
    text: 'The key is under the third pot, counted from the gate.',
    to: 'orchard',
    reactions: { devon: '👍' }
  },
  { by: 'ben', text: 'Pruning on the 12th. I bring the saws.', to: 'orchard' },
  {
    by: 'emre',
    text: 'The fence on the north side is down by three posts. I have the wood; who has a free afternoon?',
    to: 'orchard',
    replies: [{ by: 'ben', text: 'Wednesday, from three.' }]
  },
  { by: 'chiara', text: 'Notes for Wednesday are in the cupboard. Altos: bar 40, please.', to: 'choir' }
]

/** A private message, to a person or to the conversation. */
export interface PrivateMessage {
  by: PersonId
  to: PersonId | typeof CONVERSATION.name
  text: string
  picture?: PictureName
  reaction?: { by: PersonId; emoji: string }
}

export const CONVERSATION = { name: "Emre's birthday", by: 'ada', with: ['ben', 'chiara'] } as const satisfies {
  name: string
  by: PersonId
  with: readonly PersonId[]
}

export const MESSAGES: readonly PrivateMessage[] = [
  { by: 'ada', to: 'ben', text: 'Are you coming by train?' },
  { by: 'ben', to: 'ada', text: 'Yes, the 9:40. I bring the box. How do I get in from the back?' },
  {
    by: 'ada',
    to: 'ben',
    text: 'Like this. The gate sticks, lift it.',
    picture: 'map',
    reaction: { by: 'ben', emoji: '👍' }
  },
  { by: 'emre', to: 'devon', text: 'What kind of toaster is it?' },
  { by: 'fatima', to: 'greta', text: 'Tonight from ten the band should be open. Tea is there.' },
  { by: 'greta', to: 'fatima', text: 'I will be there, with a notebook.' },
  {
    by: 'ada',
    to: CONVERSATION.name,
    text: 'He turns fifty on the 12th and says he wants nothing. So what do we give him?'
  },
  { by: 'chiara', to: CONVERSATION.name, text: 'A ladder of bread. I am serious.' },
  { by: 'ben', to: CONVERSATION.name, text: 'I build the frame for it. He must not see the workshop until then.' }
]
