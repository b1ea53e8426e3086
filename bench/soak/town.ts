// Four people with a node each: three are a group, all four are friends, one is restarted again and again.
import { socketPath } from '../../src/node/home.ts'
import { createClient, type Client } from '../../src/api/client.ts'
import { fixedAddress, type NodeProcess, type Stage, until } from '../../test/support/processes.ts'

export const NAMES = ['alice', 'bob', 'carol', 'dora'] as const
export type Name = (typeof NAMES)[number]
/** The one who is restarted. */
export const RESTLESS: Name = 'carol'
const MEMBERS: readonly Name[] = ['alice', 'bob', 'carol']
const LIMIT_MS = 60_000

interface Candidate {
  did: string
  vouches: number
  needed: number
}

export class Town {
  readonly #stage: Stage
  readonly #nodes = new Map<Name, NodeProcess>()
  readonly #clients = new Map<Name, Client>()
  readonly #addresses = new Map<Name, string>()
  group = ''
  conversation = ''

  constructor(stage: Stage) {
    this.#stage = stage
  }

  at(name: Name): NodeProcess {
    return this.#nodes.get(name)!
  }

  client(name: Name): Client {
    return this.#clients.get(name)!
  }

  did(name: Name): string {
    return this.at(name).did
  }

  async begin(): Promise<void> {
    for (const name of NAMES) {
      this.#addresses.set(name, await fixedAddress())
      await this.#start(name)
      await this.client(name).post('profile', { name })
    }
    for (const [i, one] of NAMES.entries()) for (const other of NAMES.slice(i + 1)) await this.#meet(one, other)
    await this.#form()
    const people = NAMES.slice(1).map((name) => this.did(name))
    const { id } = await this.client('alice').post<{ id: string }>('conversation/create', { name: 'all', people })
    this.conversation = id
  }

  /** Ends a node as its user would, and starts it again. */
  async restart(name: Name): Promise<void> {
    await this.at(name).end()
    await this.#start(name)
  }

  async #start(name: Name): Promise<void> {
    this.#nodes.set(name, await this.#stage.up(name, '--listen', this.#addresses.get(name)!))
    this.#clients.set(name, createClient(socketPath(this.at(name).home)))
  }

  async #meet(one: Name, other: Name): Promise<void> {
    const { link } = await this.client(one).post<{ link: string }>('meet/invite')
    await this.client(other).post('meet', { with: link })
  }

  async #form(): Promise<void> {
    const [founder, ...others] = MEMBERS
    const created = await this.client(founder).post<{ id: string; link: string }>('group/create', { name: 'portland' })
    this.group = created.id
    for (const [i, name] of others.entries()) {
      await this.client(name).post('group/open', { link: created.link })
      await this.client(name).post('group/apply', { group: this.group })
      const { needed } = await this.#candidate(name, name)
      for (const voucher of MEMBERS.slice(i + 1 - needed, i + 1)) {
        await this.#candidate(voucher, name)
        await this.client(voucher).post('group/vouch', { group: this.group, who: this.did(name) })
      }
      await until(async () => (await this.#candidate(name, name)).vouches >= needed, 'the vouches have come', LIMIT_MS)
      await this.client(name).post('group/join', { group: this.group })
      for (const member of MEMBERS.slice(0, i + 2)) await this.#counts(member, i + 2)
    }
  }

  async #counts(member: Name, size: number): Promise<void> {
    const { group } = this
    const sizeAt = async (): Promise<number> =>
      (await this.client(member).get<{ size: number }>('group/show', { group })).size
    await until(async () => (await sizeAt()) === size, `${member} counts ${size} members`, LIMIT_MS)
  }

  async #candidate(at: Name, who: Name): Promise<Candidate> {
    let found: Candidate | undefined
    const look = async (): Promise<boolean> => {
      const all = await this.client(at).get<Candidate[]>('group/candidates', { group: this.group })
      found = all.find(({ did }) => did === this.did(who))
      return found !== undefined
    }
    await until(look, `${at} sees that ${who} applies`, LIMIT_MS)
    return found!
  }
}
