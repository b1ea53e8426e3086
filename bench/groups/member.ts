// A member of a group in a process of its own, for representative.ts: does what it is told by messages, one at a time.
import { createNode } from '../../src/index.ts'

const GROUP = 'portland'

const node = await createNode({
  home: process.argv[2],
  listen: ['/ip4/127.0.0.1/tcp/0'],
  mdns: false,
  directory: false
})
await node.start()

const calls = {
  create: async () => (await node.groups.create({ name: GROUP })).link(),
  open: async (link: string) => void (await node.groups.open(link)),
  size: async () => (await (await node.groups.get(GROUP)).members()).length,
  apply: async () => (await (await node.groups.get(GROUP)).apply()).needed,
  vouch: async (did: string) => void (await (await node.groups.get(GROUP)).vouch(did)),
  /** -1: nobody is a candidate by this did. */
  vouches: async (did: string) =>
    (await (await node.groups.get(GROUP)).candidates()).find((candidate) => candidate.did === did)?.vouches ?? -1,
  join: async () => void (await (await node.groups.get(GROUP)).join()),
  representative: async () => (await (await node.groups.get(GROUP)).show()).representative?.did,
  peers: async () => node.libp2p.getPeers().length
}

export type MemberCall = [name: keyof typeof calls, argument?: string]
/** What a call gave, or why it did not. */
export interface MemberAnswer {
  result?: unknown
  error?: string
}

process.on('message', ([name, argument]: MemberCall) => {
  const answer = (said: MemberAnswer): void => void process.send!(said)
  calls[name](argument!).then(
    (result) => answer({ result }),
    (error: Error) => answer({ error: error.message })
  )
})
process.once('disconnect', () => process.exit())
process.send!({ did: node.identity.did })
