// What `createNode()` takes, and what becomes of it together with config.json: an option that is given wins.
import { hostname } from 'node:os'
import { MAX_DEVICE_NAME_LENGTH } from '../trust/index.ts'
import { NodeError } from './comrade.ts'
import { findHome } from './home.ts'
import { type Config, loadConfig } from './config.ts'
import type { NetworkOverrides } from './libp2p-options.ts'

/** A small disk is not to be taken up by what is kept free. */
const DEFAULT_RESERVE_SHARE = 0.05

export interface NodeOptions {
  /** Data directory. @default $COMRADE_HOME, else `comrade/` in the XDG data folder */
  home?: string
  /** Multiaddrs to listen on. @default config.json's `listen`: all interfaces, any port */
  listen?: string[]
  /** Multiaddrs of peers to stay connected with, besides those in config.json. @default none */
  peers?: string[]
  /** Find peers in the local network by multicast. @default config.json's `mdns`: true */
  mdns?: boolean
  /** Dial private and loopback addresses that others announce. @default config.json's `lan`: true */
  lan?: boolean
  /** Publish where this device is, and look people up in the DHT. @default config.json's `directory`: true */
  directory?: boolean
  /** Opens keys that are protected by a passphrase, and protects keys that are made now. @default none */
  passphrase?: string
  /** The name under which the identity log lists this device. @default the machine's host name */
  deviceName?: string
  /**
   * Is handed the 24 words when the identity is made, before its keys are written: whoever shows or stores them does it
   * here, so that a crash cannot leave an identity whose words nobody has seen.
   */
  onRecoveryPhrase?: (phrase: string) => void | Promise<void>
  /**
   * Keeps the recovery phrase of an identity that is made now beside its keys, protected as they are, until
   * `forgetRecoveryPhrase()`: for who is shown it later, by a page. @default false
   */
  keepsRecoveryPhrase?: boolean
  /** False: nothing that is logged names anybody, since a log may be kept longer than what is erased here. @default true */
  logsPeople?: boolean
  /**
   * How much of the disk is kept free of what others write, in bytes; 0: nothing.
   * @default config.json's `reserve`: 256 MiB, or a twentieth of the disk where that is less
   */
  reserve?: number
  /** How much of the disk is free, in bytes, where the file system does not say so: a user's own limit. @default what it says */
  freeBytes?: () => number
  /** What an embedder sets in libp2p: transports, discovery, services, limits. */
  libp2p?: NetworkOverrides
}

/** Options and settings as one. */
export interface Settings extends Config {
  home: string
  warnings: string[]
  /** Largest part of the disk that the reserve takes. */
  reserveShare: number
}

/** @throws NodeError BAD_INPUT when config.json does not hold what it should */
export function settle(options: NodeOptions, configPath: (home: string) => string): Settings {
  const home = findHome(options.home)
  const { config, set, warnings } = loadConfig(configPath(home))
  return {
    ...config,
    home,
    warnings,
    listen: options.listen ?? config.listen,
    peers: [...config.peers, ...(options.peers ?? [])],
    mdns: options.mdns ?? config.mdns,
    lan: options.lan ?? config.lan,
    directory: options.directory ?? config.directory,
    reserve: options.reserve ?? config.reserve,
    reserveShare: (options.reserve ?? set.reserve) === undefined ? DEFAULT_RESERVE_SHARE : 1
  }
}

/** The name under which the identity log lists this device. @throws NodeError BAD_INPUT */
export function deviceNameOf(given: string | undefined): string {
  if (given === undefined) return hostname().slice(0, MAX_DEVICE_NAME_LENGTH) || 'device'
  if (given.length >= 1 && given.length <= MAX_DEVICE_NAME_LENGTH && given.isWellFormed()) return given
  throw new NodeError('BAD_INPUT', `a device's name has 1 to ${MAX_DEVICE_NAME_LENGTH} characters, not ${given.length}`)
}
