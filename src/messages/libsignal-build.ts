// Whether libsignal can be loaded on this machine, found out without loading it: it has compiled parts, for some systems
// only, and is not always installed.
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'

const PACKAGE = '@signalapp/libsignal-client'
/** What the builds for Linux that come with the package need. */
const MIN_GLIBC = '2.34'
const HAS_BUILDS = `there are builds for Linux on x64 and arm64 with glibc ${MIN_GLIBC} or newer, for macOS and for Windows`

/** Why there are no private messages on this machine, and what its owner can do. */
export interface Unavailable {
  /** Continues "private messages need @signalapp/libsignal-client, which …". */
  reason: string
  todo: string
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
    if (isNotFound(error)) return { reason: 'is not installed', todo: 'npm install --include=optional' }
    return { reason: `has no build for ${platform} ${arch}`, todo: `run the node on another machine: ${HAS_BUILDS}` }
  }
  // A build that was made here needs no more than is here.
  if (platform !== 'linux' || !file.includes(`${sep}prebuilds${sep}`)) return undefined
  if (glibc !== undefined && isAtLeast(glibc, MIN_GLIBC)) return undefined
  return {
    reason: `needs glibc ${MIN_GLIBC}, and this system has ${glibc ?? 'another C library'}`,
    todo: `run the node on a newer system: ${HAS_BUILDS}`
  }
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
