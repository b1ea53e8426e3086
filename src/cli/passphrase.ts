// Where the passphrase of the keys comes from: a file that COMRADE_PASSPHRASE_FILE names, or the person. Never argv.
import { readFile } from 'node:fs/promises'
import { NodeError } from '../node/comrade.ts'
import { Interrupted } from './exit.ts'

const MAX_LENGTH = 1_024

/**
 * The passphrase from the file that the environment names: its first line.
 * @returns undefined when none is named
 * @throws NodeError LOCKED when the file cannot be read or is empty
 */
export async function passphraseFromFile(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const path = environment.COMRADE_PASSPHRASE_FILE
  if (path === undefined || path === '') return undefined
  try {
    const [line] = (await readFile(path, 'utf8')).split(/\r?\n/)
    if (line.length > 0 && line.length <= MAX_LENGTH) return line
  } catch (cause) {
    throw new NodeError('LOCKED', `cannot read the passphrase from COMRADE_PASSPHRASE_FILE (${path})`, { cause })
  }
  throw new NodeError('LOCKED', `COMRADE_PASSPHRASE_FILE (${path}) holds no passphrase: it has to be on its first line`)
}

/** Asks on the terminal, without showing what is typed. @throws Interrupted at ^C, NodeError LOCKED at ^D */
export function askPassphrase(question: string): Promise<string> {
  return askSecret(question, 'passphrase')
}

/** The same, for any secret. @param what it is called */
export async function askSecret(question: string, what: string): Promise<string> {
  const { stdin, stderr } = process
  stdin.setRawMode(true) // first, or what is typed early would be shown
  stdin.setEncoding('utf8')
  stderr.write(question)
  try {
    return await typedLine(stdin, what)
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

async function typedLine(stdin: NodeJS.ReadStream, what: string): Promise<string> {
  let line = ''
  for await (const typed of stdin.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    for (const key of typed) {
      if (key === '\r' || key === '\n') return line
      if (key === '\x03') throw new Interrupted()
      if (key === '\x04') throw new NodeError('LOCKED', `no ${what} was given`)
      if (key === '\x7f' || key === '\b') line = line.slice(0, -1)
      else if (key >= ' ' && line.length < MAX_LENGTH) line += key
    }
  }
  throw new NodeError('LOCKED', `no ${what} was given`)
}
