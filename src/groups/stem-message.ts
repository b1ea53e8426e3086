// A nameless operation as it goes from member to member before it spreads: every one in the same number of bytes, so
// that whoever sees the size of what is sent learns neither its kind nor the size of its ring.
import { sha256 } from '../feeds/index.ts'
import { GroupError } from './errors.ts'

/** Every padded operation has as many bytes: the longest proof and what is around it fit. */
export const STEM_SIZE = 4_352
const LENGTH_BYTES = 2
const NAME_DOMAIN = Buffer.from('comrade/group/stem/1\0')

/** How the group is named to another member: sha256("comrade/group/stem/1\0" ‖ group id), which only its holders know. */
export function stemName(group: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([NAME_DOMAIN, group]))
}

/**
 * Pads an operation: u16 length, big-endian ‖ its bytes ‖ zeros.
 * @throws GroupError SIZE when it is longer than any nameless operation
 */
export function padOperation(bytes: Uint8Array): Uint8Array {
  const most = STEM_SIZE - LENGTH_BYTES
  if (bytes.length > most)
    throw new GroupError('SIZE', `a nameless operation has at most ${most} bytes, not ${bytes.length}`)
  const padded = Buffer.alloc(STEM_SIZE)
  padded.writeUInt16BE(bytes.length)
  padded.set(bytes, LENGTH_BYTES)
  return new Uint8Array(padded)
}

/** @throws GroupError SIZE when it has not the one size; OPERATION when its padding says anything */
export function unpadOperation(padded: Uint8Array): Uint8Array {
  if (padded.length !== STEM_SIZE)
    throw new GroupError('SIZE', `a padded operation has ${STEM_SIZE} bytes, not ${padded.length}`)
  const end = LENGTH_BYTES + new DataView(padded.buffer, padded.byteOffset).getUint16(0)
  if (end > STEM_SIZE || padded.subarray(end).some((byte) => byte !== 0))
    throw new GroupError('OPERATION', 'the padding of an operation is not what it should be')
  return padded.slice(LENGTH_BYTES, end)
}
