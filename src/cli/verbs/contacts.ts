// comrade contacts: the people whom one knows.
import type { ContactShape } from '../../api/shapes.ts'
import { contactLine } from '../paint.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['comrade contacts', 'comrade contacts --json'],
  async run({ client, output, signal }) {
    const contacts = await client.get<ContactShape[]>('contacts', {}, { signal })
    for (const contact of contacts) output.result(contact, () => contactLine(contact))
    if (contacts.length === 0) output.talk('nobody yet')
    if (contacts.length === 0) output.next('comrade follow <did>', 'comrade id    (what others need to follow you)')
  }
}
