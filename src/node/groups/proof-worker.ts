// A thread of its own, in which ring signatures are made and verified: one of a ring of 64 takes 50 ms, for which the
// node would answer nobody. It loads libsodium for itself, and of the groups nothing but the ring signatures.
import { parentPort } from 'node:worker_threads'
import { GroupError, type GroupErrorCode } from '../../groups/errors.ts'
import { prove, type ProofInput, type SignedStatement, verify } from '../../groups/ring-signature.ts'
import { ready } from '../../groups/ristretto.ts'

/** What it is asked, one thing at a time; it answers in turn. */
export type ProofQuestion = { verify: SignedStatement } | { prove: ProofInput }

/** Whether a proof holds, or one that was made; or why none could be. */
export type ProofAnswer = { isValid: boolean } | { proof: Uint8Array } | { code: GroupErrorCode; message: string }

await ready()
parentPort?.on('message', (question: ProofQuestion) => parentPort?.postMessage(answer(question)))

function answer(question: ProofQuestion): ProofAnswer {
  try {
    return 'verify' in question ? { isValid: verify(question.verify) } : { proof: prove(question.prove) }
  } catch (error) {
    if (!(error instanceof GroupError)) throw error
    return { code: error.code, message: error.message }
  }
}
