// Two homes behind routers and a machine on the open Internet between them: network namespaces of this machine, joined by
// cables. The routers do what those of homes do: they share one address, and drop what nobody inside asked for. The
// addresses look public, and nothing leaves the namespaces.
import { execFileSync } from 'node:child_process'

const INTERNET = '5.5.5'

/** A machine, and the address on which it can listen. */
export interface NatHost {
  namespace: string
  address: string
}

export class Nat implements Disposable {
  /** On the open Internet. */
  readonly outside: NatHost
  /** Each behind a router of its own, whose own address is `public`. */
  readonly homes: (NatHost & { public: string })[]
  readonly #namespaces: string[]

  private constructor(prefix: string) {
    this.outside = { namespace: `${prefix}-out`, address: `${INTERNET}.1` }
    this.homes = ['a', 'b'].map((name, i) => ({
      namespace: `${prefix}-${name}`,
      address: `192.168.7${i}.2`,
      public: `${INTERNET}.${10 * (i + 1)}`
    }))
    this.#namespaces = [this.outside, ...this.homes].flatMap(({ namespace }) => [namespace, `${namespace}-r`])
  }

  /** @returns why it cannot be made here (it takes root, iproute2 and nftables), in words */
  static make(): Nat | string {
    const nat = new Nat(`comrade-${process.pid}-nat`)
    try {
      nat.#build()
      return nat
    } catch (error) {
      nat[Symbol.dispose]()
      return `routers cannot be made by this user on this machine: ${(error as Error).message.split('\n')[0]}`
    }
  }

  #build(): void {
    execFileSync('nft', ['--version'], { stdio: 'pipe' })
    const { namespace: out, address } = this.outside
    addNamespace(out)
    ip('-n', out, 'link', 'add', 'net0', 'type', 'bridge')
    ip('-n', out, 'addr', 'add', `${address}/24`, 'dev', 'net0')
    ip('-n', out, 'link', 'set', 'net0', 'up')
    for (const [i, home] of this.homes.entries()) this.#addHome(home, `home${i}`)
  }

  #addHome({ namespace, address, public: shared }: NatHost & { public: string }, port: string): void {
    const router = `${namespace}-r`
    const inside = address.replace(/\.\d+$/, '.1')
    const out = this.outside.namespace
    addNamespace(namespace)
    addNamespace(router)
    ip('link', 'add', 'wan0', 'netns', router, 'type', 'veth', 'peer', 'name', port, 'netns', out)
    ip('-n', out, 'link', 'set', port, 'master', 'net0', 'up')
    ip('link', 'add', 'lan0', 'netns', router, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
    for (const [where, device, own] of [
      [router, 'wan0', shared],
      [router, 'lan0', inside],
      [namespace, 'eth0', address]
    ]) {
      ip('-n', where, 'addr', 'add', `${own}/24`, 'dev', device)
      ip('-n', where, 'link', 'set', device, 'up')
    }
    ip('-n', namespace, 'route', 'add', 'default', 'via', inside)
    ip('netns', 'exec', router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
    execFileSync('ip', ['netns', 'exec', router, 'nft', '-f', '-'], { input: RULES, stdio: 'pipe' })
  }

  [Symbol.dispose](): void {
    for (const namespace of this.#namespaces) {
      try {
        ip('netns', 'del', namespace)
      } catch {
        // it was not made
      }
    }
  }
}

const RULES = `
table ip home {
  chain out {
    type nat hook postrouting priority 100
    oifname "wan0" masquerade
  }
  chain self {
    type filter hook input priority 0
    iifname "wan0" ct state new drop
  }
  chain through {
    type filter hook forward priority 0
    iifname "wan0" ct state new drop
  }
}
`

function addNamespace(name: string): void {
  ip('netns', 'add', name)
  ip('-n', name, 'link', 'set', 'lo', 'up')
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' })
}
