// The settings that people make for themselves: from the page, from programs, and while the node runs. Some hold at once, the
// others from the next start on. The rest of config.json is about how a machine is set up.
import { NodeError, type SettingKey, type SettingState } from './comrade.ts'
import { type Config, configSchema, loadConfig, setConfig } from './config.ts'

/** Whether each holds at once. */
const HOLDS_AT_ONCE: Readonly<Record<SettingKey, boolean>> = {
  privacy: true,
  shareContacts: true,
  readReceipts: true,
  mailboxes: true,
  relay: false, // libp2p's services are made when the node is
  directory: false
}
const KEYS = Object.keys(HOLDS_AT_ONCE) as SettingKey[]

/**
 * What the file says, and what the running node goes by.
 * @param inUse settings of the running node
 * @throws NodeError BAD_INPUT when the file cannot be understood
 */
export function settingStates(path: string, inUse: Config): SettingState[] {
  const { config, set } = loadConfig(path)
  const schema = new Map(configSchema().map((info) => [info.key, info]))
  return KEYS.map((key) => {
    const { choices = [true, false], default: byDefault, about } = schema.get(key)!
    return {
      key,
      value: config[key],
      isSet: Object.hasOwn(set, key),
      default: byDefault as SettingState['default'],
      choices: [...choices],
      inUse: inUse[key],
      about
    }
  })
}

/**
 * Writes a setting into the file, and changes `inUse` where it holds at once.
 * @param value undefined takes the user's choice away
 * @throws NodeError BAD_INPUT, DISK_FULL; then everything is as it was
 */
export function changeSetting(path: string, inUse: Config, key: SettingKey, value: unknown): SettingState {
  if (!KEYS.includes(key))
    throw new NodeError('BAD_INPUT', `a running node takes the settings ${KEYS.join(', ')}; found "${key}"`)
  const { config } = setConfig(path, key, value)
  if (HOLDS_AT_ONCE[key]) Object.assign(inUse, { [key]: config[key] })
  return settingStates(path, inUse).find((each) => each.key === key)!
}
