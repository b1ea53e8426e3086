// Text from stdin, for verbs that take `-` in place of it.
import { NodeError } from '../node/comrade.ts'

/**
 * All of stdin as text, without the newline at its end.
 * @param maxSize in bytes of UTF-8
 * @throws NodeError BAD_INPUT when it is larger, or not UTF-8
 */
export async function readStdin(signal: AbortSignal, maxSize: number, what: string): Promise<string> {
  const tooLarge = (): NodeError =>
    new NodeError('BAD_INPUT', `stdin has more than ${maxSize} bytes, the most that ${what} can hold`)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin.iterator({ destroyOnReturn: true }) as AsyncIterable<Buffer>) {
    signal.throwIfAborted()
    size += chunk.length
    if (size > maxSize + 1) throw tooLarge()
    chunks.push(chunk)
  }
  const text = decode(Buffer.concat(chunks), what).replace(/\r?\n$/, '')
  if (Buffer.byteLength(text) > maxSize) throw tooLarge()
  return text
}

function decode(bytes: Uint8Array, what: string): string {
  if (bytes.includes(0)) throw new NodeError('BAD_INPUT', `stdin is binary: ${what} is text in UTF-8`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new NodeError('BAD_INPUT', `stdin is not UTF-8: ${what} is text in UTF-8`, { cause })
  }
}
