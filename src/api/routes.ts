// The API's routes: one a verb of the command line. Reading is GET with a query, changing is POST with JSON.
import { Hono } from 'hono'
import type { Comrade, FeedItem, ReadOptions } from '../node/comrade.ts'
import { NodeError } from '../node/comrade.ts'
import { bodyLimit } from './body-limit.ts'
import { dagJson } from './dag-json.ts'
import { fileResponse, isDrawn } from './file-response.ts'
import { fileAt, fileRoutes, uploadedFile } from './file-routes.ts'
import { groupRoutes } from './group-routes.ts'
import { MAX_REQUEST_SIZE, MAX_STRANGER_SIZE, MAX_UPLOAD_SIZE } from './guard.ts'
import type { EventLog } from './event-log.ts'
import { conversationRoutes } from './conversation-routes.ts'
import { eventLines, ndjson, serverSentEvents } from './lines.ts'
import { messageRoutes } from './message-routes.ts'
import { pageRoutes } from './page-routes.ts'
import { progressLines } from './progress.ts'
import { requests } from './requests.ts'
import { file, get, post, stream } from './route.ts'
import { type BrowserAccess, openRoutes, sessionRoutes } from './session-routes.ts'
import {
  contactShape,
  entryShape,
  errorShape,
  peerShape,
  profileShape,
  requestShape,
  statusShape,
  threadEntryShape,
  type EntryShape,
  READABLE_TYPES
} from './shapes.ts'
import { statusOf } from './status.ts'

export interface RouteInit {
  comrade: Comrade
  /** Whether the caller came by the unix socket: only then may it name files of this machine. */
  isSocket: boolean
  /** Makes the node leave; resolves when it has. */
  onDown: () => Promise<void>
  /** Ends all streams when the API is closed. */
  closing: AbortSignal
  /** What happened last, for browsers. */
  log: EventLog
  /** Where browsers come in. @default they do not */
  browsers?: BrowserAccess
}

/** Most bytes of a body, where it is not {@link MAX_REQUEST_SIZE}; one of a file has its length, and is never collected. */
const MAX_SIZES: Readonly<Record<string, number>> = {
  '/api/session': MAX_STRANGER_SIZE,
  '/api/files': MAX_UPLOAD_SIZE
}

/** Builds the application that answers on one listener. It expects requests that the guard has let in. */
export function routes(init: RouteInit): Hono {
  const app = new Hono()
  app.use(bodyLimit((path) => MAX_SIZES[path] ?? MAX_REQUEST_SIZE))
  // A stream that is begun for its head alone would never be read, and so never end.
  app.use((c, next) => (c.req.method === 'HEAD' ? Promise.resolve(c.notFound()) : next()))
  nodeRoutes(app, init)
  feedRoutes(app, init)
  contactRoutes(app, init)
  deviceRoutes(app, init)
  meetingRoutes(app, init)
  groupRoutes(app, init.comrade)
  conversationRoutes(app, init.comrade)
  messageRoutes(app, init.comrade, { closing: init.closing, onSocket: () => checkSocket(init) })
  directoryRoutes(app, init)
  fileRoutes(app, init.comrade)
  archiveRoutes(app, init)
  openRoutes(app, init.browsers, init.isSocket)
  if (init.browsers !== undefined && !init.isSocket) sessionRoutes(app, init.comrade, init.browsers)
  recoveryRoutes(app, init)
  if (!init.isSocket) pageRoutes(app)
  app.notFound((c) =>
    c.json({ error: { code: 'NOT_FOUND', message: `there is no ${c.req.method} ${c.req.path}` } }, 404)
  )
  app.onError((error, c) => {
    const body = errorShape(error)
    return c.json(body, statusOf(body.error.code))
  })
  return app
}

function nodeRoutes(app: Hono, { comrade, onDown, closing, log }: RouteInit): void {
  get(app, 'status', requests.nothing, async () => statusShape(await comrade.status()))
  get(app, 'id', requests.nothing, async () => profileShape(await comrade.profile()))
  get(app, 'profile', requests.nothing, async () => profileShape(await comrade.profile()))
  post(app, 'profile', requests.profile, async (change) => profileShape(await comrade.profile(change)))
  get(app, 'peers', requests.nothing, async () => (await comrade.peers()).map(peerShape))
  get(app, 'store', requests.nothing, () => comrade.storeMode())
  post(app, 'store', requests.store, ({ store }) => comrade.storeMode(store))
  get(app, 'quota', requests.nothing, () => comrade.quota())
  post(app, 'quota', requests.quota, ({ quota }) => comrade.quota(quota))
  get(app, 'config', requests.nothing, () => comrade.settings())
  post(app, 'config', requests.config, ({ key, value }) => comrade.configure(key, value ?? undefined))
  get(app, 'doctor', requests.nothing, () => comrade.doctor())
  post(app, 'down', requests.nothing, async () => {
    await onDown()
    return { did: comrade.identity.did, stopped: true }
  })
  stream(app, 'events', requests.nothing, (_nothing, c) => {
    if (!(c.req.header('accept') ?? '').includes('text/event-stream'))
      return ndjson((gone) => events(comrade, AbortSignal.any([gone, closing])))
    return serverSentEvents((gone) => log.read(c.req.header('last-event-id'), gone))
  })
}

function feedRoutes(app: Hono, init: RouteInit): void {
  const { comrade, closing } = init
  const { feeds } = comrade
  get(app, 'show', requests.entry, ({ id }) => shown(comrade, id))
  get(app, 'thread', requests.thread, async ({ id, waitMs }) =>
    (await feeds.thread(id, { waitMs })).map(threadEntryShape)
  )
  post(app, 'erase', requests.entry, ({ id }) => feeds.erase(id))
  post(app, 'react', requests.react, ({ id, emoji }) => feeds.react(id, emoji))
  post(
    app,
    'post',
    requests.post,
    async ({ text, reply, tags, mentions, expiresInMs, to, attach = [], alts = [], plain, files = [] }) => {
      if (attach.length > 0) checkSocket(init)
      const attached = [...attach.map((path, i) => fileAt(path, { alt: alts[i], plain })), ...files.map(uploadedFile)]
      if (text === undefined && attached.length === 0) throw new NodeError('BAD_INPUT', 'text is missing')
      const body: { type: 'post'; text: string; [key: string]: unknown } = { type: 'post', text: text ?? '' }
      if (reply !== undefined) Object.assign(body, await thread(comrade, reply))
      if (tags !== undefined && tags.length > 0) body.tags = tags
      if (mentions !== undefined && mentions.length > 0) body.mentions = mentions
      if (expiresInMs !== undefined) body.expires = Date.now() + expiresInMs
      return feeds.publish(body, { group: to, files: attached })
    }
  )
  post(app, 'save', requests.saveEntry, ({ id, file }) => {
    checkSocket(init)
    return feeds.save(id, file)
  })
  file(app, 'file', requests.entryFile, ({ id, index = 0 }, c) =>
    fileResponse(
      async (signal) => (await feeds.attachments(id, { signal, index, isUnasked: isDrawn(c) }))[0],
      AbortSignal.any([c.req.raw.signal, closing])
    )
  )
  stream(app, 'save', requests.fetchEntry, ({ id, index }) =>
    ndjson((gone) => {
      const signal = AbortSignal.any([gone, closing])
      return progressLines(id, (onProgress) => feeds.attachments(id, { signal, index, onProgress }))
    })
  )
  stream(app, 'feed', requests.feed, async ({ who, in: name, mentions: whom, follow, all, ...rest }) => {
    // Found before the stream begins, so that an unknown name is a plain error.
    const author = who === undefined ? undefined : (await comrade.contacts.find(who)).did
    const mentions = whom === undefined ? undefined : (await comrade.contacts.find(whom)).did
    const group = name === undefined ? undefined : (await comrade.groups.get(name)).id
    return ndjson((gone) =>
      readFeed(
        comrade,
        { ...rest, author, group, mentions, live: follow ?? false, types: all ? undefined : READABLE_TYPES },
        gone,
        closing
      )
    )
  })
}

function contactRoutes(app: Hono, { comrade: { contacts } }: RouteInit): void {
  get(app, 'contacts', requests.nothing, async () => (await contacts.list()).map(contactShape))
  post(app, 'follow', requests.person, async ({ who }) => contactShape(await contacts.follow(who)))
  post(app, 'unfollow', requests.person, async ({ who }) => contactShape(await contacts.unfollow(who)))
  post(app, 'block', requests.person, async ({ who }) => contactShape(await contacts.block(who)))
  post(app, 'unblock', requests.person, async ({ who }) => contactShape(await contacts.unblock(who)))
  post(app, 'name', requests.name, async ({ who, petname }) => contactShape(await contacts.name(who, petname)))
}

function meetingRoutes(app: Hono, { comrade: { contacts } }: RouteInit): void {
  post(app, 'meet', requests.meet, ({ with: linkOrDid, name }) => contacts.meet(linkOrDid, { name }))
  post(app, 'meet/look', requests.look, async ({ with: linkOrDid }) => contactShape(await contacts.look(linkOrDid)))
  post(app, 'meet/invite', requests.invite, (options) => contacts.invite(options))
  get(app, 'meet/requests', requests.nothing, async () => (await contacts.requests()).map(requestShape))
  post(app, 'meet/accept', requests.accept, ({ who, name }) => contacts.accept(who, { name }))
  post(app, 'meet/decline', requests.person, ({ who }) => contacts.decline(who))
  post(app, 'meet/introduce', requests.introduce, async ({ one, other }) => {
    const people = [await contacts.find(one), await contacts.find(other)]
    await contacts.introduce(one, other)
    return { introduced: people.map(({ did }) => did) }
  })
}

function directoryRoutes(app: Hono, { comrade }: RouteInit): void {
  get(app, 'resolve', requests.person, async ({ who }) => {
    const { did } = await comrade.contacts.find(who)
    return comrade.directory.resolve(did)
  })
}

function deviceRoutes(app: Hono, { comrade: { devices } }: RouteInit): void {
  get(app, 'device/list', requests.nothing, () => devices.list())
  post(app, 'device/invite', requests.nothing, () => devices.invite())
  post(app, 'device/revoke', requests.device, ({ device }) => devices.revoke(device))
}

/** The phrase is there until the user has it; where it is kept, also in later runs than the one that made the identity. */
function recoveryRoutes(app: Hono, { comrade }: RouteInit): void {
  get(app, 'recovery', requests.nothing, () => ({ phrase: comrade.recoveryPhrase ?? null }))
  post(app, 'recovery/confirm', requests.nothing, () => {
    comrade.forgetRecoveryPhrase()
    return { phrase: null }
  })
}

/** Reading and writing files as the node's user is for callers who already are that user. */
function archiveRoutes(app: Hono, init: RouteInit): void {
  const { comrade } = init
  post(app, 'export', requests.export, ({ file, who }) => {
    checkSocket(init)
    return comrade.exportTo(file, who)
  })
  post(app, 'import', requests.import, ({ file }) => {
    checkSocket(init)
    return comrade.importFrom(file)
  })
}

/** @throws NodeError NOT_OWN */
function checkSocket({ isSocket }: RouteInit): void {
  if (!isSocket) throw new NodeError('NOT_OWN', 'files are read and written only by the unix socket, not over HTTP')
}

/** The entry with its whole body, which is null when it was erased. */
async function shown(comrade: Comrade, id: string): Promise<EntryShape & { body: unknown }> {
  const item = await stored(comrade, id)
  return { ...entryShape(item), body: item.body === undefined ? null : dagJson(item.body) }
}

async function stored(comrade: Comrade, id: string): Promise<FeedItem> {
  const item = await comrade.feeds.get(id)
  if (item === undefined) throw new NodeError('NOT_FOUND', `no entry ${id} is stored here`)
  return item
}

/** What makes a post a reply: the entry that it answers, and the one that began the thread. */
async function thread(comrade: Comrade, reply: string): Promise<{ reply: string; root: string }> {
  const { root } = await stored(comrade, reply)
  return { reply, root: root ?? reply }
}

async function* events(comrade: Comrade, signal: AbortSignal): AsyncGenerator {
  const lines = eventLines(comrade, signal)
  yield { event: 'open', ...comrade.identity }
  yield* lines
}

async function* readFeed(
  comrade: Comrade,
  options: ReadOptions,
  gone: AbortSignal,
  closing: AbortSignal
): AsyncGenerator {
  const signal = AbortSignal.any([gone, closing])
  try {
    for await (const item of comrade.feeds.read({ ...options, signal })) yield entryShape(item)
  } catch (error) {
    if (!signal.aborted) throw error
  }
  if (closing.aborted && options.live) throw new NodeError('NOT_RUNNING', 'the node has left')
}
