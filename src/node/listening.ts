// Announces the public addresses on which this node listens. libp2p keeps them to itself until strangers have confirmed by
// AutoNAT that they can be reached, and a friend's server would never be found.
import type { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import type { Startable } from '@libp2p/interface'
import { ipOf, isRelayed } from './addresses.ts'

/** How often it is looked for new addresses of this machine, as IPv6 has them every day. */
const LOOK_INTERVAL_MS = 60_000

type Components = Pick<
  Parameters<ReturnType<typeof circuitRelayTransport>>[0],
  'addressManager' | 'transportManager' | 'events'
>

/** A service for libp2p. */
export function listening(): (components: Components) => Startable {
  return ({ addressManager, transportManager, events }) => {
    let timer: NodeJS.Timeout | undefined
    const look = (): void => {
      for (const address of transportManager.getAddrs())
        if (!isRelayed(address) && ipOf(address) !== undefined)
          addressManager.confirmObservedAddr(address, { type: 'transport' })
    }
    return {
      start() {
        events.addEventListener('transport:listening', look)
        timer = setInterval(look, LOOK_INTERVAL_MS)
        timer.unref()
      },
      stop() {
        events.removeEventListener('transport:listening', look)
        clearInterval(timer)
      }
    }
  }
}
