// A group of whole nodes in one process. What is placed at one is handed to the others at once, so that a test decides who
// has heard of what; entries of feeds travel between them as they do between any nodes.
import type { Comrade } from '../../src/index.ts'
import { currentEpoch, withoutEpoch } from '../../src/groups/index.ts'
import type { Group, NewGroup } from '../../src/node/groups/contract.ts'
import type { NodeGroups } from '../../src/node/groups/groups.ts'
import type { CheckedOperation, LocalGroup } from '../../src/node/groups/local-group.ts'
import { until } from './processes.ts'

/** What the group is called in all of these. */
export const GROUP_NAME = 'portland'
type Take = LocalGroup['take']

export class GroupOfNodes {
  readonly id: string
  readonly #link: string
  readonly #nodes: Comrade[] = []
  readonly #takes = new Map<Comrade, { local: LocalGroup; take: Take }>()
  readonly #start: (name: string) => Promise<Comrade>
  /** Those who hear of nothing. */
  readonly #deaf = new Set<Comrade>()
  #isParted = false
  /** How often each has vouched: slots are few. */
  readonly #vouches = new Map<Comrade, number>()

  private constructor(group: Group, link: string, start: (name: string) => Promise<Comrade>) {
    this.id = group.id
    this.#link = link
    this.#start = start
  }

  /** @param start starts a node of this name */
  static async found(
    founder: Comrade,
    group: Partial<NewGroup>,
    start: (name: string) => Promise<Comrade>
  ): Promise<GroupOfNodes> {
    const made = await founder.groups.create({ name: GROUP_NAME, ...group })
    const nodes = new GroupOfNodes(made, await made.link(), start)
    nodes.#add(founder)
    return nodes
  }

  get nodes(): readonly Comrade[] {
    return this.#nodes
  }

  local(node: Comrade): LocalGroup {
    return (node.groups as NodeGroups).local(this.id)
  }

  /** How many epochs there are in a node's log. */
  epochs(node: Comrade): number {
    return this.local(node).evaluated.epochs().length
  }

  /** Gives a node the log, without making anybody a member. */
  async open(node: Comrade, from: Comrade = this.#nodes[0]): Promise<void> {
    const groups = node.groups as NodeGroups
    groups.events.once('added', (local: LocalGroup) => {
      this.#add(node, local)
      this.#hand(from, node)
    })
    await node.groups.open(this.#link)
    await until(() => this.local(node).evaluator !== undefined, 'the log has begun to arrive')
  }

  /** Starts a node, connects it with all others, and makes its person a member. */
  async admit(name: string): Promise<Comrade> {
    const others = this.#nodes.slice()
    const node = await this.#start(name)
    for (const other of others) await node.connect(other.addresses[0])
    await this.admitBy(others, node)
    return node
  }

  /** The same with a node that runs, by these members; `beforeJoin` is called when the vouches are there. */
  async admitBy(
    members: Comrade | readonly Comrade[],
    node: Comrade,
    { beforeJoin = () => {} }: { beforeJoin?: () => void } = {}
  ): Promise<void> {
    const voters = [members].flat()
    await node.connect(voters[0].addresses[0]).catch(() => {})
    await this.open(node, voters[0])
    const { did } = node.identity
    const { needed } = await (await node.groups.get(this.id)).apply()
    const vouchesBy = (voter: Comrade): number => this.#vouches.get(voter) ?? 0
    for (const voter of voters.toSorted((a, b) => vouchesBy(a) - vouchesBy(b)).slice(0, needed)) {
      this.#vouches.set(voter, vouchesBy(voter) + 1)
      this.#hand(node, voter)
      await (await voter.groups.get(this.id)).vouch(did)
      await until(async () => (await this.#vouchesFor(did, voter)) > 0, 'the vouch is placed')
      this.#hand(voter, node)
    }
    await until(async () => (await this.#vouchesFor(did, node)) >= needed, 'the vouches have arrived')
    beforeJoin()
    await (await node.groups.get(this.id)).join()
    for (const voter of voters) this.#hand(node, voter)
  }

  async #vouchesFor(did: string, node: Comrade): Promise<number> {
    const candidates = await (await node.groups.get(this.id)).candidates()
    return candidates.find((candidate) => candidate.did === did)?.vouches ?? 0
  }

  /** From now on these hear of nothing that others place in the log; without any: nobody does. */
  part(...nodes: readonly Comrade[]): void {
    if (nodes.length === 0) this.#isParted = true
    for (const node of nodes) this.#deaf.add(node)
  }

  /** Everybody hears of everything again. */
  heal(): void {
    this.#isParted = false
    this.#deaf.clear()
    for (const from of this.#nodes) for (const to of this.#nodes) if (from !== to) this.#hand(from, to)
  }

  /** Another node runs in the home of one that was stopped. */
  replace(stopped: Comrade, node: Comrade): void {
    this.#nodes.splice(this.#nodes.indexOf(stopped), 1)
    this.#takes.delete(stopped)
    this.#add(node)
  }

  /** Resolves when all have the same log, and members an epoch that includes each of them. */
  async settled(): Promise<void> {
    await until(() => {
      const locals = this.#nodes.map((node) => this.local(node))
      const states = new Set(locals.map(({ fingerprint }) => Buffer.from(fingerprint).toString('hex')))
      const { evaluated: evaluator } = locals[0]
      if (states.size > 1 || evaluator.log.create.reading === 'open') return states.size === 1
      const epoch = currentEpoch(evaluator)
      return epoch !== undefined && withoutEpoch(epoch, evaluator.view()).length === 0
    }, 'everybody has the same log, and can read')
  }

  #add(node: Comrade, local: LocalGroup = this.local(node)): void {
    const take = local.take.bind(local)
    if (!this.#nodes.includes(node)) this.#nodes.push(node)
    this.#takes.set(node, { local, take })
    const isDeaf = (): boolean => this.#isParted || this.#deaf.has(node)
    local.take = (operations, origin) => (origin !== undefined && isDeaf() ? [] : take(operations, origin))
    local.events.on('placed', (operations) => {
      const placed = operations.map((operation) => ({ operation, bytes: local.bytesOf(operation.id)! }))
      for (const [other, { local: there }] of this.#takes) if (other !== node) there.take(placed, this)
    })
  }

  /** Hands all that one has to another, who takes it whether the group is parted or not. */
  #hand(from: Comrade, to: Comrade): void {
    const [source, target] = [this.local(from), this.#takes.get(to)!]
    const all = Array.from({ length: source.size }, (_, at): CheckedOperation => {
      const { id } = source.evaluated.log.at(at)
      return { operation: source.evaluated.log.at(at), bytes: source.bytesOf(id)! }
    })
    const missing = all.filter(({ operation }) => !target.local.has(operation.id))
    if (missing.length > 0) target.take(missing, this)
  }
}

/** What a node reads in the group, newest first. */
export async function textsIn(node: Comrade): Promise<string[]> {
  const items = await Array.fromAsync(node.feeds.read({ group: GROUP_NAME, limit: 10_000 })).catch(() => [])
  return items.map(({ text }) => text ?? '')
}
