// The address by which a browser of this machine is let in: asked of the node, printed, and opened where there is a screen.
import { spawn } from 'node:child_process'
import { dim } from './output.ts'
import type { Context } from './verb.ts'

/** An address of the node's page that is good once. */
export interface PageAddress {
  url: string
  /** ISO 8601 */
  expires: string
}

/**
 * Has the node let a browser in, and starts one where there is a screen.
 * @param print puts the address on stdout
 * @param expiresInMs how long the address is good @default as long as the node says
 */
export async function offerPage(
  { client, output, signal, json, isInteractive }: Context,
  print: (made: PageAddress) => void,
  expiresInMs?: number
): Promise<void> {
  const made = await client.post<PageAddress>('open', { expiresInMs }, { signal })
  print(made)
  output.talk(dim(`good once, until ${made.expires}; whoever opens it uses this node as you`))
  const browser = isInteractive && !json ? browserCommand(process.platform, process.env) : undefined
  if (browser !== undefined && !(await started([...browser, made.url]))) output.talk('no browser could be started')
}

/** What opens an address in the user's browser. @returns undefined where there is no screen. Exported for tests */
export function browserCommand(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string[] | undefined {
  if (platform === 'darwin') return env.SSH_CONNECTION === undefined ? ['open'] : undefined
  return env.DISPLAY || env.WAYLAND_DISPLAY ? ['xdg-open'] : undefined
}

/** Starts a program that goes on by itself. */
function started([command, ...args]: readonly string[]): Promise<boolean> {
  const child = spawn(command, args, { detached: true, stdio: 'ignore' })
  child.unref()
  return new Promise((resolve) => child.once('spawn', () => resolve(true)).once('error', () => resolve(false)))
}
