// comrade doctor: looks for what is wrong. With a running node it asks that one too; without, it looks from outside.
import type { Check } from '../../node/comrade.ts'
import { NodeError } from '../../node/comrade.ts'
import { Failed } from '../exit.ts'
import { type LocalCheck, localChecks } from '../local-checks.ts'
import { coloured, dim } from '../output.ts'
import type { Context, Verb } from '../verb.ts'

type Found = LocalCheck & Partial<Pick<Check, 'sentences' | 'advice'>>

export const verb: Verb = {
  examples: ['comrade doctor', 'comrade doctor --json'],
  async run(context) {
    const { output } = context
    const checks = await allChecks(context)
    for (const check of checks) {
      const mark = markOf(check)
      const lines = [
        [mark, `${check.check}: ${check.detail}`],
        ...(check.todo === undefined ? [] : [[dim('      to do: '), check.todo]])
      ]
      output.result(shapeOf(check), () => lines)
    }
    if (checks.some(({ ok }) => !ok)) throw new Failed('something is wrong')
  }
}

/** What only programs with a language of their own need is there for what the node found. */
function shapeOf({ check, ok, detail, todo, sentences = [], advice }: Found): object {
  return { check, ok, detail, todo: todo ?? null, sentences, advice: advice ?? null }
}

/** That somebody is away is worth knowing, but nothing is wrong here. */
function markOf({ check, ok }: LocalCheck): ReturnType<typeof coloured> {
  if (!ok) return coloured('red', 'wrong ')
  return check === 'contact' ? coloured('yellow', 'away  ') : coloured('green', 'ok    ')
}

/** What the running node says about itself goes before what is seen from outside under the same name. */
async function allChecks(context: Context): Promise<Found[]> {
  const { asked, running } = await askNode(context)
  const names = new Set(asked.map(({ check }) => check))
  return [...localChecks(context.home, running).filter(({ check }) => !names.has(check)), ...asked]
}

async function askNode({ client, signal }: Context): Promise<{ asked: Found[]; running: boolean }> {
  try {
    return { asked: await client.get<Check[]>('doctor', {}, { signal }), running: true }
  } catch (error) {
    if (error instanceof NodeError && error.code === 'NOT_RUNNING') return { asked: [], running: false }
    const detail = `a node is there, but does not answer as it should: ${(error as Error).message}`
    return { asked: [{ check: 'api', ok: false, detail, todo: 'comrade down, then comrade up' }], running: true }
  }
}
