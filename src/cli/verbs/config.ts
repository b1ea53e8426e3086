// comrade config: the settings in config.json, shown or changed, whether a node runs or not.
import {
  configSchema,
  loadConfig,
  parseSetting,
  setConfig,
  type ConfigKey,
  type LoadedConfig
} from '../../node/config.ts'
import type { SettingShape } from '../../api/shapes.ts'
import { NodeError } from '../../node/comrade.ts'
import { homeAt, openHome } from '../../node/home.ts'
import { bold, coloured, dim, type Line } from '../output.ts'
import type { Context, Verb } from '../verb.ts'

/** A setting with what holds now. `isSet`: chosen by the user, not the default. */
interface Value {
  key: ConfigKey
  value: unknown
  isSet: boolean
}

const ACTIONS: Readonly<Record<string, (context: Context, key?: string, value?: string) => void | Promise<void>>> = {
  list,
  get,
  set,
  schema
}

export const verb: Verb = {
  arguments: [
    ['<action>', 'list, get, set or schema'],
    ['[key]', 'which setting: for get and set'],
    ['[value]', 'its new value: for set; `default` takes your choice away']
  ],
  actions: [
    ['list', 'show all settings'],
    ['get <key>', 'show one'],
    ['set <key> <value>', 'change one'],
    ['schema', 'tell what each is for, and what it can be']
  ],
  examples: [
    'comrade config list',
    'comrade config get listen',
    'comrade config set mdns off',
    'comrade config set quota 20GiB',
    'comrade config schema --json'
  ],
  async run(context, [action, key, value]) {
    if (!Object.hasOwn(ACTIONS, action))
      throw new NodeError('BAD_INPUT', `expected list, get, set or schema, not '${action}'`)
    const needed = { list: 0, schema: 0, get: 1, set: 2 }[action]
    const given = [key, value].filter((arg) => arg !== undefined).length
    if (given !== needed)
      throw new NodeError('BAD_INPUT', `config ${action} takes ${needed} more arguments, not ${given}`)
    await ACTIONS[action](context, key, value)
  }
}

function list({ home, output }: Context): void {
  const loaded = load(home, output)
  for (const { key } of configSchema()) print(output, valueOf(loaded, key))
}

function get({ home, output }: Context, key = ''): void {
  parseSetting(key, 'default') // refuses a key that is not known
  print(output, valueOf(load(home, output), key as ConfigKey))
}

async function set(context: Context, key = '', text = ''): Promise<void> {
  const { home, output } = context
  const value = parseSetting(key, text)
  const state = await configure(context, key, value)
  const loaded = state === undefined ? setConfig(openHome(home).config, key, value) : load(home, output)
  print(output, valueOf(loaded, key as ConfigKey))
  if (state !== undefined && state.value === state.inUse) output.talk('The running node goes by it from now on.')
  else output.next('comrade down, then comrade up    (a running node reads this setting when it begins)')
}

/** Lets the running node change it; undefined when none runs, or none changes it while it runs. */
async function configure({ client, signal }: Context, key: string, value: unknown): Promise<SettingShape | undefined> {
  try {
    const states = await client.get<SettingShape[]>('config', {}, { signal })
    if (!states.some((each) => each.key === key)) return undefined
    return await client.post<SettingShape>('config', { key, value: value ?? null }, { signal })
  } catch (error) {
    if (error instanceof NodeError && error.code === 'NOT_RUNNING') return undefined
    throw error
  }
}

function schema({ output }: Context): void {
  for (const setting of configSchema()) {
    const choices = setting.choices === undefined ? setting.type : setting.choices.join(' | ')
    output.result(setting, () => [
      [bold(setting.key), `  ${choices}  `, dim(`default ${JSON.stringify(setting.default)}`)],
      [`  ${setting.about}`]
    ])
  }
}

function load(home: string, output: Context['output']): LoadedConfig {
  const loaded = loadConfig(homeAt(home).config)
  for (const warning of loaded.warnings) output.talk(coloured('yellow', 'warning: '), warning)
  return loaded
}

function valueOf({ config, set }: LoadedConfig, key: ConfigKey): Value {
  return { key, value: config[key], isSet: Object.hasOwn(set, key) }
}

function print(output: Context['output'], { key, value, isSet }: Value): void {
  const line: Line = [
    bold(key),
    ` ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    dim(isSet ? '' : '  (default)')
  ]
  output.result({ key, value, isSet }, () => [line])
}
