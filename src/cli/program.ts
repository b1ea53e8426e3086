// Reads the command line with commander: global options, one verb with its arguments, help that begins with examples.
import { Command, Option as CommanderOption, type CommanderError } from 'commander'
import { NodeError } from '../node/comrade.ts'
import type { Argument, Option, Verb } from './verb.ts'
import { verbs } from './verbs.ts'

/** The options that every verb has, as they were given. */
export interface GlobalOptions {
  home?: string
  json?: boolean
  quiet?: boolean
  /** false for --no-input */
  input: boolean
  version?: boolean
}

/** What the command line asks for. */
export interface Call {
  verb: Verb
  args: string[]
  options: object
}

/** Global options that take a value, to be stepped over when the verb is looked for. */
const WITH_VALUE = new Set(['--home'])

/** The first word of a command line that is neither an option nor an option's value. */
export function verbName(argv: readonly string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--') return argv[i + 1]
    if (WITH_VALUE.has(argv[i])) i += 1
    else if (!argv[i].startsWith('-')) return argv[i]
  }
  return undefined
}

/**
 * Builds the program. All verbs stand in it with their summaries, so that help lists them and a typo finds its
 * neighbour; those in `loaded` also with arguments and options.
 * @param onCall told what was asked for
 */
export function buildProgram(loaded: Readonly<Record<string, Verb>>, onCall: (call: Call) => void): Command {
  const program = new Command('comrade').usage('<verb> [arguments] [options]')
  addGlobalOptions(program)
  program.addHelpText(
    'before',
    'Comrade: a social node without servers\n\n' +
      exampleText(['comrade up', "comrade post 'hello'", 'comrade feed', 'comrade follow did:key:z6Mk…'])
  )
  program.addHelpText(
    'after',
    '\nA node has to run first: begin with `comrade up`. Each verb has its own help: `comrade post --help`.'
  )
  for (const [name, { summary }] of Object.entries(verbs)) {
    const command = program.command(name).description(capitalized(summary)).summary(summary)
    // Settings are copied to a new command before these are made for the program, so each gets its own.
    prepare(command)
    if (loaded[name] !== undefined) define(command, loaded[name], onCall)
  }
  return prepare(program)
}

function addGlobalOptions(program: Command): void {
  program
    .option('--home <dir>', "the node's data directory (else COMRADE_HOME, else the XDG data folder)")
    .option('--json', 'one JSON value a line, for programs')
    .option('--quiet', 'say nothing but results and errors')
    .option('--no-input', 'never ask anything')
    .option('--version', 'print the version')
}

/** Errors are thrown, not printed; help shows the global options everywhere. */
function prepare(command: Command): Command {
  return command
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true)
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
}

function define(command: Command, verb: Verb, onCall: (call: Call) => void): void {
  for (const [notation, description] of verb.arguments ?? []) command.argument(notation, description)
  for (const option of verb.options ?? []) command.addOption(commanderOption(option))
  command.addHelpText('before', exampleText(verb.examples))
  if (verb.actions !== undefined) command.addHelpText('after', actionText(verb.actions))
  command.action((...given: unknown[]) => {
    const args = given
      .slice(0, -2)
      .flat()
      .filter((arg) => arg !== undefined) as string[]
    const lists =
      verb.options
        ?.filter(({ isMany }) => isMany)
        .map(({ flags }) => [new CommanderOption(flags).attributeName(), []]) ?? []
    onCall({ verb, args, options: { ...Object.fromEntries(lists), ...command.opts() } })
  })
}

function commanderOption({ flags, description, parse = (text) => text, isMany = false }: Option): CommanderOption {
  const option = new CommanderOption(flags, description)
  if (isMany) option.argParser((text, before: unknown[] | undefined) => [...(before ?? []), named(flags, parse, text)])
  else if (option.required) option.argParser((text) => named(flags, parse, text))
  return option
}

/** Puts the option's name before what its parser complains about. */
function named(flags: string, parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof NodeError) throw new NodeError(error.code, `${flags}: ${error.message}`)
    throw error
  }
}

/**
 * A failure of the command line itself in this program's terms.
 * @returns undefined when it was no failure: help was asked for, and printed
 */
export function usageError(error: CommanderError): NodeError | undefined {
  if (error.code === 'commander.helpDisplayed') return undefined
  if (error.code === 'commander.help')
    return new NodeError('BAD_INPUT', 'a verb is needed, such as `comrade status`; see `comrade --help`')
  const message = error.message.replace(/^error: /, '')
  return new NodeError('BAD_INPUT', hasDash(error) ? `${message}\nA text that begins with - goes after --` : message)
}

function hasDash({ code, message }: CommanderError): boolean {
  return code === 'commander.unknownOption' && !message.includes('Did you mean')
}

function exampleText(examples: readonly string[]): string {
  return ['Examples:', ...examples.map((line) => `  $ ${line}`), ''].join('\n')
}

function actionText(actions: readonly Argument[]): string {
  const width = Math.max(...actions.map(([notation]) => notation.length))
  return ['', 'Actions:', ...actions.map(([notation, summary]) => `  ${notation.padEnd(width)}  ${summary}`)].join('\n')
}

function capitalized(text: string): string {
  return text[0].toUpperCase() + text.slice(1)
}
