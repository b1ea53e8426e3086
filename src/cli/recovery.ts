// The recovery phrase, in the one moment in which it exists: to a new file, or to the person, framed. Where it is kept until it is
// on paper, the page shows it; a file does as well.
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Comrade, NodeError } from '../node/comrade.ts'
import type { Context } from './verb.ts'

/** @throws NodeError BAD_INPUT when there is a file already and the phrase is yet to be made */
export function refuseTakenPath(path: string, hasIdentity: boolean): void {
  if (hasIdentity || !existsSync(path)) return
  throw new NodeError('BAD_INPUT', `--recovery-file: ${path} is there already, and is not overwritten`)
}

/** @throws NodeError BAD_INPUT when what only the user may see would be printed where nobody looks, or others do */
export function refuseUnseen(shown: { open?: boolean; recoveryFile?: string }, hasIdentity: boolean): void {
  if (shown.open === true)
    throw new NodeError('BAD_INPUT', '--unattended: leave --open out, and run `comrade open` where you want the page')
  if (hasIdentity || shown.recoveryFile !== undefined) return
  const ways = 'run `comrade up` once by hand, `comrade device join` or `comrade restore`; or give --recovery-file'
  throw new NodeError('BAD_INPUT', `--unattended: there is no identity in this home yet: ${ways}`)
}

/** Where the phrase goes. */
export interface Handover extends Pick<Context, 'output'> {
  /** False: what is printed is kept by others, and the phrase is never printed. @default true */
  isSeen?: boolean
}

/**
 * Gives the phrase to the person, before the keys are written: a crash in between costs nothing. A file that cannot be written is no reason to
 * lose it: then it goes to stderr too.
 * @throws NodeError BAD_INPUT when it cannot be written and nobody would see it: then no identity is made
 */
export function handOverPhrase(phrase: string, path: string | undefined, { output, isSeen = true }: Handover): void {
  if (path === undefined) return frame(phrase, output)
  try {
    writeNew(resolve(path), phrase + '\n')
    output.notice(`The recovery phrase is in ${resolve(path)}. Keep it off this machine.`)
  } catch (cause) {
    const problem = `could not be written to ${path}: ${(cause as Error).message}`
    if (!isSeen) throw new NodeError('BAD_INPUT', `--recovery-file: the recovery phrase ${problem}`, { cause })
    output.notice(`The recovery phrase ${problem}`)
    frame(phrase, output)
  }
}

/**
 * The phrase of an identity that `up --open` has made before, when nobody has put it by since: to a file, or it is reminded of. It
 * stays where it is when nobody would see it.
 */
export function handOverKeptPhrase(node: Comrade, path: string | undefined, handover: Handover): void {
  const { output } = handover
  if (node.recoveryPhrase === undefined) return
  if (path === undefined)
    return output.talk('the recovery phrase is not known to be on paper: the page shows it, by `comrade open`')
  try {
    handOverPhrase(node.recoveryPhrase, path, handover)
  } catch (error) {
    return output.notice(`${(error as Error).message}; the page shows it, by \`comrade open\``)
  }
  node.forgetRecoveryPhrase()
}

function frame(phrase: string, output: Context['output']): void {
  const words = phrase.split(' ')
  const rows = Array.from({ length: Math.ceil(words.length / 6) }, (_, row) =>
    words.slice(6 * row, 6 * row + 6).join(' ')
  )
  const bar = '-'.repeat(64)
  const text = [
    'Your recovery phrase. It is shown this once and stored nowhere.',
    'Write it on paper: whoever has it is you, and without it',
    'a lost device cannot be replaced.',
    '',
    ...rows
  ]
  for (const line of [bar, ...text, bar]) output.notice(line)
}

/** A new file for the owner alone, on the disk when this returns; none when it cannot be written. @throws when there is one */
function writeNew(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}
