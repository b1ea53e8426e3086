// Those with whom this device shares groups: their feeds are wanted, and who connects is recognised as one of them.
import { certifiedDevices, fromHex, type Hex, toHex } from '../../groups/index.ts'
import type { PolicyGroup } from '../../trust/index.ts'
import type { LocalGroup } from './local-group.ts'

export interface MatesOptions {
  groups: () => readonly LocalGroup[]
  /** Other people are members now, or the same with other devices. */
  onChange: (groups: readonly PolicyGroup[]) => void
}

export class Mates {
  readonly #options: MatesOptions
  /** By member key: whoever brought it in has certified it by this device. */
  readonly #devices = new Map<Hex, Uint8Array>()
  /** Member keys of each group, as they were told last. */
  #told = ''

  constructor(options: MatesOptions) {
    this.#options = options
  }

  /** Call it when a group came, went or changed. */
  look(): void {
    const read = this.#options.groups().filter(isRead)
    const now = read.map((group) => `${group.hex} ${[...group.evaluated.view().byMember.keys()].toSorted().join()}`)
    if (now.join() === this.#told) return
    this.#told = now.join()
    this.#options.onChange(read.map((group) => this.#policyGroup(group)))
  }

  #policyGroup(group: LocalGroup): PolicyGroup {
    const seats = [...group.evaluated.view().seats.values()]
    const members = seats.map(({ identity, member, origin }) => {
      const device = this.#deviceOf(group, member, origin)
      return { key: fromHex(identity), devices: device === undefined ? [] : [{ device }] }
    })
    return { id: group.id, members }
  }

  #deviceOf(group: LocalGroup, member: Hex, origin: number): Uint8Array | undefined {
    const known = this.#devices.get(member)
    if (known !== undefined) return known
    const bytes = group.bytesOf(group.evaluated.log.at(origin).id)
    for (const certified of bytes === undefined ? [] : certifiedDevices(bytes))
      this.#devices.set(toHex(certified.member), certified.device)
    return this.#devices.get(member)
  }
}

/** Whether this device reads what a group's members write: as one of them, or because anybody may. */
function isRead(group: LocalGroup): boolean {
  return group.seat !== undefined || group.evaluator?.log.create.reading === 'open'
}
