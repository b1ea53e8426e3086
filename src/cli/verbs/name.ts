// comrade name: gives somebody a name of one's own, which is shown before any name that they claim.
import type { ContactShape } from '../../api/shapes.ts'
import { contactLine } from '../paint.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  arguments: [
    ['<who>', 'a petname, a did, or a name that only one person claims'],
    ['<petname>', 'what you call them; nobody else sees it']
  ],
  examples: ['comrade name did:key:z6Mk… alice', "comrade name alice 'Alice from the market'"],
  async run({ client, output, signal }, [who, petname]) {
    const contact = await client.post<ContactShape>('name', { who, petname }, { signal })
    output.result(contact, () => contactLine(contact))
    output.next('comrade contacts')
  }
}
