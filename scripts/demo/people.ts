// Who lives in the demo, who knows whom, and what a newcomer looks at first at each of them.

export const PEOPLE = [
  {
    id: 'ada',
    name: 'Ada',
    about: 'Twelve apple trees and a dog that sounds worse than it is',
    look: 'the feed: threads, a picture; under People, somebody is introduced to her'
  },
  {
    id: 'ben',
    name: 'Ben',
    about: 'Bees, and what they think of the weather',
    look: 'Messages: with Ada, and a conversation of three; write to somebody, and they answer'
  },
  {
    id: 'chiara',
    name: 'Chiara',
    about: 'Sings, and bakes on Fridays',
    look: 'News for you: answers and reactions to what she wrote; a vote waits in the group @choir'
  },
  {
    id: 'devon',
    name: 'Devon',
    about: 'Toast, on both sides if possible',
    look: 'Groups, @orchard: Fatima asks to become a member, and one vouch is missing: yours'
  },
  {
    id: 'emre',
    name: 'Emre',
    about: 'Mends things. Lends ladders',
    look: 'Groups, @orchard: why each person is a member, and what is written there'
  },
  {
    id: 'fatima',
    name: 'Fatima',
    about: 'Long walks, short wave',
    look: 'Groups: once Devon has vouched for her she can become a member of @orchard'
  },
  {
    id: 'greta',
    name: 'Greta',
    about: 'New in the valley',
    look: 'Is it working?: she knows two people, and keeps what their friends write'
  }
] as const

export type PersonId = (typeof PEOPLE)[number]['id']

/** Who has not met Greta, so that somebody is left to be introduced. */
const STRANGERS: readonly PersonId[] = ['ada', 'ben', 'chiara', 'devon']

/** Pairs of people who have met: they follow each other, and can write to each other in private. */
export const FRIENDS: readonly (readonly [PersonId, PersonId])[] = PEOPLE.flatMap(({ id: one }, place) =>
  PEOPLE.slice(place + 1)
    .filter(({ id: other }) => other !== 'greta' || !STRANGERS.includes(one))
    .map(({ id: other }) => [one, other] as const)
)

/** Who introduces whom to whom. Neither has decided yet. */
export const INTRODUCTION = { by: 'emre', one: 'ada', other: 'greta' } as const satisfies Record<string, PersonId>

export function nameOf(id: PersonId): string {
  return PEOPLE.find((person) => person.id === id)!.name
}

export function friendsOf(id: PersonId): PersonId[] {
  return FRIENDS.flatMap(([one, other]) => (one === id ? [other] : other === id ? [one] : []))
}
