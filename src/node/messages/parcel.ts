// What a session has made of one message for one device, and the cells in which that travels.
import { randomBytes } from 'node:crypto'
import {
  cellsFor,
  type Content,
  encodeContent,
  pad,
  type Sealed,
  toCells,
  TRANSFER_SIZE
} from '../../messages/index.ts'
import type { Opened } from './crypt.ts'

export interface Parcel {
  sealed: Sealed
  /** 16 random bytes that its cells share. */
  transfer: Uint8Array
  /** Of cells. */
  count: number
}

/** Encrypts for one device what was padded. */
export type Seal = (padded: Uint8Array) => Promise<Sealed>

export async function parcelOf(content: Content, seal: Seal): Promise<Parcel> {
  const padded = pad(encodeContent(content))
  return { sealed: await seal(padded), transfer: randomBytes(TRANSFER_SIZE), count: cellsFor(padded.length) }
}

/** @param to the key of the recipient's device for cells */
export function cellsOf({ sealed, transfer, count }: Parcel, { keys, address }: Opened, to: Uint8Array): Uint8Array[] {
  const from = Buffer.from(address, 'hex')
  return toCells(sealed, { transfer, from, count }).map((content) => keys.seal(content, to))
}
