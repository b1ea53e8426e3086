// A lint rule: each layer of src/ uses only the layers below it, and enters them by their door (index.ts). A layer of
// rules alone uses no package that could reach further than its arguments.
// It reads every import, export-from, import() and import type, so that types count as much as values.
import { dirname, relative, resolve, sep } from 'node:path'

/** From top to bottom; a layer may import what stands after it, as narrowed below. */
export const LAYERS = ['cli', 'web', 'api', 'node', 'messages', 'groups', 'trust', 'blobs', 'feeds'] as const

/** Layers that may not use all that is below them. */
const NARROWED: Partial<Record<string, readonly string[]>> = {
  cli: ['api'], // talks to a running node; loading libp2p would cost every command half a second
  web: ['api'] // runs in a browser
}

/** Imports that the rules above would refuse, each with its reason. `from` and `to` are beginnings of paths in src/. */
const EXCEPTIONS: readonly { from: string; to: string; only?: 'import()' | 'type'; reason: string }[] = [
  { from: 'cli/', to: 'api/client.ts', reason: 'the door of api also loads the server' },
  { from: 'cli/', to: 'api/shapes.ts', reason: 'the door of api also loads the server' },
  { from: 'cli/', to: 'api/group-shapes.ts', only: 'type', reason: 'the door of api also loads the server' },
  { from: 'cli/', to: 'api/message-shapes.ts', only: 'type', reason: 'the door of api also loads the server' },
  { from: 'cli/', to: 'api/conversation-shapes.ts', only: 'type', reason: 'the door of api also loads the server' },
  { from: 'cli/', to: 'api/progress.ts', only: 'type', reason: 'the door of api also loads the server' },
  {
    from: 'cli/',
    to: 'node/index.ts',
    only: 'import()',
    reason: 'runs a node in its own process: `up`, `device join`, `restore`'
  },
  {
    from: 'cli/',
    to: 'api/index.ts',
    only: 'import()',
    reason: '`up` serves the local API, which no other verb loads'
  },
  { from: 'cli/', to: 'node/comrade.ts', reason: 'the contract: types and the error codes, without libp2p' },
  { from: 'cli/', to: 'node/home.ts', reason: 'the data directory, also where no node runs; without libp2p' },
  { from: 'cli/', to: 'node/lock.ts', reason: 'the data directory, also where no node runs; without libp2p' },
  { from: 'cli/', to: 'node/config.ts', reason: 'the data directory, also where no node runs; without libp2p' },
  { from: 'cli/', to: 'node/keystore.ts', reason: 'the data directory, also where no node runs; without libp2p' },
  { from: 'cli/', to: 'node/version.ts', reason: 'a number, without libp2p' },
  { from: 'api/', to: 'node/comrade.ts', reason: 'the contract: types and the error codes, without libp2p' },
  {
    from: 'api/',
    to: 'node/durable-file.ts',
    reason: 'files that a power cut leaves whole are written by the same code'
  },
  ...['errors', 'ring-signature', 'ristretto'].map((file) => ({
    from: 'node/groups/proof-worker.ts',
    to: `groups/${file}.ts`,
    reason: 'a thread that loads the ring signatures alone: the door of groups also loads feeds and trust'
  })),
  ...['libsignal', 'prekey-maker', 'prekeys'].map((file) => ({
    from: 'node/messages/prekey-worker.ts',
    to: `messages/${file}.ts`,
    reason: 'a process that loads libsignal alone: the door of messages also loads feeds and trust'
  })),
  {
    from: 'messages/sentences.ts',
    to: 'feeds/sentence.ts',
    reason: 'a process that loads libsignal alone says why it cannot: the door of feeds also loads the store'
  },
  { from: 'cli/', to: 'trust/names.ts', reason: 'names are escaped for a terminal by the same code everywhere' },
  { from: 'web/', to: 'trust/names.ts', reason: 'and for the page' },
  { from: 'cli/', to: 'trust/mentions.ts', reason: 'people are found in a text by the same code everywhere' },
  { from: 'web/', to: 'trust/mentions.ts', reason: 'and in the page' },
  { from: 'web/', to: 'blobs/plain-picture.ts', reason: 'what pictures hide is taken out by the same code everywhere' },
  ...['shapes', 'conversation-shapes', 'group-shapes', 'message-shapes'].map((file) => ({
    from: 'web/',
    to: `api/${file}.ts`,
    only: 'type' as const,
    reason: 'what answers look like; the door of api also loads the server'
  }))
]

/** Layers of rules alone, and the packages that they may use: what reaches a disk, a network or a clock is not there. */
const PURE: Partial<Record<string, readonly string[]>> = {
  groups: ['node:crypto', 'valibot', 'libsodium-wrappers-sumo']
}

interface Import {
  from: string
  to: string
  form: 'import' | 'import()' | 'type'
}

/**
 * Says what is wrong with an import between two files, or nothing when it is allowed.
 * @param edge both paths relative to the repository's root, with `/`
 */
export function forbidden({ from, to, form }: Import): string | undefined {
  if (from.startsWith('examples/')) {
    return to.startsWith('src/') && to !== 'src/index.ts'
      ? 'an example imports what an embedder imports: src/index.ts'
      : undefined
  }
  if (!from.startsWith('src/')) return undefined
  if (to === 'package.json') return undefined // the version
  if (!to.startsWith('src/')) return `src/ imports nothing of ${to.split('/')[0]}/`
  return isException(from.slice(4), to.slice(4), form) ? undefined : crossing(from.slice(4), to.slice(4))
}

/** Says what is wrong with a package that a file imports, or nothing when it is allowed. */
export function impure(from: string, specifier: string): string | undefined {
  const layer = from.startsWith('src/') ? layerOf(from.slice(4)) : undefined
  const allowed = layer === undefined ? undefined : PURE[layer]
  if (allowed === undefined || allowed.includes(specifier)) return undefined
  return `${layer} is pure: of packages it may use ${allowed.join(', ')}`
}

function crossing(from: string, to: string): string | undefined {
  const [source, target] = [layerOf(from), layerOf(to)]
  if (source === target) return undefined
  if (target === undefined) return `${to} is what embedders import: inside src/ import from the layer itself`
  if (source !== undefined && !mayUse(source, target))
    return `${source} must not use ${target}: see the layers in scripts/layers.ts`
  return to === `${target}/index.ts` ? undefined : `enter ${target} by its door, ${target}/index.ts`
}

function isException(from: string, to: string, form: Import['form']): boolean {
  return EXCEPTIONS.some(
    (exception) => from.startsWith(exception.from) && to === exception.to && (exception.only ?? form) === form
  )
}

/** The layer that a path in src/ belongs to; undefined for src/index.ts. */
function layerOf(path: string): string | undefined {
  return path.includes('/') ? path.split('/')[0] : undefined
}

function mayUse(source: string, target: string): boolean {
  const below: readonly string[] = NARROWED[source] ?? LAYERS.slice(LAYERS.findIndex((layer) => layer === source) + 1)
  return below.includes(target)
}

/** The parts of an ESLint-compatible tree and context that this rule reads. */
interface Node {
  source?: { value?: unknown } | null
  importKind?: string
  exportKind?: string
}
interface Context {
  cwd: string
  filename: string
  report(problem: { message: string; node: Node }): void
}

function create(context: Context): Record<string, (node: Node) => void> {
  const check = (form: Import['form']) => (node: Node) => {
    const specifier = node.source?.value
    if (typeof specifier !== 'string') return
    const isType = node.importKind === 'type' || node.exportKind === 'type'
    const path = (file: string): string => relative(context.cwd, file).split(sep).join('/')
    const from = path(context.filename)
    const target = (): string => path(resolve(dirname(context.filename), specifier))
    const message = specifier.startsWith('.')
      ? forbidden({ from, to: target(), form: isType ? 'type' : form })
      : impure(from, specifier)
    if (message !== undefined) context.report({ message, node })
  }
  return {
    ImportDeclaration: check('import'),
    ExportNamedDeclaration: check('import'),
    ExportAllDeclaration: check('import'),
    ImportExpression: check('import()'),
    TSImportType: check('type')
  }
}

export default { meta: { name: 'comrade' }, rules: { layers: { create } } }
