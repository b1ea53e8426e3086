// Verbs with actions of their own, such as `group vouch`: a table of them, from which help, completion and errors are made.
import { Command, CommanderError } from 'commander'
import { NodeError } from '../node/comrade.ts'
import type { Argument, Context } from './verb.ts'

export interface Action<O> {
  /** What it takes, in commander's notation: `<group> <who>`. @default nothing */
  takes?: string
  summary: string
  run: (context: Context, args: readonly string[], options: O) => Promise<void>
}

/**
 * Finds the action that a command line names, and sees that it is given what it takes.
 * @throws NodeError BAD_INPUT; with the nearest action, when none has that name
 */
export function findAction<O>(
  verb: string,
  actions: Readonly<Record<string, Action<O>>>,
  name: string,
  args: readonly string[]
): Action<O> {
  if (!Object.hasOwn(actions, name)) throw new NodeError('BAD_INPUT', unknownAction(verb, Object.keys(actions), name))
  const { takes = '' } = actions[name]
  const expected = takes.split(' ').filter(Boolean).length
  const isMany = takes.endsWith('...>')
  if (isMany ? args.length >= expected : args.length === expected) return actions[name]
  throw new NodeError('BAD_INPUT', `comrade ${verb} ${name} takes ${takes || 'nothing more'}, not ${args.length} words`)
}

/** Actions as help and completion list them: what to write, and what it does. */
export function listActions<O>(actions: Readonly<Record<string, Action<O>>>): Argument[] {
  return Object.entries(actions).map(([name, { takes, summary }]) => [
    takes === undefined ? name : `${name} ${takes}`,
    summary
  ])
}

/** Commander knows which name is meant by a typo; it is asked as it is for verbs. */
function unknownAction(verb: string, names: readonly string[], name: string): string {
  const command = new Command()
    .exitOverride()
    .helpCommand(false)
    .configureOutput({ outputError: () => {} })
  for (const known of names) command.command(known)
  const suggestion = suggestionFor(command, name)
  return `expected one of ${names.join(', ')} after comrade ${verb}, not '${name}'${suggestion}`
}

function suggestionFor(command: Command, name: string): string {
  try {
    command.parse(['--', name], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    const at = error.message.indexOf('\n')
    return at < 0 ? '' : error.message.slice(at)
  }
  return ''
}
