// Why a node cannot listen, in words for whoever started it: libp2p names its own settings, with a stack for each address.

/** What whoever chose the address can do, by the system's code. */
const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; choose another port, or 0 for any',
  EADDRNOTAVAIL: 'this machine does not have that address; /ip4/0.0.0.0 means all that it has',
  EACCES: 'the system does not allow that port; choose one above 1023, or 0 for any'
}
const FAILED_ADDRESS = /^ {2}(\/\S+): (?:\w*Error: )?(.+)$/gm

/** One line for what libp2p threw when it started: each address that failed, with the reason. */
export function sayListenProblem(error: Error): string {
  const failed = [...error.message.matchAll(FAILED_ADDRESS)].map(
    ([, address, reason]) => `${address}: ${advise(reason)}`
  )
  return failed.length === 0 ? error.message.split('\n')[0] : failed.join('; ')
}

function advise(reason: string): string {
  const [code] = /\bE[A-Z]+\b/.exec(reason) ?? []
  const advice = code && ADVICE[code]
  return advice ? `${code} (${advice})` : reason
}
