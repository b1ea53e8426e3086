// comrade profile: shows or changes what one says about oneself.
import type { ProfileShape } from '../../api/shapes.ts'
import { profileLines } from '../paint.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb<{ name?: string; about?: string }> = {
  options: [
    { flags: '--name <name>', description: "the name you claim; '' takes it away" },
    { flags: '--about <text>', description: "a few words about you; '' takes them away" }
  ],
  examples: ['comrade profile', "comrade profile --name Alice --about 'bees, radio, bread'"],
  async run({ client, output, signal }, _args, { name, about }) {
    const isChange = name !== undefined || about !== undefined
    const profile = isChange
      ? await client.post<ProfileShape>('profile', { name, about }, { signal })
      : await client.get<ProfileShape>('profile', {}, { signal })
    output.result(profile, () => profileLines(profile))
    if (!isChange && profile.name === null) output.next('comrade profile --name <name>')
  }
}
