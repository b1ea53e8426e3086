// A group's log as replication sees it: ids and bytes in an order in which each operation comes after what it stands on.
// What an operation means, and whether it is one, is for whoever receives it.
import type { EventEmitter } from 'node:events'
import { type Operation, toHex } from '../../groups/index.ts'
import type { Receipt } from './intake.ts'
import type { LocalGroup } from './local-group.ts'

export interface GroupReplica {
  /** 32 bytes. */
  readonly id: Uint8Array
  /** How many operations have their place; 0 where only the group's link is known. */
  readonly size: number
  /** 8 bytes that depend on which operations have their place, and on nothing else; zeros when there are none. */
  readonly fingerprint: Uint8Array
  /** The id of an operation that has its place: by rising index each stands on earlier ones. An index never changes. */
  idAt(index: number): Uint8Array
  bytesAt(index: number): Uint8Array | undefined
  /**
   * Takes in what a peer brought. Resolves when all of it was dealt with, so that nobody brings more than is taken in.
   * @param origin whoever brought it: the same value for the same session
   * @throws GroupError when something is wrong for which the peer is to blame
   */
  receive(operations: readonly Uint8Array[], origin: unknown): Promise<Receipt>
  /** Tells of operations [from, to) that have got their place. @returns ends it */
  onPlaced(listener: (from: number, to: number) => void): () => void
}

/** The groups of which this device holds the log, or wants it. */
export interface GroupReplicas {
  all(): readonly GroupReplica[]
  readonly events: EventEmitter<{ added: [GroupReplica]; removed: [GroupReplica] }>
}

/** A group of this device, to be replicated. @param receive checks what peers bring, and takes it into the log */
export function replicaOf(group: LocalGroup, receive: GroupReplica['receive']): GroupReplica {
  return {
    id: group.id,
    get size() {
      return group.size
    },
    get fingerprint() {
      return group.fingerprint
    },
    idAt: (index) => group.idAt(index),
    bytesAt: (index) => group.bytesOf(toHex(group.idAt(index))),
    receive,
    onPlaced(listener) {
      const onPlaced = (operations: readonly Operation[]): void => listener(group.size - operations.length, group.size)
      group.events.on('placed', onPlaced)
      return () => group.events.off('placed', onPlaced)
    }
  }
}
