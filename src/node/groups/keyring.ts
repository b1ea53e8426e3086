// The secrets with which this device opens the posts to one group: of an open group one that follows from its id,
// otherwise those that epochs gave to this member.
import {
  earlierSecrets,
  type Epoch,
  epochBodyOf,
  epochName,
  type Evaluator,
  type Hex,
  hintKey,
  openGroupSecret,
  toHex,
  unwrapSecret
} from '../../groups/index.ts'
import type { ContentStore, NamedSecret } from './content-store.ts'
import type { LocalGroup } from './local-group.ts'

/** One secret, ready to look at posts with. */
export interface GroupKey {
  name: Hex
  secret: Uint8Array
  hint: Uint8Array
}

export class Keyring {
  readonly #group: LocalGroup
  readonly #store: ContentStore
  /** The last one added is tried first. */
  readonly #keys = new Map<Hex, GroupKey>()
  /** Valid epochs in the log, by the name of their secret: that two have the same is somebody's malice. */
  readonly #epochs = new Map<Hex, Epoch[]>()
  /** How much of the log was looked through. */
  #seen = 0
  /** Epochs whose wrap for this member did not open, with as many keys as there were then. */
  readonly #failed = new Map<Hex, number>()
  /** Names of secrets that some epoch gives to those who come later. */
  readonly #given = new Set<Hex>()
  readonly #expanded = new Set<Hex>()
  /** Secrets that are not on the disk. */
  #unstored: NamedSecret[] = []

  readonly #onLearnt: (keys: readonly GroupKey[]) => void

  /** @param onLearnt keys that came after this keyring was made */
  constructor(group: LocalGroup, store: ContentStore, onLearnt: (keys: readonly GroupKey[]) => void) {
    this.#group = group
    this.#store = store
    this.#onLearnt = onLearnt
    for (const { name, secret } of store.secrets(group.num)) this.#add(name, secret)
    this.learn()
  }

  /** The newest first, as far as that is known. */
  get keys(): readonly GroupKey[] {
    return [...this.#keys.values()].toReversed()
  }

  key(name: Hex): GroupKey | undefined {
    return this.#keys.get(name)
  }

  /** Secrets of this member that no epoch gives on: what the next one should. */
  get ungiven(): Uint8Array[] {
    return this.keys.filter(({ name }) => !this.#given.has(name)).map(({ secret }) => secret)
  }

  /** Whether an epoch is owed to members who came later: it gives them a secret that none gives yet. */
  isOwed(members: Iterable<Hex>): boolean {
    if (this.#group.evaluator?.log.create.history !== true) return false
    const all = [...members]
    const leavesOut = (epoch: Epoch): boolean => all.some((member) => !epoch.recipients.includes(member))
    return this.keys.some(({ name }) => !this.#given.has(name) && this.#epochs.get(name)?.every(leavesOut) === true)
  }

  /** Looks at what the log has since the last time. */
  learn(): void {
    const { evaluator } = this.#group
    if (evaluator === undefined) return
    const learnt = evaluator.log.create.reading === 'open' ? this.#learnOpen() : this.#learnEpochs(evaluator)
    if (learnt.length > 0) this.#onLearnt(learnt)
  }

  #learnEpochs(evaluator: Evaluator): GroupKey[] {
    if (this.#seen > evaluator.log.size) this.#seen = 0 // what could not be stored was taken back
    for (; this.#seen < evaluator.log.size; this.#seen++) {
      const operation = evaluator.log.at(this.#seen)
      if (operation.type === 'epoch' && evaluator.invalidity(operation.id) === undefined) this.#note(operation)
    }
    const learnt: GroupKey[] = []
    for (const epoch of [...this.#epochs.values()].flat()) {
      const secret = this.#unwrap(epoch)
      if (secret !== undefined) learnt.push(this.#add(epoch.secret, secret))
    }
    if (evaluator.log.create.history) learnt.push(...this.#learnEarlier())
    this.#unstored.push(...learnt)
    this.#keep()
    return learnt
  }

  /** What the disk has no room for is kept with what comes next; until then the log has it. */
  #keep(): void {
    if (this.#unstored.length === 0) return
    try {
      this.#store.addSecrets(this.#group.num, this.#unstored)
      this.#unstored = []
    } catch {
      // whoever writes is told that the disk is full
    }
  }

  #learnOpen(): GroupKey[] {
    const secret = openGroupSecret(this.#group.id)
    const name = toHex(epochName(this.#group.id, secret))
    return this.#keys.has(name) ? [] : [this.#add(name, secret)]
  }

  #note(epoch: Epoch): void {
    const known = this.#epochs.get(epoch.secret) ?? []
    if (known.some(({ id }) => id === epoch.id)) return
    this.#epochs.set(epoch.secret, [...known, epoch])
    this.#expanded.delete(epoch.secret)
  }

  #unwrap({ id, secret: name, recipients }: Epoch): Uint8Array | undefined {
    const { membership } = this.#group
    if (membership === undefined || this.#keys.has(name) || !recipients.includes(membership.memberKey)) return undefined
    const kems = [...membership.kemSecrets.values()].toReversed()
    if (this.#failed.get(id) === kems.length) return undefined
    const body = this.#bodyOf(id)
    for (const kem of kems) {
      const secret = unwrapSecret(this.#group.id, body, { member: membership.memberKey, kem })
      if (secret !== undefined) return secret
    }
    this.#failed.set(id, kems.length)
    return undefined
  }

  /** From each secret to the earlier ones that its epoch gives, and on to those before them. */
  #learnEarlier(): GroupKey[] {
    const learnt: GroupKey[] = []
    const open = this.keys.filter(({ name }) => !this.#expanded.has(name) && this.#epochs.has(name))
    for (let key = open.pop(); key !== undefined; key = open.pop()) {
      this.#expanded.add(key.name)
      for (const secret of this.#earlier(key)) {
        const name = toHex(epochName(this.#group.id, secret))
        if (!this.#epochs.has(name)) continue // of no epoch: whoever sealed it made it up
        this.#given.add(name)
        if (this.#keys.has(name)) continue
        const earlier = this.#add(name, secret)
        learnt.push(earlier)
        open.push(earlier)
      }
    }
    return learnt
  }

  #earlier({ name, secret }: GroupKey): Uint8Array[] {
    const epochs = this.#epochs.get(name) ?? []
    return epochs.flatMap(({ id }) => earlierSecrets(this.#group.id, this.#bodyOf(id), secret))
  }

  #bodyOf(epoch: Hex): ReturnType<typeof epochBodyOf> {
    return epochBodyOf(this.#group.bytesOf(epoch)!)
  }

  #add(name: Hex, secret: Uint8Array): GroupKey {
    const key = { name, secret, hint: hintKey({ group: this.#group.id, secret }) }
    this.#keys.set(name, key)
    return key
  }
}
