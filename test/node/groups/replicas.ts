// Devices that hold the log of one group, and sessions between them over streams in memory.
import { Vault } from '../../../src/node/vault.ts'
import { EventEmitter } from 'node:events'
import { type MessageStream, messageStreamPair, sha256 } from '../../../src/feeds/index.ts'
import {
  type BodyOf,
  DEFAULT_RULE,
  foundingTerms,
  fromHex,
  type Hex,
  possessionContext,
  proofOfPossession,
  readChecked,
  ready,
  signOperation,
  toHex
} from '../../../src/groups/index.ts'
import { type GroupReplica, type GroupReplicas, replicaOf } from '../../../src/node/groups/group-replica.ts'
import { GroupSession, type GroupSessionOptions } from '../../../src/node/groups/group-session.ts'
import { GroupStore } from '../../../src/node/groups/group-store.ts'
import { Intake } from '../../../src/node/groups/intake.ts'
import { LocalGroup } from '../../../src/node/groups/local-group.ts'
import { LogClaims } from '../../../src/node/groups/log-claims.ts'
import { Verifier } from '../../../src/node/groups/verifier.ts'
import { FIRST_DAY, credentialOf, memberKeyOf, personOf, ringKeyOf } from '../../groups/village.ts'
import { temporaryStore, until } from '../../support/feeds.ts'

await ready()

/** So many that none of them signs more than a member may, where thousands of operations are made. */
const FOUNDERS = ['alice', ...Array.from({ length: 11 }, (_, i) => `founder ${i}`)]

/** The founding of a group by alice and others. */
export function foundingOf(name: string): Uint8Array {
  const common: Omit<BodyOf<'create'>, 'founders'> = {
    name,
    day: FIRST_DAY,
    nonce: sha256(Buffer.from(name)),
    rule: DEFAULT_RULE,
    reading: 'members',
    history: false
  }
  const terms = foundingTerms(
    common,
    FOUNDERS.map((founder) => personOf(founder).root)
  )
  const founders = FOUNDERS.map((founder) => {
    const member = memberKeyOf(founder).publicKey
    const ring = ringKeyOf(founder)
    return {
      member,
      credential: credentialOf(founder, { purpose: 'founder', place: terms, member }),
      ring: ring.publicKey,
      possession: proofOfPossession(ring.secret, possessionContext(terms, member)),
      kem: sha256(Buffer.from(`kem of ${name}`))
    }
  })
  return signOperation(memberKeyOf('alice'), { type: 'create', prev: [], body: { ...common, founders } })
}

export function idOf(bytes: Uint8Array): Hex {
  return toHex(sha256(bytes))
}

/** A candidacy that a founder opens for somebody: the simplest operation of which there can be many. */
export function candidacyOf(group: Hex, name: string, on: readonly Hex[], by = 'alice'): Uint8Array {
  const body = { identity: sha256(Buffer.from(name)) }
  return signOperation(memberKeyOf(by), { type: 'candidacy', group: fromHex(group), prev: on.map(fromHex), body })
}

/** `count` operations on top of each other. */
export function chainOf(group: Hex, name: string, count: number, from: Hex = group): Uint8Array[] {
  const chain: Uint8Array[] = []
  for (let i = 0, on = from; i < count; i++) {
    chain.push(candidacyOf(group, `${name} ${i}`, [on], FOUNDERS[i % FOUNDERS.length]))
    on = idOf(chain[i])
  }
  return chain
}

/** A device with its groups. */
export class Holder implements GroupReplicas, Disposable {
  readonly name: string
  readonly events = new EventEmitter<{ added: [GroupReplica]; removed: [GroupReplica] }>()
  readonly claims = new LogClaims()
  readonly #held = temporaryStore()
  readonly #verifier = new Verifier()
  readonly #store = new GroupStore(this.#held.store, new Vault(new Uint8Array(32)))
  readonly #groups = new Map<Hex, { local: LocalGroup; replica: GroupReplica }>()
  /** How many operations peers brought. */
  received = 0
  /** Operations that are not taken the next time that somebody brings them. */
  readonly refuses = new Set<Hex>()

  constructor(name: string) {
    this.name = name
  }

  all(): GroupReplica[] {
    return [...this.#groups.values()].map(({ replica }) => replica)
  }

  /** Holds a group of which only the id is known. */
  open(id: Hex): LocalGroup {
    const bytes = fromHex(id)
    const local = new LocalGroup(this.#store, { id: bytes, num: this.#store.add(bytes) }, personOf(this.name).root)
    const intake = new Intake(local, this.#verifier)
    const replica = replicaOf(local, (operations, origin) => {
      this.received += operations.length
      return intake.receive(
        operations.filter((bytes) => !this.refuses.delete(idOf(bytes))),
        origin
      )
    })
    this.#groups.set(id, { local, replica })
    this.events.emit('added', replica)
    return local
  }

  /** Holds a group with these operations. */
  hold(founding: Uint8Array, operations: readonly Uint8Array[] = []): LocalGroup {
    const local = this.open(idOf(founding))
    this.say(idOf(founding), founding, ...operations)
    return local
  }

  /** Places operations that were made here. */
  say(id: Hex, ...operations: Uint8Array[]): void {
    const read = operations.map((bytes) => ({ bytes, operation: readChecked(bytes, id) }))
    this.group(id).take(read, undefined)
  }

  forget(id: Hex): void {
    const { local, replica } = this.#groups.get(id)!
    this.#store.remove(local.num)
    this.#groups.delete(id)
    this.events.emit('removed', replica)
    local.close()
  }

  group(id: Hex): LocalGroup {
    return this.#groups.get(id)!.local
  }

  replica(id: Hex): GroupReplica {
    return this.#groups.get(id)!.replica
  }

  [Symbol.dispose](): void {
    for (const { local } of this.#groups.values()) local.close()
    void this.#verifier.close()
    this.#held[Symbol.dispose]()
  }
}

export interface LinkOptions {
  alice?: Partial<GroupSessionOptions>
  bob?: Partial<GroupSessionOptions>
  chunkSizes?: readonly number[]
  wrap?: (stream: MessageStream) => MessageStream
}

/** Two sessions over one stream in memory. */
export function connect(alice: Holder, bob: Holder, options: LinkOptions = {}) {
  const [a, b] = messageStreamPair(options).map((stream) => options.wrap?.(stream) ?? stream)
  const ends = [
    new GroupSession(alice, a, { isInitiator: true, claims: alice.claims, ...options.alice }),
    new GroupSession(bob, b, { isInitiator: false, claims: bob.claims, ...options.bob })
  ]
  const errors: unknown[] = []
  const running = ends.map((session) => session.run().catch((error: unknown) => void errors.push(error)))
  return {
    alice: ends[0],
    bob: ends[1],
    errors,
    get bytes() {
      return a.bytesSent + b.bytesSent
    },
    settled: () => until(() => ends.every(({ isSettled }) => isSettled), 'both have settled', 20_000),
    async close() {
      await Promise.allSettled([a.close(), b.close()])
      await Promise.all(running)
    }
  }
}

/** Waits until these hold the same operations of a group. */
export function same(id: Hex, ...holders: Holder[]): Promise<void> {
  const seen = (holder: Holder): string => `${holder.group(id).size} ${toHex(holder.group(id).fingerprint)}`
  return until(() => new Set(holders.map(seen)).size === 1, 'they hold the same', 50_000)
}
