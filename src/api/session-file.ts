// Which browsers were let in, and at which port, kept beside the token from one run of the node to the next. It holds
// hashes of secrets: whoever reads it, as on a stolen disk, is let in by nothing that stands there.
import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync } from 'node:fs'
import * as v from 'valibot'
import { replaceFile } from '../node/durable-file.ts'

/** More than 64 sessions ever take, in bytes. */
const MAX_FILE_SIZE = 65_536

const kept = v.object({
  /** Port at which the browsers know the node. */
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))),
  sessions: v.array(
    v.object({
      /** sha256 of the secret, in base64url. */
      key: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)),
      /** Unix ms of the last use, to the hour. */
      usedAtMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0))
    })
  )
})

export type KeptSessions = v.InferOutput<typeof kept>

export class SessionFile {
  readonly #path: string

  /** @param path usually keys/api-sessions in the home */
  constructor(path: string) {
    this.#path = path
  }

  /** What was kept; nothing when there is no file, or it is not one that this program has written: browsers come in anew. */
  read(): KeptSessions {
    try {
      const found = v.safeParse(kept, JSON.parse(readOwn(this.#path)))
      if (found.success) return found.output
    } catch {
      // missing, or not to be trusted
    }
    return { sessions: [] }
  }

  /**
   * On the disk when it returns. Where it cannot be written, as on a full disk, a session that was ended must not come back:
   * then none is kept.
   * @param isEnding a session that was kept is not there any more
   */
  write(sessions: KeptSessions, isEnding: boolean): void {
    try {
      replaceFile(this.#path, `${JSON.stringify(sessions)}\n`)
    } catch {
      if (isEnding) rmSync(this.#path, { force: true })
    }
  }
}

/** @throws when the file is a link, of somebody else, open to others, or too large */
function readOwn(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { uid, mode, size } = fstatSync(file)
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0 || size > MAX_FILE_SIZE) throw new Error('not our file')
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}
