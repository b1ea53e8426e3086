// What a node says of itself on stderr, for who looks for a reason: levels as in config.json, secrets never. Somebody who sends
// one wrong thing after another does not fill a disk with the lines about it.
import { destination, type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger

/** Fields whose values are never written, wherever they occur one level deep. */
const SECRET = ['passphrase', 'phrase', 'seed', 'secret', 'token', 'key', 'text', 'body']
/** did:key and peer ids of Ed25519 keys, wherever they stand in a line. */
const PEOPLE = /\b(?:did:key:z6Mk|12D3KooW)[1-9A-HJ-NP-Za-km-z]+/g
const LEFT_OUT = '[not logged]'
/** Warnings and errors that are written in a minute; of the rest, how many there were. */
export const MAX_LINES_PER_MINUTE = 100
const MINUTE_MS = 60_000

export interface LogOptions {
  /** @default stderr */
  stream?: DestinationStream
  /** @default performance.now */
  now?: () => number
  /** False: nobody's keys are written, and no line that has somebody's name in a field `name`. @default true */
  namesPeople?: boolean
}

/** @param level least grave level that is written; 'silent' for none. What is less grave than a warning is not counted */
export function createLog(
  level: string,
  { stream = destination({ fd: 2, sync: true }), now = () => performance.now(), namesPeople = true }: LogOptions = {}
): Log {
  const paths = SECRET.flatMap((name) => [name, `*.${name}`])
  const lines = { beganMs: -Infinity, count: 0 }
  return pino(
    {
      level,
      base: null,
      redact: { paths, censor: LEFT_OUT },
      hooks: {
        logMethod(args, method, gravity) {
          if (!namesPeople && isAboutSomebody(args[0])) return
          if (gravity < pino.levels.values.warn) return method.apply(this, args)
          if (now() - lines.beganMs >= MINUTE_MS) {
            const leftOut = lines.count - MAX_LINES_PER_MINUTE
            if (leftOut > 0) method.apply(this, [`${leftOut} more lines in the minute before were left out`])
            Object.assign(lines, { beganMs: now(), count: 0 })
          }
          if (++lines.count <= MAX_LINES_PER_MINUTE) method.apply(this, args)
        }
      }
    },
    namesPeople ? stream : { write: (line) => stream.write(line.replace(PEOPLE, LEFT_OUT)) }
  )
}

function isAboutSomebody(fields: unknown): boolean {
  return typeof fields === 'object' && fields !== null && (fields as { name?: unknown }).name !== undefined
}
