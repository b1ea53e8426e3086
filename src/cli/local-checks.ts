// What can be seen of a home from outside, with no node running: where it is, who may read it, what room there is.
import { lstatSync, readdirSync, statfsSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Check } from '../node/comrade.ts'
import { homeAt } from '../node/home.ts'
import { lockHolder, lockHome } from '../node/lock.ts'
import { formatSize } from './quantity.ts'

/** What is seen from outside is said in English only. */
export type LocalCheck = Omit<Check, 'sentences' | 'advice'>

const MIN_NODE = [22, 15] as const
/** Below this, a node that fetches what friends wrote will soon meet a full disk. */
const MIN_FREE_BYTES = 100 * 2 ** 20

/** All checks, in the order in which a fault in one explains faults in the next. @param isRunning whether a node answers in this home */
export function localChecks(home: string, isRunning: boolean): LocalCheck[] {
  const directory = lstatSync(home, { throwIfNoEntry: false })
  const checks = [nodeVersion(process.versions.node), homeCheck(home, directory), diskSpace(home)]
  if (directory?.isDirectory()) checks.push(keysCheck(homeAt(home).keys))
  return [...checks, lockCheck(home, isRunning, directory !== undefined)]
}

/** Exported for tests. */
export function nodeVersion(version: string): LocalCheck {
  const [major, minor] = version.split('.').map(Number)
  const ok = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])
  const detail = `Node.js ${version}`
  return ok
    ? { check: 'nodejs', ok, detail }
    : { check: 'nodejs', ok, detail, todo: `install Node.js ${MIN_NODE.join('.')} or newer` }
}

function homeCheck(home: string, directory: Stats | undefined): LocalCheck {
  if (directory === undefined) return { check: 'home', ok: true, detail: `${home} is not made yet`, todo: 'comrade up' }
  if (!directory.isDirectory())
    return { check: 'home', ok: false, detail: `${home} is not a directory`, todo: 'give another --home' }
  if (directory.uid !== process.getuid?.())
    return {
      check: 'home',
      ok: false,
      detail: `${home} belongs to another user`,
      todo: `chown it, or give another --home`
    }
  if ((directory.mode & 0o077) !== 0)
    return { check: 'home', ok: false, detail: `${home} is open to other users`, todo: `chmod 700 ${home}` }
  return { check: 'home', ok: true, detail: home }
}

function keysCheck(keys: string): LocalCheck {
  const names = listed(keys)
  if (names.length === 0) return { check: 'keys', ok: true, detail: 'none yet', todo: 'comrade up' }
  const exposed = [keys, ...names.map((name) => join(keys, name))].filter(
    (path) => (lstatSync(path).mode & 0o077) !== 0
  )
  if (exposed.length === 0) return { check: 'keys', ok: true, detail: `${names.length} files that only you can read` }
  return {
    check: 'keys',
    ok: false,
    detail: `other users can read ${exposed.join(', ')}`,
    todo: `chmod go= ${exposed.join(' ')}`
  }
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return [] // not made yet
  }
}

function diskSpace(home: string): LocalCheck {
  const { bavail, bsize } = statfsSync(existing(home))
  const free = bavail * bsize
  const detail = `${formatSize(free)} free`
  if (free >= MIN_FREE_BYTES) return { check: 'disk', ok: true, detail }
  return { check: 'disk', ok: false, detail, todo: 'make room, or lower `comrade quota`' }
}

/** The nearest directory above that is there. */
function existing(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined || path === dirname(path)) return path
  return existing(dirname(path))
}

function lockCheck(home: string, isRunning: boolean, hasHome: boolean): LocalCheck {
  if (isRunning) return { check: 'node', ok: true, detail: 'running' }
  if (!hasHome || lstatSync(homeAt(home).lock, { throwIfNoEntry: false }) === undefined) return notRunning
  try {
    lockHome(homeAt(home).lock).release()
    return notRunning
  } catch {
    const pid = lockHolder(homeAt(home).lock)
    return {
      check: 'node',
      ok: false,
      detail: `process ${pid ?? 'unknown'} holds the home, but does not answer`,
      todo: 'wait if it has just begun or is leaving; else end it'
    }
  }
}

const notRunning: LocalCheck = { check: 'node', ok: true, detail: 'not running', todo: 'comrade up' }
