// The names of those whom one knows, by how they look: so that somebody who calls himself like one of them is marked.
import { formatDid } from './did.ts'
import { looksLike, type NameWarning, skeleton } from './look-alike.ts'
import { displayName } from './names.ts'
import type { Row, Statements } from './statements.ts'

/** Contacts that one warning names at most. */
const MAX_NAMED = 3

/** What may mislead about a name that somebody claims. */
export interface NameNote {
  /** 'looks-like': it passes for the name of somebody whom one knows. */
  warning: NameWarning | 'looks-like'
  /** With 'looks-like': whose name. */
  did?: string
  /** With 'looks-like': what that person is called here. */
  name?: string
}

/** Made by Contacts, which says whose names have changed. */
export class KnownNames {
  readonly #statements: Statements
  readonly #self: Uint8Array
  /** People by the looks of their names; made at the first question. */
  #people: Map<string, Set<string>> | undefined
  readonly #looks = new Map<string, string[]>()

  constructor(statements: Statements, self: Uint8Array) {
    this.#statements = statements
    this.#self = self
  }

  /** Somebody's names, or how one stands to them, may have changed. */
  note(key: Uint8Array): void {
    if (this.#people === undefined) return
    this.#forget(hex(key))
    const row = this.#known('key = ?2', key)[0]
    if (row !== undefined) this.#add(row)
  }

  /**
   * What is to be told about a person's claimed name, most telling first. Nothing when the user gave a name: then that
   * one is shown.
   */
  notesOf({ key, petname, claimed }: { key: Uint8Array; petname?: string; claimed?: string }): NameNote[] {
    if (petname !== undefined || claimed === undefined || Buffer.compare(key, this.#self) === 0) return []
    const alike = [...(this.#byLooks().get(skeleton(claimed)) ?? [])].filter((other) => other !== hex(key))
    return [
      ...alike.slice(0, MAX_NAMED).map((other) => this.#noteOf(Buffer.from(other, 'hex'))),
      ...looksLike(claimed).map((warning) => ({ warning }))
    ]
  }

  #noteOf(key: Uint8Array): NameNote {
    const did = formatDid(key)
    const [row] = this.#statements.all('SELECT petname, claimed FROM contacts WHERE key = ?', key)
    const [petname, claimed] = [row?.petname, row?.claimed].map((name) => (name as string | null) ?? undefined)
    return { warning: 'looks-like', did, name: displayName({ did, petname, claimed }) }
  }

  #byLooks(): Map<string, Set<string>> {
    if (this.#people === undefined) {
      this.#people = new Map()
      for (const row of this.#known('1')) this.#add(row)
    }
    return this.#people
  }

  /** Those whose names are worth protecting: followed, called something by the user, or oneself. */
  #known(condition: string, ...values: Uint8Array[]): Row[] {
    return this.#statements.all(
      `SELECT key, petname, claimed FROM contacts
       WHERE (relation = 'followed' OR (petname IS NOT NULL AND relation <> 'blocked') OR key = ?1) AND ${condition}`,
      this.#self,
      ...values
    )
  }

  #add({ key, petname, claimed }: Row): void {
    const person = hex(key as Uint8Array)
    const looks = [petname, claimed].flatMap((name) => (typeof name === 'string' ? [skeleton(name)] : []))
    this.#looks.set(person, looks)
    for (const look of looks) {
      const people = this.#people!.get(look)
      if (people === undefined) this.#people!.set(look, new Set([person]))
      else people.add(person)
    }
  }

  #forget(person: string): void {
    for (const look of this.#looks.get(person) ?? []) {
      const people = this.#people!.get(look)
      people?.delete(person)
      if (people?.size === 0) this.#people!.delete(look)
    }
    this.#looks.delete(person)
  }
}

function hex(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('hex')
}
