// Two machines on one local network: network namespaces of this machine, joined by a cable. Nothing leaves it.
import { execFileSync } from 'node:child_process'

const SUBNET = '10.77.0'

export class Lan implements Disposable {
  /** The namespaces' names, and the address of the one machine in each. */
  readonly hosts: { namespace: string; address: string }[]

  private constructor(names: string[]) {
    this.hosts = names.map((namespace, i) => ({ namespace, address: `${SUBNET}.${i + 1}` }))
  }

  /** @returns why it cannot be made here (it takes root and iproute2), in words */
  static make(): Lan | string {
    const lan = new Lan([`comrade-${process.pid}-a`, `comrade-${process.pid}-b`])
    try {
      lan.#build()
      return lan
    } catch (error) {
      lan[Symbol.dispose]()
      return `network namespaces cannot be made by this user: ${(error as Error).message.split('\n')[0]}`
    }
  }

  #build(): void {
    const [a, b] = this.hosts
    for (const { namespace } of this.hosts) ip('netns', 'add', namespace)
    ip('link', 'add', 'lan0', 'netns', a.namespace, 'type', 'veth', 'peer', 'name', 'lan0', 'netns', b.namespace)
    for (const { namespace, address } of this.hosts) {
      ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'lan0')
      ip('-n', namespace, 'link', 'set', 'lo', 'up')
      ip('-n', namespace, 'link', 'set', 'lan0', 'up')
      ip('-n', namespace, 'route', 'add', '224.0.0.0/4', 'dev', 'lan0')
    }
  }

  [Symbol.dispose](): void {
    for (const { namespace } of this.hosts) {
      try {
        ip('netns', 'del', namespace)
      } catch {
        // it was not made
      }
    }
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' })
}
