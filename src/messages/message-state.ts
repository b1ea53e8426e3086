// How far a message has come.

/** Of an own message; of one that came: 'read' when the user has read it, else 'delivered'. */
export type MessageState = 'queued' | 'mailed' | 'delivered' | 'read'

/** States in the order in which they come; a message never goes back. */
export const MESSAGE_STATES: readonly MessageState[] = ['queued', 'mailed', 'delivered', 'read']

/** For SQL: the states from which a message comes to this one. */
export function earlierThan(state: MessageState): string {
  const earlier = MESSAGE_STATES.slice(0, MESSAGE_STATES.indexOf(state))
  return earlier.map((each) => `'${each}'`).join()
}
