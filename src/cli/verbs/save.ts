// comrade save: writes the files of a post, once they are here.
import { fetchFiles, saveFiles } from '../fetching.ts'
import { formatSize } from '../quantity.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  arguments: [
    ['<id>', 'the post: bafkrei…'],
    ['[path]', 'a directory, else the present one; for a post with one file also a file that is not there yet']
  ],
  examples: ['comrade save bafkrei…', 'comrade save bafkrei… swarm.jpg'],
  async run(context, [id, path]) {
    await fetchFiles(context, 'save', id)
    for (const saved of await saveFiles<{ id: string; file: string; bytes: number }[]>(context, 'save', id, path))
      context.output.result(saved, () => `${saved.file}  ${formatSize(saved.bytes)}`)
  }
}
