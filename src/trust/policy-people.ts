// Whom the policy works on, kept in memory and read again only where something has changed: with a thousand contacts and
// thousands of friends' friends, reading them all for each change would hold the loop.
import type { Device } from './identity-log.ts'
import type { PolicyIdentity, PolicyPerson, SharedList } from './policy.ts'
import { MAX_SHARED_FOLLOWS } from './shared-follows.ts'
import type { Row, Statements } from './statements.ts'

/** People named by friends who are kept in memory, about; each friend has a fair share of it. */
const MAX_NAMED = 65_536

type PolicyDevice = Pick<Device, 'device' | 'revoked'>

/** Made by Contacts, which says what has changed. */
export class PolicyPeople {
  readonly #statements: Statements
  /** Those who are followed or blocked. */
  #people: Map<string, PolicyPerson> | undefined
  /** Those whom friends name, one object each, whoever names them. */
  readonly #named = new Map<string, PolicyIdentity>()
  /** Friends' lists, and how many of each were read. */
  readonly #lists = new Map<string, SharedList>()
  #listLength = 0
  readonly #changed = new Map<string, Uint8Array>()

  readonly #onChange: () => void

  /** @param onChange what the policy works on is, or is about to be, different */
  constructor(statements: Statements, onChange: () => void = () => {}) {
    this.#statements = statements
    this.#onChange = onChange
  }

  /** A person's relation, devices, or whether they follow us may have changed. */
  note(key: Uint8Array): void {
    this.#changed.set(name(key), key)
    this.#onChange()
  }

  /** What a friend shares has changed. */
  noteShared(friend: Uint8Array): void {
    this.#lists.delete(name(friend))
    this.#onChange()
  }

  /** Those who are followed or blocked, with their devices. */
  list(): PolicyPerson[] {
    this.#people ??= this.#readAll()
    for (const [key, person] of this.#changed) this.#read(key, person)
    this.#changed.clear()
    return [...this.#people.values()]
  }

  /** What friends share of whom they follow. */
  shared(): SharedList[] {
    const friends = this.list().filter(({ isFriend }) => isFriend === true)
    const length = Math.min(MAX_SHARED_FOLLOWS, 2 ** Math.floor(Math.log2(MAX_NAMED / Math.max(1, friends.length))))
    // What lists that were others have left would stay for as long as anybody shares one.
    if (length !== this.#listLength || this.#named.size > 2 * MAX_NAMED) this.#lists.clear()
    this.#listLength = length
    const known = new Set(friends.map(({ key }) => name(key)))
    for (const friend of this.#lists.keys()) if (!known.has(friend)) this.#lists.delete(friend)
    if (this.#lists.size === 0) this.#named.clear()
    return friends.map(({ key }) => this.#list(key, length))
  }

  #list(friend: Uint8Array, length: number): SharedList {
    const key = name(friend)
    let list = this.#lists.get(key)
    if (list === undefined) {
      const rows = this.#statements.all(
        'SELECT person FROM shared_follows WHERE friend = ? ORDER BY person LIMIT ?',
        friend,
        length
      )
      list = { friend, people: rows.map((row) => this.#identity(row.person as Uint8Array)) }
      this.#lists.set(key, list)
    }
    return list
  }

  #identity(person: Uint8Array): PolicyIdentity {
    const key = name(person)
    let identity = this.#named.get(key)
    if (identity === undefined) {
      identity = { key: person, devices: this.#devicesOf(person) }
      this.#named.set(key, identity)
    }
    return identity
  }

  #readAll(): Map<string, PolicyPerson> {
    const devices = Map.groupBy(
      this.#statements.all(
        `SELECT * FROM contact_devices WHERE identity IN (SELECT key FROM contacts WHERE relation <> 'none') ORDER BY added_at`
      ),
      (row) => name(row.identity as Uint8Array)
    )
    const rows = this.#statements.all(`SELECT key, relation, follows_us FROM contacts WHERE relation <> 'none'`)
    return new Map(
      rows.map((row) => {
        const key = name(row.key as Uint8Array)
        return [key, toPerson(row, (devices.get(key) ?? []).map(toDevice))]
      })
    )
  }

  #read(key: string, person: Uint8Array): void {
    const [row] = this.#statements.all(
      `SELECT key, relation, follows_us FROM contacts WHERE key = ? AND relation <> 'none'`,
      person
    )
    const devices = this.#devicesOf(person)
    if (row === undefined) this.#people!.delete(key)
    else this.#people!.set(key, toPerson(row, devices))
    const named = this.#named.get(key)
    if (named !== undefined) named.devices = devices
  }

  #devicesOf(person: Uint8Array): PolicyDevice[] {
    return this.#statements
      .all('SELECT device, last FROM contact_devices WHERE identity = ? ORDER BY added_at', person)
      .map(toDevice)
  }
}

function toPerson(row: Row, devices: PolicyDevice[]): PolicyPerson {
  return {
    key: row.key as Uint8Array,
    relation: row.relation as PolicyPerson['relation'],
    isFriend: row.relation === 'followed' && row.follows_us === 1,
    devices
  }
}

function toDevice(row: Row): PolicyDevice {
  const last = row.last as number | null
  return { device: row.device as Uint8Array, ...(last === null ? {} : { revoked: { last } }) }
}

function name(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('hex')
}
