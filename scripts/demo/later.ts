// What happens in the demo while a newcomer looks around, one after the other, and what people answer the newcomer.
import type { PersonId } from './people.ts'
import { CONVERSATION, type Post, type PrivateMessage } from './talk.ts'

/** What somebody does: writes, answers or reacts to the newest post of somebody, or writes in private. */
export type Doing =
  | { post: Post }
  | { by: PersonId; answers: PersonId; text: string }
  | { by: PersonId; reactsTo: PersonId; emoji: string }
  | { message: PrivateMessage }

export const LATER: readonly Doing[] = [
  {
    by: 'fatima',
    answers: 'ada',
    text: 'I come after noon, when I have slept. Is there something left for late people?'
  },
  { post: { by: 'greta', text: 'Fog down to the river. The ferry goes anyway.' } },
  { by: 'emre', reactsTo: 'greta', emoji: '❤️' },
  { message: { by: 'chiara', to: 'ada', text: 'How many are we on Saturday? I would bake for twenty.' } },
  { post: { by: 'devon', text: 'The toaster toasts on both sides now. I miss the suspense.' } },
  { by: 'emre', answers: 'devon', text: 'We can put it back. Thursday, from six.' },
  { by: 'ada', reactsTo: 'devon', emoji: '😄' },
  { post: { by: 'emre', text: 'Found a box of radio valves. Free to whoever can pronounce them.' } },
  { by: 'greta', answers: 'emre', text: 'ECC83. Do I get the whole box?' },
  { message: { by: 'devon', to: 'emre', text: 'Do you still have the board for the hive stand?' } },
  { post: { by: 'ben', text: 'Bees are in their box, and in a good mood.', tags: ['bees'] } },
  { by: 'ada', reactsTo: 'ben', emoji: '❤️' },
  { message: { by: 'emre', to: 'devon', text: 'Yes, oak, planed. I leave it at your gate.' } },
  { post: { by: 'fatima', text: 'First snow above 1,800 metres.', tags: ['hills'] } },
  { by: 'ben', answers: 'fatima', text: 'So boots, and gloves.' },
  { post: { by: 'emre', to: 'orchard', text: 'Two posts stand. The third one met a stone.' } },
  { post: { by: 'chiara', text: 'Whoever left a scarf in the fire station: it sings bass.' } },
  { by: 'devon', answers: 'chiara', text: 'That is mine. I always wondered who sang.' },
  { by: 'fatima', reactsTo: 'chiara', emoji: '😄' },
  {
    message: { by: 'ben', to: CONVERSATION.name, text: 'The frame is done. It smells of glue, but only in my kitchen.' }
  },
  { post: { by: 'ada', text: 'The last basket is in. The dog has moved into the shed.', tags: ['apples'] } },
  { by: 'ben', reactsTo: 'ada', emoji: '🐕' }
]

/** What friends say to what the newcomer posts, in turn. */
export const ANSWERS: readonly string[] = [
  'Good to read this!',
  'I was thinking of the same this morning.',
  'Tell more when there is more to tell.',
  'Shall we talk about it on Saturday?',
  'I did not know that. Thank you.'
]

export const EMOJI: readonly string[] = ['❤️', '👍', '😄', '🎉', '✨']

/** And to a private message. */
export const REPLIES: readonly string[] = [
  'I read you. Let me sleep over it.',
  'Yes!',
  'Come by, the door is open.',
  'That stays between us.',
  'I ask the others on Saturday, without saying who wants to know.'
]
