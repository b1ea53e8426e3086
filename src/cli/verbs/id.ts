// comrade id: who this is, to be told to others.
import type { ProfileShape } from '../../api/shapes.ts'
import { profileLines } from '../paint.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb<{ qr?: boolean }> = {
  options: [{ flags: '--qr', description: 'also as a QR code, for a phone to read' }],
  examples: ['comrade id', 'comrade id --qr', 'comrade id --json'],
  async run({ client, output, signal }, _args, { qr }) {
    const { did, device, name, about } = await client.get<ProfileShape>('id', {}, { signal })
    output.result({ did, device, name }, () => profileLines({ did, device, name, about }))
    if (qr && !output.json) {
      const { renderUnicodeCompact } = await import('uqr')
      output.raw(renderUnicodeCompact(did) + '\n')
    }
    output.next(`comrade follow ${did}    (what others run to read you)`)
  }
}
