// The page behind the address that `comrade open` prints. It trades the code in the address's fragment, which no browser
// sends to anybody, for the session's cookie, and goes on to the page at `/`; so does an old address, in a browser that was
// let in before. Where no page was built, it says how the node does. There is nothing of the user in it, so everybody may
// have it.
import { createHash } from 'node:crypto'

/** What somebody may meet before the page is there, which has a catalogue of its own. By the codes of errors. */
const GERMAN = {
  EXPIRED: 'Diese Adresse gilt nicht mehr. Eine neue gibt es im Terminal auf demselben Gerät mit: comrade open',
  USED: 'Diese Adresse wurde schon benutzt. Wer sie benutzt hat, ist jetzt ausgesperrt. Eine neue gibt es mit: comrade open'
}

/** Run in the browser. What the node says is set as text, never as HTML. */
export const OPEN_SCRIPT = `
const german = navigator.language.startsWith('de') ? ${JSON.stringify(GERMAN)} : {}
const state = document.getElementById('state')
const say = (text, lang = 'en') => Object.assign(state, { textContent: text, lang })
const ask = async (path, options) => {
  const response = await fetch(path, options)
  const answer = await response.json()
  if (!response.ok) throw Object.assign(new Error(answer.error.message), answer.error)
  return answer
}
const code = location.hash.slice(1)
history.replaceState(null, '', '/open')
const open = async () => {
  if (code !== '') {
    const headers = { 'content-type': 'application/json' }
    await ask('/api/session', { method: 'POST', headers, body: JSON.stringify({ code }) }).catch(async (error) => {
      if (error.code !== 'EXPIRED' || !(await fetch('/api/status')).ok) throw error
    })
  }
  if ((await fetch('/')).ok) return location.replace('/')
  const { did, peers } = await ask('/api/status')
  say('This browser may use the node of ' + did + ', which has ' + peers + ' connections.')
}
open().catch(({ code, message }) => (german[code] ? say(german[code], 'de') : say(message)))
`

const STYLE =
  'body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; overflow-wrap: anywhere } :root { color-scheme: light dark }'

export const OPEN_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Comrade</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Comrade</h1>
<p id="state" role="status">Asking the node…</p>
<noscript><p>This page needs JavaScript: by it the code in the address becomes a session.</p></noscript>
</main>
<script type="module">${OPEN_SCRIPT}</script>
</body>
</html>
`

/** Allows this page's own script and style, by their hashes, and requests to where it came from. Nothing else. */
export const OPEN_POLICY = [
  "default-src 'none'",
  `script-src '${hashOf(OPEN_SCRIPT)}'`,
  `style-src '${hashOf(STYLE)}'`,
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'"
].join('; ')

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
