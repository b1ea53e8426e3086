// The door of the local API. The command line's client is imported by itself: it must not load the server.
export { serveApi, type Api, type ApiInit } from './server.ts'
export { eventLines, type EventLine } from './lines.ts'
