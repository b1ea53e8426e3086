// Streams over one connection that ends at the worst moment.
import assert from 'node:assert/strict'
import type { Stream } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { streamMuxer } from '../../src/node/muxer.ts'

/** What reached the process because nobody caught it, while `work` and what it began went on. */
async function uncaughtIn(work: () => Promise<unknown>): Promise<unknown[]> {
  const uncaught: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => uncaught.push(error))
  try {
    await work()
    await new Promise((resolve) => setTimeout(resolve, 20))
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
  }
  return uncaught
}

/** Opens a stream on a connection that closes before the frame is sent that opens it at the other end. */
async function openOnClosing(muxer: typeof streamMuxer): Promise<Stream> {
  const [connection] = multiaddrConnectionPair()
  const opening = muxer({ enableKeepAlive: false })().createStreamMuxer(connection).createStream()
  void connection.close()
  return opening
}

describe('a stream on a connection that closes while it is opened', () => {
  it('ends, and not the process', async () => {
    let stream: Stream | undefined
    assert.deepEqual(await uncaughtIn(async () => (stream = await openOnClosing(streamMuxer))), [])
    assert.notEqual(stream?.status, 'open')
  })

  it('would end the process without the guard', async () => {
    const [error] = await uncaughtIn(() => openOnClosing(yamux))
    assert.equal((error as Error | undefined)?.name, 'StreamStateError')
  })
})
