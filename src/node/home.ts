// The data directory: where it is, what is in it, and that nobody else can look into it. The command line loads this
// file: nothing heavy is imported here.
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync, type Stats } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { NodeError } from './comrade.ts'
import { writeError } from './durable-file.ts'

/** Absolute paths of all that a data directory holds. */
export interface Home {
  directory: string
  /** What the user set, never a secret: config.json. */
  config: string
  /** Directory of secret keys. */
  keys: string
  /** The precious database. */
  store: string
  /** Disposable directory of the network's own records. */
  network: string
  blobs: string
  /** Unix socket of the local API; see {@link socketPath}. */
  socket: string
  /** Held by the one running node. */
  lock: string
}

/** Longest socket path in bytes: sun_path has 108 on Linux and 104 on macOS and BSD, with a zero at the end. */
export const MAX_SOCKET_PATH_BYTES = 103

/**
 * Which directory is meant: `--home`, else $COMRADE_HOME, else `comrade/` in the XDG data folder ($XDG_DATA_HOME when
 * it is absolute, else ~/.local/share). Nothing is made.
 */
export function findHome(option?: string, env: NodeJS.ProcessEnv = process.env): string {
  const chosen = option ?? nonEmpty(env.COMRADE_HOME)
  if (chosen === '') throw new NodeError('BAD_INPUT', 'the home must be a directory, found an empty text')
  if (chosen !== undefined) return resolve(chosen)
  const xdg = nonEmpty(env.XDG_DATA_HOME)
  const data = xdg !== undefined && isAbsolute(xdg) ? xdg : join(env.HOME ?? homedir(), '.local', 'share')
  return join(data, 'comrade')
}

/** Names what a data directory holds; touches nothing. */
export function homeAt(directory: string, env: NodeJS.ProcessEnv = process.env): Home {
  const inside = (name: string): string => join(directory, name)
  return {
    directory,
    config: inside('config.json'),
    keys: inside('keys'),
    store: inside('feeds.sqlite'),
    network: inside('network'),
    blobs: inside('blobs'),
    socket: socketPath(directory, env),
    lock: inside('lock')
  }
}

/**
 * Makes the data directory where it is missing, and sees to it that only its owner can enter: mode 0700, mended when
 * it is wider.
 * @throws NodeError KEYS_EXPOSED when it belongs to somebody else or cannot be closed to others,
 *   BAD_INPUT when it is no directory, or is one that is full of other things and open to others
 */
export function openHome(directory: string, env: NodeJS.ProcessEnv = process.env): Home {
  const home = homeAt(directory, env)
  makeDirectory(dirname(directory), 0o777)
  if (isForeign(directory)) {
    throw new NodeError(
      'BAD_INPUT',
      `${directory} holds other things and is open to others: give an empty directory, or one that only you can enter`
    )
  }
  for (const path of [directory, home.keys, home.network, home.blobs]) makePrivateDirectory(path)
  if (dirname(home.socket) !== directory) makeSocketDirectory(dirname(home.socket))
  return home
}

/**
 * Where the local API of the node in this directory listens: `api.sock` in it. Where that path is longer than a socket
 * may have, it is `comrade-<16 hex digits of sha256(real path of the directory)>/api.sock` in the user's runtime folder:
 * $XDG_RUNTIME_DIR, else /run/user/<uid> where it exists, else the folder for temporary files.
 */
export function socketPath(directory: string, env: NodeJS.ProcessEnv = process.env): string {
  const inside = join(directory, 'api.sock')
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH_BYTES) return inside
  const name = createHash('sha256').update(realPath(directory)).digest('hex').slice(0, 16)
  const short = join(runtimeDirectory(env), `comrade-${name}`, 'api.sock')
  if (Buffer.byteLength(short) <= MAX_SOCKET_PATH_BYTES) return short
  return join('/tmp', `comrade-${name}`, 'api.sock')
}

/**
 * Makes a directory that only its owner can enter, or closes an existing one to others.
 * @throws NodeError KEYS_EXPOSED, BAD_INPUT (not a directory)
 */
export function makePrivateDirectory(path: string): void {
  makeDirectory(path, 0o700)
  if (!statSync(path).isDirectory())
    throw new NodeError('BAD_INPUT', `expected a directory at ${path}, found something else`)
  closeToOthers(
    path,
    0o700,
    () => statSync(path),
    (mode) => chmodSync(path, mode)
  )
}

/** A socket's own directory may stand where everybody can make names: somebody's link there is not followed. */
function makeSocketDirectory(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    throw new NodeError('KEYS_EXPOSED', `expected a directory of one's own at ${path}, found a link: remove it`)
  }
  makePrivateDirectory(path)
}

/**
 * Sees to it that nobody but the owner has access, mending the mode when it is wider.
 * @param mode the mode to set when it is wider
 * @throws NodeError KEYS_EXPOSED when the owner is somebody else, or the file system does not keep modes
 */
export function closeToOthers(path: string, mode: number, stat: () => Stats, chmod: (mode: number) => void): void {
  const uid = process.getuid?.()
  if (uid === undefined) return // no owners and modes on this system
  const { uid: owner, mode: before } = stat()
  if (owner !== uid) {
    throw new NodeError(
      'KEYS_EXPOSED',
      `${path} belongs to user ${owner}, and this is user ${uid}: run as its owner, or give it to this user (chown)`
    )
  }
  if ((before & 0o077) === 0) return
  chmod(mode)
  if ((stat().mode & 0o077) !== 0) {
    throw new NodeError(
      'KEYS_EXPOSED',
      `${path} is open to other users and the file system does not let it be closed: use another directory`
    )
  }
}

/** An existing directory, open to others, that has things in it but none of ours: closing it could harm somebody. */
function isForeign(directory: string): boolean {
  const stat = statSync(directory, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isDirectory() || (stat.mode & 0o077) === 0) return false
  const names = readdirSync(directory)
  return names.length > 0 && !names.some((name) => ['keys', 'config.json', 'feeds.sqlite'].includes(name))
}

function makeDirectory(path: string, mode: number): void {
  // Node's own recursive mkdir never ends where the file system refuses with ENOENT, as /proc does.
  const parent = dirname(path)
  if (!existsSync(parent) && parent !== path) makeDirectory(parent, 0o777)
  try {
    if (!existsSync(path)) mkdirSync(path, { mode })
    else if (!statSync(path).isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new NodeError('BAD_INPUT', `expected a directory at ${path}, found something else`, { cause: error })
    throw writeError(path, error)
  }
}

function runtimeDirectory(env: NodeJS.ProcessEnv): string {
  const xdg = nonEmpty(env.XDG_RUNTIME_DIR)
  if (xdg !== undefined && isAbsolute(xdg)) return xdg
  const common = `/run/user/${process.getuid?.() ?? ''}`
  return lstatSync(common, { throwIfNoEntry: false })?.isDirectory() === true ? common : tmpdir()
}

/** The real path, links resolved, of a directory that need not exist yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent), path.slice(parent.length)) // not there yet
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
