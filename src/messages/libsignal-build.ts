// Whether libsignal can be loaded on this machine, found out without loading it: it has compiled parts, for some systems
// only, and is not always installed.
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import type { Sentence } from '../feeds/index.ts'
import { adviseLibsignal, sayLibsignal } from './sentences.ts'

const PACKAGE = '@signalapp/libsignal-client'
/** What the builds for Linux that come with the package need. */
const MIN_GLIBC = '2.34'

/** Why there are no private messages on this machine, and what its owner can do. */
export interface Unavailable {
  /** Continues "private messages need @signalapp/libsignal-client, which …". */
  reason: Sentence
  advice: Sentence
}

/** The machine, as far as it matters. */
export interface Machine {
  platform: string
  arch: string
  /** Of the running system; undefined where it has another C library. */
  glibc: string | undefined
  /** The compiled file that would be loaded. @throws when there is none, or no package */
  findBuild: () => string
}

/** Looks for what would be missed. @returns undefined when libsignal can be loaded, as far as can be seen */
export function libsignalMissing(machine: Machine = thisMachine()): Unavailable | undefined {
  const { platform, arch, glibc } = machine
  let file: string
  try {
    file = machine.findBuild()
  } catch (error) {
    if (isNotFound(error))
      return { reason: sayLibsignal('libsignal.notInstalled'), advice: adviseLibsignal('advice.installOptional') }
    const reason = sayLibsignal('libsignal.noBuild', { system: `${platform} ${arch}` })
    return { reason, advice: adviseLibsignal('advice.otherMachine', { needed: MIN_GLIBC }) }
  }
  // A build that was made here needs no more than is here.
  if (platform !== 'linux' || !file.includes(`${sep}prebuilds${sep}`)) return undefined
  if (glibc !== undefined && isAtLeast(glibc, MIN_GLIBC)) return undefined
  const reason =
    glibc === undefined
      ? sayLibsignal('libsignal.otherLibrary', { needed: MIN_GLIBC })
      : sayLibsignal('libsignal.oldLibrary', { needed: MIN_GLIBC, found: glibc })
  return { reason, advice: adviseLibsignal('advice.newerSystem', { needed: MIN_GLIBC }) }
}

function thisMachine(): Machine {
  return { platform: process.platform, arch: process.arch, glibc: glibcVersion(), findBuild }
}

/** Searches as libsignal itself does when it is loaded. */
function findBuild(): string {
  const main = createRequire(import.meta.url).resolve(PACKAGE)
  const { path } = createRequire(main)('node-gyp-build') as { path: (directory: string) => string }
  return path(dirname(dirname(main)))
}

function glibcVersion(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true // else it asks for the names of all peers' addresses
  try {
    const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } }
    return header.glibcVersionRuntime
  } finally {
    report.excludeNetwork = before
  }
}

function isNotFound(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND'
}

function isAtLeast(version: string, least: string): boolean {
  const [[major, minor], [leastMajor, leastMinor]] = [version, least].map((each) => each.split('.').map(Number))
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}
