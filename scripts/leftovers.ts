// Mocha's root hooks, which run before and after each file: what a file leaves open is a fault of that file. A socket or a
// child process that was forgotten would keep a program from ending that does the same.
import assert from 'node:assert/strict'

/** How long what was closed may take to be gone. */
const LINGER_LIMIT_MS = 5_000

/** What the process held before its first file. */
let before: Map<string, number> | undefined

export const mochaHooks = {
  beforeAll(): void {
    before ??= held()
  },

  async afterAll(this: Mocha.Context): Promise<void> {
    const end = performance.now() + LINGER_LIMIT_MS
    while (leftovers().length > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50))
    const file = this.test?.parent?.suites[0]?.file
    assert.deepEqual(leftovers(), [], `what ${file} left open is still there ${LINGER_LIMIT_MS / 1000} s after its end`)
  }
}

function held(): Map<string, number> {
  const counts = new Map<string, number>()
  // Timers are left out: what Node keeps for a moment after a request cannot be told from one that was forgotten.
  for (const kind of process.getActiveResourcesInfo().filter((each) => each !== 'Timeout' && each !== 'Immediate'))
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

function leftovers(): string[] {
  return [...held()].flatMap(([kind, count]) => Array<string>(Math.max(0, count - (before?.get(kind) ?? 0))).fill(kind))
}
