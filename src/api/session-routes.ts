// The routes by which a browser comes to use the API: `comrade open` makes an address, its page trades it for a cookie.
import type { Hono } from 'hono'
import { type Comrade, NodeError } from '../node/comrade.ts'
import { cookieName, sessionSecrets } from './guard.ts'
import { OPEN_PAGE, OPEN_POLICY } from './open-page.ts'
import { requests } from './requests.ts'
import { post } from './route.ts'
import type { Sessions } from './sessions.ts'

/** How long a browser keeps the cookie, in seconds: as long as browsers do. The node decides earlier. */
const COOKIE_MAX_AGE_S = 400 * 86_400

/** Loopback HTTP as the routes see it. */
export interface BrowserAccess {
  readonly sessions: Sessions
  /** Port that is listened on. */
  readonly port: number | undefined
  /**
   * Sees to it that loopback HTTP is served.
   * @param expiresInMs how long the address is good @default 60 s
   * @returns a one-time address, and when it ends to be good (ISO 8601)
   */
  open(expiresInMs?: number): Promise<{ url: string; expires: string }>
  /** Ends all sessions, and with them what was only served for them. */
  end(): { ended: number }
}

/** For both listeners. Addresses are given to who already is the node's user: pages cannot make sessions for others. */
export function openRoutes(app: Hono, browsers: BrowserAccess | undefined, isSocket: boolean): void {
  post(app, 'open', requests.open, ({ expiresInMs }) => {
    if (!isSocket)
      throw new NodeError('NOT_OWN', 'addresses for browsers are made only by the unix socket, not over HTTP')
    if (browsers === undefined) throw new NodeError('FAILED', 'this node does not serve its API to browsers')
    return browsers.open(expiresInMs)
  })
  post(app, 'open/end', requests.nothing, () => browsers?.end() ?? { ended: 0 })
}

/** For loopback HTTP only. The guard lets everybody have the page, and own pages trade a code. */
export function sessionRoutes(app: Hono, { identity }: Comrade, browsers: BrowserAccess): void {
  app.get('/open', (c) => c.html(OPEN_PAGE, 200, { 'content-security-policy': OPEN_POLICY }))
  post(app, 'session', requests.code, ({ code }, c) => {
    const present = sessionSecrets(c.req.header('cookie'), browsers.port ?? 0)
    const secret = browsers.sessions.trade(code, present)
    c.header('set-cookie', `${cookie(browsers, secret)}; Max-Age=${COOKIE_MAX_AGE_S}`)
    return { did: identity.did, device: identity.device }
  })
  post(app, 'session/end', requests.nothing, (_nothing, c) => {
    for (const secret of sessionSecrets(c.req.header('cookie'), browsers.port ?? 0)) browsers.sessions.end(secret)
    c.header('set-cookie', `${cookie(browsers, '')}; Max-Age=0`)
    return { did: identity.did, device: identity.device }
  })
}

/** Scripts do not see it, other sites' pages do not send it, and other paths do not get it. */
function cookie({ port }: BrowserAccess, secret: string): string {
  return `${cookieName(port ?? 0)}=${secret}; Path=/api; HttpOnly; SameSite=Strict`
}
