// The bearer token of loopback HTTP: made once, kept beside the keys, readable by its owner only.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { NodeError } from '../node/comrade.ts'

const TOKEN_BYTES = 32
const TOKEN_LENGTH = 43

/**
 * Reads the token, or makes it when there is none.
 * @param path usually keys/api-token in the home
 * @returns 32 random bytes in base64url
 * @throws NodeError KEYS_EXPOSED when the file is a link or not ours; FAILED when it holds something else
 */
export async function apiToken(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  return (await makeToken(path)) ?? readToken(path)
}

/** undefined when the file was there before. */
async function makeToken(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, 'wx', 0o600)
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    await file.writeFile(token + '\n')
    await file.sync()
    return token
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined
    throw error
  }
}

async function readToken(path: string): Promise<string> {
  // O_NOFOLLOW: a link here could make another file's first line the token.
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((cause: unknown) => {
    throw new NodeError('KEYS_EXPOSED', `cannot read the token ${path}, or it is a link`, { cause })
  })
  const { mode, uid } = await file.stat()
  if (uid !== process.getuid?.()) throw new NodeError('KEYS_EXPOSED', `${path} belongs to another user`)
  if ((mode & 0o077) !== 0) await file.chmod(0o600)
  const token = (await file.readFile('utf8')).trim()
  if (token.length !== TOKEN_LENGTH)
    throw new NodeError('FAILED', `${path} does not hold a token: remove it, and a new one is made`)
  return token
}
