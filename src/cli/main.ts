#!/usr/bin/env node
// Where a command begins: finds the verb, loads only that one, runs it, and turns what it throws into an exit code.
import { CommanderError } from 'commander'
import { createClient } from '../api/client.ts'
import { findHome, socketPath } from '../node/home.ts'
import { EXIT, exitCodeOf, Failed, Interrupted } from './exit.ts'
import { Output } from './output.ts'
import { buildProgram, usageError, verbName, type Call, type GlobalOptions } from './program.ts'
import type { Verb } from './verb.ts'
import { verbs } from './verbs.ts'

/** Runs one command line. @returns the exit code */
async function main(argv: readonly string[]): Promise<number> {
  // Known before the command line is understood, so that its errors are told in the form that was asked for.
  const output = new Output({ json: argv.includes('--json'), quiet: argv.includes('--quiet') })
  try {
    const { call, global } = await understand(argv)
    if (call === undefined) await printVersion(output)
    else await runVerb(call, global, output)
    return EXIT.done
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? usageError(thrown) : thrown
    if (error === undefined) return EXIT.done
    if (!(error instanceof Failed || error instanceof Interrupted)) output.error(error)
    return exitCodeOf(error)
  }
}

/** Reads the command line. `call` is missing when only the version was asked for. @throws CommanderError, NodeError */
async function understand(argv: readonly string[]): Promise<{ global: GlobalOptions; call: Call | undefined }> {
  const name = verbName(argv)
  const entry = name !== undefined && Object.hasOwn(verbs, name) ? verbs[name] : undefined
  const loaded: Record<string, Verb> = entry === undefined ? {} : { [name!]: (await entry.load()).verb }
  let call: Call | undefined
  const program = buildProgram(loaded, (found) => {
    call = found
  })
  if (name === undefined && argv.includes('--version')) program.action(() => {}) // else no verb is an error
  program.parse(argv, { from: 'user' })
  const global = program.opts<GlobalOptions>()
  return { global, call: global.version ? undefined : call }
}

async function runVerb({ verb, args, options }: Call, global: GlobalOptions, output: Output): Promise<void> {
  const interrupt = new AbortController()
  seesToItself = verb.handlesSignals === true
  if (!seesToItself) for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort())
  const home = findHome(global.home)
  const socket = socketPath(home)
  const isInteractive = global.input && process.stdin.isTTY && process.stderr.isTTY
  const client = createClient(socket)
  try {
    await verb.run(
      { home, socketPath: socket, json: output.json, isInteractive, client, output, signal: interrupt.signal },
      args,
      options
    )
  } catch (error) {
    throw interrupt.signal.aborted ? new Interrupted() : error
  }
  if (interrupt.signal.aborted) throw new Interrupted()
}

async function printVersion(output: Output): Promise<void> {
  const { version } = await import('../node/version.ts')
  output.result({ version }, () => version)
}

/** Whether the verb that runs sees to signals, and to a stdout that nobody reads, itself. */
let seesToItself = false

// Who reads no more (`| head`) has seen enough: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  if (!seesToItself) process.exit(EXIT.done)
})

process.exitCode = await main(process.argv.slice(2))
