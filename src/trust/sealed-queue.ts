// What is to be written for the own devices, kept until it is: a decision does not wait for this device to sign.
import { type Body, decodeBody, encodeBody } from '../feeds/index.ts'
import type { Statements } from './statements.ts'

/** A body that waits to be sealed. */
export interface Queued {
  /** What it is about: a newer one takes the place of an older. */
  name: string
  body: Body
}

/** Made by Contacts, which owns the tables. */
export class SealedQueue {
  readonly #statements: Statements
  /** Called in the transaction in which something is added. */
  onAdded: (() => void) | undefined

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** Call it in the transaction that stores what the body says. @throws FeedError as encodeBody */
  add(name: string, body: Body): void {
    this.#statements.run(
      'INSERT INTO sealed_queue VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2',
      name,
      encodeBody(body)
    )
    this.onAdded?.()
  }

  /** What waits, at most this many. */
  list(limit: number): Queued[] {
    return this.#statements
      .all('SELECT * FROM sealed_queue ORDER BY name LIMIT ?', limit)
      .map(({ name, body }) => ({ name: name as string, body: decodeBody(new Uint8Array(body as Uint8Array)) }))
  }

  /** Takes these out, as far as nothing newer took their place. */
  remove(written: readonly Queued[]): void {
    for (const { name, body } of written)
      this.#statements.run('DELETE FROM sealed_queue WHERE name = ? AND body = ?', name, encodeBody(body))
  }
}
