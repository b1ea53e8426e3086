// config.json: what the user set, never a secret. The settings, their defaults and their meaning are in one table here.
import { readFileSync, statSync } from 'node:fs'
import { multiaddr } from '@multiformats/multiaddr'
import * as v from 'valibot'
import { harmless } from '../trust/index.ts'
import { NodeError } from './comrade.ts'
import { replaceFile } from './durable-file.ts'

const MAX_FILE_SIZE = 1_048_576
const MAX_LIST = 256

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export const RELAY_MODES = ['friends', 'off'] as const
export const MAILBOX_MODES = ['friends', 'off'] as const
export const STORE_MODES = ['all', 'groups', 'own', 'none'] as const
export const PRIVACY_LEVELS = ['convenience', 'guarded', 'safety'] as const

/** All settings, each with a value. */
export interface Config {
  listen: string[]
  peers: string[]
  mdns: boolean
  lan: boolean
  directory: boolean
  relay: (typeof RELAY_MODES)[number]
  mailboxes: (typeof MAILBOX_MODES)[number]
  readReceipts: boolean
  store: (typeof STORE_MODES)[number]
  quota: number
  reserve: number
  compress: boolean
  fullText: boolean
  shareContacts: boolean
  privacy: (typeof PRIVACY_LEVELS)[number]
  logLevel: (typeof LOG_LEVELS)[number]
}

export type ConfigKey = keyof Config

interface Setting<T> {
  default: T
  about: string
  type: 'addresses' | 'boolean' | 'choice' | 'size'
  choices?: readonly string[]
  schema: v.GenericSchema<unknown, T>
}

const address = v.pipe(
  v.string('expected a multiaddr'),
  v.maxLength(512),
  v.check(isMultiaddr, 'expected a multiaddr such as /ip4/192.0.2.1/tcp/4001')
)
const addresses = v.pipe(v.array(address, 'expected a list of multiaddrs'), v.maxLength(MAX_LIST))
const boolean = v.boolean('expected true or false')
const size = v.pipe(
  v.number('expected a number of bytes'),
  v.safeInteger('expected a whole number of bytes'),
  v.minValue(0, 'expected at least 0 bytes')
)

/** Every setting there is. */
const SETTINGS: { [K in ConfigKey]: Setting<Config[K]> } = {
  listen: {
    default: ['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/0'],
    type: 'addresses',
    schema: addresses,
    about: 'where the node listens'
  },
  peers: { default: [], type: 'addresses', schema: addresses, about: 'peers to stay connected with' },
  mdns: { default: true, type: 'boolean', schema: boolean, about: 'find nodes in the local network by multicast' },
  lan: { default: true, type: 'boolean', schema: boolean, about: 'dial private addresses that others announce' },
  directory: {
    default: true,
    type: 'boolean',
    schema: boolean,
    about: 'publish where this device is, for who knows your did, and look people up'
  },
  relay: { default: 'friends', ...choice(RELAY_MODES), about: 'for whom connections are passed on' },
  mailboxes: {
    default: 'friends',
    ...choice(MAILBOX_MODES),
    about: 'for whom sealed messages are kept until they are fetched, while store is all'
  },
  readReceipts: {
    default: false,
    type: 'boolean',
    schema: boolean,
    about: 'tell people when their messages were read'
  },
  store: { default: 'all', ...choice(STORE_MODES), about: "how much of other people's data is kept" },
  quota: {
    default: 10 * 1024 ** 3,
    type: 'size',
    schema: size,
    about: "most bytes of other people's data"
  },
  reserve: {
    default: 256 * 1024 ** 2,
    type: 'size',
    schema: size,
    about: 'bytes of the disk that others may not fill; unless it is set, at most a twentieth of the disk'
  },
  compress: { default: true, type: 'boolean', schema: boolean, about: 'compress what is sent to peers' },
  fullText: { default: true, type: 'boolean', schema: boolean, about: 'keep an index of all words for search' },
  shareContacts: { default: false, type: 'boolean', schema: boolean, about: 'tell friends whom one follows' },
  privacy: {
    default: 'convenience',
    ...choice(PRIVACY_LEVELS),
    about: 'how long vouches and ballots are held back, so that nobody sees when they were given'
  },
  logLevel: { default: 'warn', ...choice(LOG_LEVELS), about: 'least grave level that is logged' }
}

export const CONFIG_KEYS = Object.keys(SETTINGS) as ConfigKey[]

/** The file as it was read. */
export interface LoadedConfig {
  /** What the user set, and defaults for the rest. */
  config: Config
  /** Only what the user set. */
  set: Partial<Config>
  /** For people: keys in the file that this program does not know. They stay in the file. */
  warnings: string[]
}

/** One setting for people and scripts. */
export interface SettingInfo {
  key: ConfigKey
  type: Setting<unknown>['type']
  choices?: readonly string[]
  default: Config[ConfigKey]
  about: string
}

/** All defaults. */
export function defaultConfig(): Config {
  return structuredClone(
    Object.fromEntries(CONFIG_KEYS.map((key) => [key, SETTINGS[key].default]))
  ) as unknown as Config
}

/** What can be set. */
export function configSchema(): SettingInfo[] {
  return CONFIG_KEYS.map((key) => {
    const { type, choices, about, default: value } = SETTINGS[key]
    return { key, type, ...(choices === undefined ? {} : { choices }), default: structuredClone(value), about }
  })
}

/**
 * Reads the settings; a missing file means all defaults.
 * @throws NodeError BAD_INPUT when the file is not JSON or a value does not fit; the file is left as it is
 */
export function loadConfig(path: string): LoadedConfig {
  const raw = readRaw(path)
  const set: Partial<Record<ConfigKey, unknown>> = {}
  const warnings: string[] = []
  for (const [key, value] of raw) {
    if (isConfigKey(key)) set[key] = check(key, value, `${path}: `)
    else
      warnings.push(
        `${path}: "${harmless(key.slice(0, 80))}" is not a setting that this program knows; it is kept and has no effect`
      )
  }
  return { config: { ...defaultConfig(), ...(set as Partial<Config>) }, set: set as Partial<Config>, warnings }
}

/**
 * Sets one value and writes the file; keys that this program does not know stay in it.
 * @param value as JSON has it; undefined takes the user's choice away, so that the default holds again
 * @throws NodeError BAD_INPUT (the file is left as it is), DISK_FULL
 */
export function setConfig(path: string, key: string, value: unknown): LoadedConfig {
  const known = requireKey(key)
  loadConfig(path) // a file that is wrong elsewhere is not written over
  const raw = readRaw(path)
  if (value === undefined) raw.delete(known)
  else raw.set(known, check(known, value))
  replaceFile(path, `${JSON.stringify(Object.fromEntries(raw), null, 2)}\n`)
  return loadConfig(path)
}

/**
 * Reads a value as people type it: `true`/`on`/`yes`, sizes such as `500MB` or `10GiB`, addresses separated by commas
 * or spaces (none: an empty list), and `default` for taking one's choice away.
 * @returns what {@link setConfig} takes
 * @throws NodeError BAD_INPUT
 */
export function parseSetting(key: string, text: string): unknown {
  const known = requireKey(key)
  if (text === 'default') return undefined
  switch (SETTINGS[known].type) {
    case 'boolean':
      return check(known, /^(true|on|yes)$/i.test(text) ? true : /^(false|off|no)$/i.test(text) ? false : text)
    case 'size':
      return check(known, parseSize(text))
    case 'addresses':
      return check(known, text.split(/[\s,]+/).filter(Boolean))
    case 'choice':
      return check(known, text)
    default:
      return SETTINGS[known].type satisfies never
  }
}

/**
 * Reads a size in bytes: a number with an optional unit; kB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB (or
 * K, M, G, T) powers of 1024.
 * @throws NodeError BAD_INPUT
 */
export function parseSize(text: string): number {
  const match = /^(\d{1,16}(?:\.\d{1,6})?)\s*(?:([kmgt])(i?b)?|b)?$/i.exec(text.trim())
  if (match === null)
    throw new NodeError(
      'BAD_INPUT',
      `expected a size such as 10GiB, 500MB or 1048576; found "${harmless(text.slice(0, 80))}"`
    )
  const base = match[3]?.toLowerCase() === 'b' ? 1_000 : 1_024
  const power = match[2] === undefined ? 0 : 'kmgt'.indexOf(match[2].toLowerCase()) + 1
  return Math.round(Number(match[1]) * base ** power)
}

export function isConfigKey(key: string): key is ConfigKey {
  return Object.hasOwn(SETTINGS, key)
}

function requireKey(key: string): ConfigKey {
  if (isConfigKey(key)) return key
  throw new NodeError(
    'BAD_INPUT',
    `"${harmless(key.slice(0, 80))}" is not a setting; there are: ${CONFIG_KEYS.join(', ')}`
  )
}

function check(key: ConfigKey, value: unknown, where = ''): unknown {
  const result = v.safeParse(SETTINGS[key].schema, value)
  if (result.success) return result.output
  const found = JSON.stringify(value)?.slice(0, 80) ?? 'nothing'
  throw new NodeError('BAD_INPUT', `${where}${key}: ${result.issues[0].message}; found ${harmless(found)}`)
}

/** The file's own keys and values, in order. A Map, so that no key means anything to JavaScript. */
function readRaw(path: string): Map<string, unknown> {
  const text = readText(path)
  if (text === undefined) return new Map()
  const json = parseJson(path, text)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new NodeError(
      'BAD_INPUT',
      `${path}: expected one JSON object, such as {"mdns": false}; the file was left as it is`
    )
  }
  return new Map(Object.entries(json))
}

function readText(path: string): string | undefined {
  try {
    if (statSync(path).size > MAX_FILE_SIZE)
      throw new NodeError('BAD_INPUT', `${path} has more than ${MAX_FILE_SIZE} bytes; the file was left as it is`)
    return readFileSync(path, 'utf8').replace(/^\ufeff/, '')
  } catch (error) {
    if (error instanceof NodeError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new NodeError('FAILED', `${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = harmless((error as Error).message.slice(0, 200))
    throw new NodeError(
      'BAD_INPUT',
      `${path} is not JSON: ${reason}. Mend it or move it away; the file was left as it is`,
      { cause: error }
    )
  }
}

function choice<const T extends readonly string[]>(choices: T) {
  const schema = v.picklist(choices, `expected one of ${choices.join(', ')}`)
  return { type: 'choice' as const, choices, schema }
}

function isMultiaddr(text: string): boolean {
  try {
    return multiaddr(text).getComponents().length > 0
  } catch {
    return false
  }
}
