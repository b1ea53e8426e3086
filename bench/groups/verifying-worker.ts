// The worker thread of ring-signature.ts: loads libsodium for itself, and verifies what it is sent.
import { parentPort } from 'node:worker_threads'
import { ready, verify, type SignedStatement } from '../../src/groups/index.ts'

/** What it answers. */
export interface Answer {
  isValid: boolean
  /** Time that loading libsodium took here. */
  loadMs: number
}

const start = performance.now()
await ready()
const loadMs = performance.now() - start

parentPort?.on('message', (statement: SignedStatement) => {
  parentPort?.postMessage({ isValid: verify(statement), loadMs } satisfies Answer)
})
