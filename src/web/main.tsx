// The page begins: the node is asked who it is, and its events are listened to. Whether this browser may ask was settled
// before, at the address that `comrade open` made.
import { render } from 'preact'
import { ApiError } from './api.ts'
import { keepFromLeaving } from './parts/attach.tsx'
import { applyTheme } from './state/choices.ts'
import { watchFiles } from './state/files.ts'
import { watchGroups } from './state/groups.ts'
import { connection, listenForEvents, onEvent } from './state/live.ts'
import { loadMe } from './state/me.ts'
import { watchMessages } from './state/messages.ts'
import { watchNotices } from './state/notices.ts'
import { loadPeople, watchPeople } from './state/people.ts'
import { watchRoute } from './state/route.ts'
import { watchWarnings } from './state/warnings.ts'
import { Shell } from './views/shell.tsx'
import { applyLanguage } from './words/index.ts'
import { watchTime } from './words/quantities.ts'

async function begin(): Promise<void> {
  applyTheme()
  applyLanguage()
  render(<Shell />, document.getElementById('page')!)
  watchRoute()
  watchTime()
  keepFromLeaving()
  watchPeople()
  watchMessages()
  watchGroups()
  watchFiles()
  watchNotices()
  watchWarnings()
  onEvent('open', () => void loadMe().catch(() => {}))
  void listenForEvents()
  await Promise.all([loadMe(), loadPeople()]).catch((error: unknown) => {
    if (error instanceof ApiError && error.code === 'UNAUTHORIZED') connection.value = 'shut'
  })
}

void begin()
