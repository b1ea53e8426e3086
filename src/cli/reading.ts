// Notes what a person has been shown as read: many at a time, since one request begins when the one before it has ended.
import type { Client } from '../api/client.ts'
import type { MessageShape } from '../api/message-shapes.ts'
import { dim, type Line } from './output.ts'

export class Reading {
  readonly #client: Client
  /** Own did. */
  readonly #self: string
  #ids: string[] = []
  #asking: Promise<void> | undefined

  constructor(client: Client, self: string) {
    this.#client = client
    this.#self = self
  }

  /** A message has been shown. Own ones, and those that were read before, are left out. */
  note({ id, from, state, type }: MessageShape): void {
    if (from === this.#self || state === 'read' || type === 'erased') return
    this.#ids.push(id)
    this.#asking ??= this.#ask()
  }

  /** How far an own message that was shown has come; of others' the user knows best. */
  changeLines({ id, from, state }: MessageShape): Line[] {
    return from === this.#self ? [[dim(`  ${state}  ${id}`)]] : []
  }

  /** Waits until all of it is noted. What could not be noted is when it is shown the next time. */
  async done(): Promise<void> {
    while (this.#asking !== undefined) await this.#asking
  }

  async #ask(): Promise<void> {
    await Promise.resolve() // what is shown in the same turn goes along
    const ids = this.#ids
    this.#ids = []
    await this.#client.post('messages/read', { ids }).catch(() => {})
    this.#asking = this.#ids.length === 0 ? undefined : this.#ask()
  }
}
