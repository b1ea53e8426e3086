// Writes what came with a message into a file of the user's, which it makes: nothing is overwritten, no link is followed.
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { NodeError } from '../comrade.ts'
import { isDiskFull, writeError } from '../durable-file.ts'
import type { OpenedAttachment } from './contract.ts'

/**
 * @param path of a file that is not there yet, or a directory, in which it gets its own name
 * @returns where it was written
 * @throws NodeError BAD_INPUT, DISK_FULL
 */
export async function saveAttachment(attachment: OpenedAttachment, path: string): Promise<string> {
  const target = (await isDirectory(path)) ? join(path, attachment.name) : path
  const file = await open(target, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const reason =
      cause.code === 'EEXIST' ? 'exists already: it is not overwritten' : `cannot be written: ${cause.message}`
    throw new NodeError('BAD_INPUT', `${target} ${reason}`, { cause })
  })
  try {
    for await (const bytes of attachment.read()) await file.writeFile(bytes)
    await file.sync()
  } catch (error) {
    await rm(target, { force: true })
    throw isDiskFull(error) ? writeError(target, error) : error
  } finally {
    await file.close()
  }
  return target
}

export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}
