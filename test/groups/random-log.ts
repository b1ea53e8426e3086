// Logs that nobody would write: a few people who vouch, expel, leave, come back, finalise and contradict themselves, on
// whatever heads they choose to have seen.
import type { Anonymous, Create, Hex, Operation, SignedOperation } from '../../src/groups/operations.ts'
import { DEFAULT_RULE, type Rule } from '../../src/groups/quorum.ts'
import { nameless, NO_SLOT, ringKeyOf } from './stand-in.ts'

export type Random = () => number

/** mulberry32: small, seeded, good enough to choose by. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[result[i], result[j]] = [result[j], result[i]]
  }
  return result
}

/** What a person in a random log holds; they may come in several times, with several keys. */
interface Actor {
  identity: Hex
  members: Hex[]
  secrets: string[]
}

const RULES: Rule[] = [
  DEFAULT_RULE,
  { ...DEFAULT_RULE, quorum: 'log2' },
  { ...DEFAULT_RULE, quorum: 'constant', value: 2, slots: 1 },
  { ...DEFAULT_RULE, quorum: 'percent', value: 60, min: 1, max: 3 },
  { ...DEFAULT_RULE, slots: 4, max: 2 }
]

/** A log of about `steps` random steps; parents stand before children. */
export function randomLog(random: Random, steps: number): Operation[] {
  const below = (n: number): number => Math.floor(random() * n)
  const chance = (p: number): boolean => random() < p
  const pick = <Item>(list: readonly Item[]): Item => list[below(list.length)]
  const some = <Item>(list: readonly Item[], p: number): Item[] => list.filter(() => chance(p))
  /** How far this log is from what honest people would write. */
  const chaos = pick([0.02, 0.1, 0.3])
  const odd = (): boolean => chance(chaos)
  let serial = 0
  const newId = (): Hex =>
    `${below(2 ** 32)
      .toString(16)
      .padStart(8, '0')}${serial++}`

  const actors: Actor[] = Array.from({ length: 3 + below(5) }, (_, i) => {
    const identity = `person ${i}`
    return { identity, members: [`${identity} key 0`], secrets: [`${identity} secret 0`] }
  })
  const founders = actors.slice(0, 1 + below(4))
  /** Who are probably members. */
  const active = new Set(founders)
  const member = (): Actor => (odd() || active.size === 0 ? pick(actors) : pick([...active]))
  const create: Create = {
    type: 'create',
    id: newId(),
    parents: [],
    author: founders[0].members[0],
    name: 'group',
    day: 100,
    rule: pick(RULES),
    reading: 'members',
    history: false,
    founders: founders.map(({ identity, members, secrets }) => ({
      identity,
      member: members[0],
      ring: ringKeyOf(secrets[0]),
      kem: ''
    }))
  }
  const all: Operation[] = [create]
  const ofType = <Type extends Operation['type']>(type: Type) =>
    all.filter((o): o is Extract<Operation, { type: Type }> => o.type === type)
  let day = create.day
  /** Day of the last checkpoint that is probably stable. */
  let lastDay = create.day

  /** All heads mostly; else what somebody who looked away, or lies about it, has seen. */
  const prev = (): Hex[] => {
    const signed = all.filter((o) => 'author' in o)
    if (odd()) return [pick(signed).id]
    const seen = odd() ? signed.slice(0, 1 + below(signed.length)) : signed
    const covered = new Set(seen.flatMap(({ parents }) => parents))
    const heads = seen.filter(({ id }) => !covered.has(id)).map(({ id }) => id)
    return heads.length > 0 ? heads : [create.id]
  }
  const add = <New extends Operation>(operation: New): New => {
    all.push({ ...operation, parents: [...new Set(operation.parents)] })
    return operation
  }
  const signed = (actor: Actor, named: Hex[] = [], on = prev()) => ({
    id: newId(),
    author: odd() ? pick(actor.members) : actor.members.at(-1)!,
    parents: [...on, ...named]
  })
  const anonymous = (type: Anonymous['type'], motion: Hex, actor: Actor): Anonymous => {
    const slot = type === 'ballot' ? (odd() ? below(5) : NO_SLOT) : odd() ? below(5) : below(2)
    const period = odd() ? below(2) : Math.floor((lastDay - create.day) / 30)
    const secret = odd() ? pick(actor.secrets) : actor.secrets.at(-1)!
    return add(nameless(type, newId(), { secret, group: create.id, motion, period, slot }))
  }
  /** Rarely something else than what belongs there. */
  const orAny = (id: Hex): Hex => (chance(chaos / 10) ? pick(all).id : id)
  const newSecret = (actor: Actor): string => {
    if (chance(chaos / 4)) return pick(pick(actors).secrets) // a copied key, had nobody asked for a proof
    actor.secrets.push(`${actor.identity} secret ${actor.secrets.length}`)
    return actor.secrets.at(-1)!
  }
  const listed = (motion: Hex, type: 'vouch' | 'ballot', p: number): Hex[] => {
    const own = all.filter((o) => o.type === type && (o.motion === motion || chance(chaos / 4))).map(({ id }) => id)
    return some(own, p).map(orAny)
  }

  const open = (): Extract<SignedOperation, { type: 'candidacy' }> => {
    const strangers = actors.filter((actor) => !active.has(actor))
    const candidate = odd() || strangers.length === 0 ? pick(actors) : pick(strangers)
    const isOwn = chance(0.4)
    return add({ type: 'candidacy', ...signed(isOwn ? candidate : member()), identity: candidate.identity, isOwn })
  }
  const join = (of: { id: Hex; identity: Hex }, p: number, on = prev()) => {
    const candidacy = { id: orAny(of.id), identity: of.identity }
    const actor = odd() ? pick(actors) : actors.find(({ identity }) => identity === candidacy.identity)!
    const vouches = listed(candidacy.id, 'vouch', p)
    const base = signed(actor, [candidacy.id, ...vouches], on)
    active.add(actor)
    if (chance(chaos / 4)) base.author = pick(pick(actors).members)
    else if (chance(0.8)) {
      actor.members.push(`${actor.identity} key ${actor.members.length}`)
      base.author = actor.members.at(-1)!
    }
    const ring = ringKeyOf(newSecret(actor))
    return add({ type: 'join', ...base, candidacy: candidacy.id, identity: actor.identity, vouches, ring, kem: '' })
  }
  const move = () => {
    const proposal = chance(0.75)
      ? { kind: 'expel' as const, identity: member().identity }
      : { kind: 'rule' as const, rule: pick(RULES) }
    return add({ type: 'motion', ...signed(member()), proposal })
  }
  const certify = (of: Hex, p: number, on = prev()): void => {
    const motion = orAny(of)
    const ballots = listed(motion, 'ballot', p)
    const expelled = all.find(({ id }) => id === motion)
    if (expelled?.type === 'motion' && expelled.proposal.kind === 'expel' && chance(0.8)) {
      const { identity } = expelled.proposal
      for (const actor of active) if (actor.identity === identity && active.size > 1) active.delete(actor)
    }
    add({ type: 'certificate', ...signed(member(), [motion, ...ballots], on), motion, ballots })
  }
  const checkpoint = (on = prev()) => {
    if (!odd()) day += pick([0, 1, 1, 1, 20, 31, 62])
    const retracts = some(ofType('retract'), 0.8).map(({ id }) => orAny(id))
    const claimed = odd() ? day - below(50) : day
    return add({ type: 'checkpoint', ...signed(member(), retracts, on), day: claimed, retracts })
  }
  const ack = (actor: Actor, checkpoint: Hex, on = prev()): void => {
    const of = orAny(checkpoint)
    add({ type: 'ack', ...signed(actor, [of], on), checkpoint: of })
  }

  const STEPS: [weight: number, step: () => void][] = [
    [
      5,
      () => {
        const candidacy = open()
        for (const actor of some([...active], 0.8)) anonymous('vouch', candidacy.id, actor)
        join(candidacy, 0.95)
      }
    ],
    [
      2,
      () => {
        const motion = move()
        for (const actor of some([...active], 0.85)) anonymous('ballot', motion.id, actor)
        certify(motion.id, 0.95)
      }
    ],
    [
      3,
      () => {
        const { id } = checkpoint()
        lastDay = day
        const on = prev()
        for (const actor of some([...active], 0.95)) ack(actor, id, !odd() ? on : chance(0.5) ? [id] : prev())
      }
    ],
    [
      0.7, // rules that do not see each other
      () => {
        const motions = [pick(RULES), pick(RULES)].map((rule) =>
          add({ type: 'motion', ...signed(member()), proposal: { kind: 'rule', rule } })
        )
        for (const { id } of motions) for (const actor of active) anonymous('ballot', id, actor)
        const on = motions.map(({ id }) => id)
        for (const { id } of motions) certify(id, 1, on)
      }
    ],
    [
      0.5, // comes in twice, and each time with somebody along
      () => {
        const candidacy = open()
        for (const actor of some([...active], 0.9)) anonymous('vouch', candidacy.id, actor)
        const twice = [0, 1].map(() => join(candidacy, 1, [candidacy.id]).id)
        const friend = pick(actors)
        for (const id of twice) {
          const next = add({
            type: 'candidacy',
            ...signed(member(), [], [id]),
            identity: friend.identity,
            isOwn: false
          })
          for (const actor of some([...active], 0.9)) anonymous('vouch', next.id, actor)
          join(next, 1, [next.id])
        }
      }
    ],
    [
      0.5, // two checkpoints that do not see each other, acked by people who say that they saw one each
      () => {
        const on = prev()
        for (const { id } of [checkpoint(on), checkpoint(on)]) for (const actor of active) ack(actor, id, [id])
      }
    ],
    [1, open],
    [1, () => void move()],
    [1, () => void checkpoint()],
    [2, () => all.length > 1 && vouchAgain()],
    [2, () => joinAgain()],
    [1, () => certifyAgain()],
    [2, () => ofType('checkpoint').length > 0 && ack(member(), pick(ofType('checkpoint')).id)],
    [
      0.7,
      () => {
        const actor = member()
        add({ type: 'leave', ...signed(actor) })
        if (active.size > 1) active.delete(actor)
      }
    ],
    [
      2,
      () => {
        const actor = member()
        const times = chance(0.3) ? 2 : 1
        for (let i = 0; i < times; i++)
          add({ type: 'rekey', ...signed(actor), ring: ringKeyOf(newSecret(actor)), kem: '' })
      }
    ],
    [
      1,
      () => {
        const vouch = pick(ofType('vouch'))
        if (vouch === undefined) return
        const { motion, tag, slotTag, slot, proof } = vouch
        add({ type: 'retract', id: newId(), parents: [motion], motion, tag, slotTag, slot, proof })
      }
    ],
    [0.3, () => void add({ type: 'unknown', ...signed(pick(actors)) })],
    [0.3, () => void add({ type: 'epoch', ...signed(pick(actors)), secret: '', recipients: [] })],
    [0.2, () => void add({ ...create, ...signed(pick(actors)) })],
    [0.3, () => anonymous(pick(['vouch', 'ballot', 'retract']), pick(all).id, pick(actors))]
  ]
  function vouchAgain(): void {
    const candidacy = pick(ofType('candidacy'))
    if (candidacy !== undefined) anonymous('vouch', candidacy.id, member())
  }
  function joinAgain(): void {
    const candidacy = pick(ofType('candidacy'))
    if (candidacy !== undefined) join(candidacy, 0.8)
  }
  function certifyAgain(): void {
    const motion = pick(ofType('motion'))
    if (motion !== undefined) certify(motion.id, 0.9)
  }

  const total = STEPS.reduce((sum, [weight]) => sum + weight, 0)
  for (let i = 0; i < steps; i++) {
    let at = random() * total
    const [, step] = STEPS.find(([weight]) => (at -= weight) < 0) ?? STEPS[0]
    step()
  }
  return all
}
