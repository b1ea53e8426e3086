// comrade device: the devices of one's identity. `join` needs no running node; it makes this home one of them.
import { text } from 'node:stream/consumers'
import { type DeviceInfo, type Invite, NodeError } from '../../node/comrade.ts'
import { bold, coloured, dim, type Line } from '../output.ts'
import { passphraseFromFile } from '../passphrase.ts'
import { askYesNo } from '../question.ts'
import type { Context, Verb } from '../verb.ts'

interface Options {
  name?: string
  /** false for --no-qr */
  qr: boolean
  yes?: boolean
}

const ACTIONS: Readonly<
  Record<string, { takes?: string; run: (context: Context, given: string, options: Options) => Promise<void> }>
> = {
  list: { run: list },
  invite: { run: invite },
  join: { takes: 'a link', run: join },
  revoke: { takes: 'a device', run: revoke }
}

export const verb: Verb<Options> = {
  arguments: [
    ['<action>', 'list, invite, join or revoke'],
    [
      '[which]',
      'for join the link (-: from stdin, so that other users of this machine do not see it), for revoke the device: its name or did'
    ]
  ],
  actions: [
    ['list', 'list all devices that your identity ever had'],
    ['invite', 'make a link with which one device can join'],
    ['join <link>', 'make this empty home one of the devices'],
    ['revoke <device>', 'end a device for ever']
  ],
  options: [
    { flags: '--name <name>', description: 'for join: what to call this device (default: the name of the machine)' },
    { flags: '--no-qr', description: 'for invite: do not show the link as a QR code' },
    { flags: '--yes', description: 'for revoke: do not ask again' }
  ],
  examples: [
    'comrade device list',
    'comrade device invite',
    'comrade device join comrade:device/AbC… --name pi',
    'comrade device revoke pi'
  ],
  async run(context, [name, given], options) {
    if (!Object.hasOwn(ACTIONS, name))
      throw new NodeError('BAD_INPUT', `expected list, invite, join or revoke, not '${name}'`)
    const { takes, run } = ACTIONS[name]
    if ((given === undefined) !== (takes === undefined))
      throw new NodeError('BAD_INPUT', `comrade device ${name} takes ${takes ?? 'nothing more'}`)
    await run(context, given ?? '', options)
  }
}

async function list({ client, output, signal }: Context): Promise<void> {
  const devices = await client.get<DeviceInfo[]>('device/list', {}, { signal })
  for (const device of devices) output.result(device, () => [deviceLine(device)])
  if (devices.length === 1) output.next('comrade device invite    (to add another one)')
}

async function invite({ client, output, signal }: Context, _given: string, { qr }: Options): Promise<void> {
  const made = await client.post<Invite>('device/invite', {}, { signal })
  output.result(made, () => [[made.link]])
  if (qr && !output.json && process.stderr.isTTY) {
    const { renderUnicodeCompact } = await import('uqr')
    process.stderr.write(renderUnicodeCompact(made.link) + '\n')
  }
  output.talk(dim(`good for one device, until ${made.expires}; whoever has it becomes you: show it to nobody`))
  output.next('comrade device join <link>    (on the new device)')
}

async function join({ home, output, signal }: Context, given: string, { name }: Options): Promise<void> {
  const link = given === '-' ? await text(process.stdin) : given
  const passphrase = await passphraseFromFile(process.env)
  // libp2p takes longer to load than any other verb to run: it is loaded only where it is needed.
  const { joinIdentity } = await import('../../node/index.ts')
  const joined = await joinIdentity({ home, link, deviceName: name, passphrase, signal })
  output.result({ ...joined, state: 'this' }, () => [
    [coloured('green', 'joined  '), joined.did],
    [dim('device  '), joined.device, dim(`  ${joined.name}`)]
  ])
  output.next('comrade up')
}

async function revoke(context: Context, device: string, { yes }: Options): Promise<void> {
  const { client, output, signal, isInteractive, json } = context
  if (isInteractive && !json && yes !== true) {
    const question: Line = ['end ', bold(device), ' for ever? nothing that it writes from now on will count']
    if (!(await askYesNo(output, question, signal))) return output.talk('nothing was done')
  }
  const revoked = await client.post<DeviceInfo>('device/revoke', { device }, { signal })
  output.result(revoked, () => [deviceLine(revoked)])
}

function deviceLine({ device, name, state }: DeviceInfo): Line {
  return [bold(name), state === 'revoked' ? coloured('yellow', `  ${state}`) : `  ${state}`, dim(`  ${device}`)]
}
