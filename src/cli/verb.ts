// What a verb of the command line is, and what it is given to work with.
import type { Client } from '../api/client.ts'
import type { Output } from './output.ts'

/** What is the same for every verb: the global options, resolved. */
export interface Context {
  /** The node's data directory, absolute. */
  home: string
  /** The path of the node's socket in that home. */
  socketPath: string
  json: boolean
  /** Whether the user may be asked something: there is a terminal, and no --no-input. */
  isInteractive: boolean
  /** Asks the running node; nothing is connected before the first question. */
  client: Client
  output: Output
  /** Fires when the user interrupts. A verb that goes on until then watches it. */
  signal: AbortSignal
}

/** An argument in commander's notation (`<id>`, `[who...]`) and what it is. */
export type Argument = readonly [notation: string, description: string]

export interface Option {
  /** Commander's notation: `--limit <n>`, `--no-mdns`. */
  flags: string
  description: string
  /** Reads the value. @throws NodeError BAD_INPUT. @default the text as it is */
  parse?: (text: string) => unknown
  /** Given several times, it is a list. @default false */
  isMany?: boolean
}

/**
 * One verb: a file of its own, loaded only when it is called.
 *
 * `O` is the shape of its options by their long names in camelCase; an option that was not given is undefined,
 * a list is empty.
 */
export interface Verb<O = object> {
  arguments?: readonly Argument[]
  options?: readonly Option[]
  /** What may stand first among the arguments, each with what it takes; for help and completion. @default none */
  actions?: readonly Argument[]
  /** Whole command lines, shown first in its help. */
  examples: readonly string[]
  /** Sees itself to SIGINT, SIGTERM, and a stdout that nobody reads any more. @default false */
  handlesSignals?: boolean
  /** @throws anything; what it throws sets the exit code */
  run(context: Context, args: readonly string[], options: O): Promise<void>
}
