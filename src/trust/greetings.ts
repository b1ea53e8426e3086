// What each device of a person was told last, so that a connection costs nothing when there is no news.
import { sha256 } from '../feeds/index.ts'
import type { Statements, Write } from './statements.ts'

/** A device is told again after this time, in ms: it may have lost what it was told. */
export const GREETING_LIFE_MS = 86_400_000

/** Made by Contacts, which owns the tables. */
export class Greetings {
  readonly #statements: Statements
  readonly #write: Write

  constructor(statements: Statements, { write }: { write: Write }) {
    this.#statements = statements
    this.#write = write
  }

  /**
   * Whether a device is to be told this.
   * @param isNothing there is nothing to say, which is news only to whom something was said before
   */
  isNews(device: Uint8Array, content: Uint8Array, isNothing: boolean, now = Date.now()): boolean {
    const row = this.#statements.all('SELECT * FROM greeted WHERE device = ?', device)[0]
    if (row === undefined) return !isNothing
    const isKnown = Buffer.compare(row.digest as Uint8Array, sha256(content)) === 0
    return !isKnown || (!isNothing && Math.abs(now - (row.at_ms as number)) > GREETING_LIFE_MS)
  }

  /** A device is about to be told something: until it is noted, nobody knows whether it heard that. */
  begin(device: Uint8Array, identity: Uint8Array): void {
    this.#set(device, identity, new Uint8Array(), 0)
  }

  /** Notes that a device was told this. */
  note(device: Uint8Array, identity: Uint8Array, content: Uint8Array, now = Date.now()): void {
    this.#set(device, identity, sha256(content), now)
  }

  /** Of somebody who is no longer followed. */
  forget(identity: Uint8Array): void {
    this.#statements.run('DELETE FROM greeted WHERE identity = ?', identity)
  }

  #set(device: Uint8Array, identity: Uint8Array, digest: Uint8Array, atMs: number): void {
    this.#write(() => {
      this.#statements.run(
        `INSERT INTO greeted VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET identity = ?2, digest = ?3, at_ms = ?4`,
        device,
        identity,
        digest,
        atMs
      )
    })
  }
}
