// What a node offers of its settings: the shape of `node.settings()`. Types only.

/** Settings that can be changed while the node runs. */
export type SettingKey = 'privacy' | 'shareContacts' | 'readReceipts' | 'mailboxes' | 'relay' | 'directory'

export interface SettingState {
  key: SettingKey
  /** As config.json has it, else the default. */
  value: string | boolean
  /** Chosen by the user. */
  isSet: boolean
  default: string | boolean
  choices: (string | boolean)[]
  /** What the running node goes by. Where that is another value, the new one holds from the next start on. */
  inUse: string | boolean
  /** What it is for. */
  about: string
}
