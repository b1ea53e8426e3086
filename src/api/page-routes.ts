// The page: a document, a script and a style, the same for everybody. What it shows it asks for by the routes of the API.
import type { Context, Hono } from 'hono'
import { readFile } from 'node:fs/promises'
import { NodeError } from '../node/comrade.ts'

/** Where the build puts the page: beside the folder of the chunk that holds this file. */
const PAGE = new URL('../web/', import.meta.url)

const TYPES = {
  'page.js': 'text/javascript; charset=utf-8',
  'qr-reader.js': 'text/javascript; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml'
} as const

/**
 * What the document may do: load its own script and style, ask the node, and nothing else. Nothing comes from elsewhere,
 * no text becomes HTML or a script, nobody frames it.
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join('; ')

/** What it may use of the machine: a camera, for QR codes, once the browser has asked the user. */
const PERMISSIONS =
  'camera=(self), microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), hid=(), midi=()'

/** For loopback HTTP only. There is nothing of the user in it, so that everybody who reaches the port may have it. */
export function pageRoutes(app: Hono): void {
  app.get('/', async (c) => {
    await read('page.js') // without it the document would be an empty page
    return file(c, 'index.html', 'text/html; charset=utf-8')
  })
  for (const [name, type] of Object.entries(TYPES)) app.get(`/web/${name}`, (c) => file(c, name, type))
}

async function file(c: Context, name: string, type: string): Promise<Response> {
  return c.body(await read(name), 200, {
    'content-type': type,
    'content-security-policy': PAGE_POLICY,
    'permissions-policy': PERMISSIONS
  })
}

/** @throws NodeError NOT_FOUND when the page was not built */
async function read(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return readFile(new URL(name, PAGE)).catch((cause: unknown) => {
    throw new NodeError('NOT_FOUND', 'the page is not built: start the node by ./comrade, or run npm run build', {
      cause
    })
  })
}
