// What a node says of itself on stderr, for who looks for a reason: levels as in config.json, secrets never.
import { destination, type Logger, pino } from 'pino'

export type Log = Logger

/** Fields whose values are never written, wherever they occur one level deep. */
const SECRET = ['passphrase', 'phrase', 'seed', 'secret', 'token', 'key', 'text', 'body']

/** @param level least grave level that is written; 'silent' for none */
export function createLog(level: string): Log {
  const paths = SECRET.flatMap((name) => [name, `*.${name}`])
  return pino({ level, base: null, redact: { paths, censor: '[not logged]' } }, destination({ fd: 2, sync: true }))
}
