// A process of its own, in which prekeys are made: libsignal costs 25 MB, and a process keeps what it has loaded. It is asked
// over the channel to the process that started it, and ends with it.
import { constants, setPriority } from 'node:os'
import { loadLibsignal } from '../../messages/libsignal.ts'
import { makePrekeys, type PrekeyOrder } from '../../messages/prekey-maker.ts'
import type { MadePrekey } from '../../messages/prekeys.ts'

/** What was made, or why nothing could be. */
export type PrekeyAnswer = { made: MadePrekey[] } | { error: string }

setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
process.on('disconnect', () => process.exit())
process.on('message', (order: PrekeyOrder) => void answer(order).then((each) => process.send?.(each)))

async function answer(order: PrekeyOrder): Promise<PrekeyAnswer> {
  try {
    return { made: makePrekeys(await loadLibsignal(), order) }
  } catch (error) {
    return { error: (error as Error).message }
  }
}
