// comrade open: lets a browser of this machine use the node, by an address that is good once.
import { spawn } from 'node:child_process'
import { bold, dim } from '../output.ts'
import type { Context, Verb } from '../verb.ts'

interface Options {
  end?: boolean
}

export const verb: Verb<Options> = {
  options: [{ flags: '--end', description: 'shut out all browsers that were let in' }],
  examples: ['comrade open', 'comrade open --end'],
  async run(context, _args, { end }) {
    await (end === true ? endAll(context) : open(context))
  }
}

async function open({ client, output, signal, json, isInteractive }: Context): Promise<void> {
  const made = await client.post<{ url: string; expires: string }>('open', {}, { signal })
  output.result(made, () => [[made.url]])
  output.talk(dim(`good once, until ${made.expires}; whoever opens it uses this node as you`))
  const browser = isInteractive && !json ? browserCommand(process.platform, process.env) : undefined
  if (browser !== undefined && !(await started([...browser, made.url]))) output.talk('no browser could be started')
  output.next('comrade open --end    (to shut out all browsers again)')
}

async function endAll({ client, output, signal }: Context): Promise<void> {
  const answer = await client.post<{ ended: number }>('open/end', {}, { signal })
  output.result(answer, () => [
    [bold(String(answer.ended)), answer.ended === 1 ? ' browser' : ' browsers', ' shut out']
  ])
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
