// What follow, unfollow, block and unblock have in common: one person in, that person's new state out.
import type { ContactShape } from '../api/shapes.ts'
import { contactLine } from './paint.ts'
import type { Verb } from './verb.ts'

/** A verb that changes how one stands to somebody. @param next the command lines to suggest afterwards, for that did */
export function relationVerb(name: 'follow' | 'unfollow' | 'block' | 'unblock', next: (did: string) => string[]): Verb {
  return {
    arguments: [['<who>', 'a petname, a did, or a name that only one person claims']],
    examples: [`comrade ${name} did:key:z6Mk…`, `comrade ${name} alice`],
    async run({ client, output, signal }, [who]) {
      const contact = await client.post<ContactShape>(name, { who }, { signal })
      output.result(contact, () => contactLine(contact))
      output.next(...next(contact.did))
    }
  }
}
