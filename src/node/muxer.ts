// Many streams on one connection: yamux, kept from ending the process. It opens a stream by a frame that it sends a moment later,
// in a microtask of its own; where the connection has closed in between, what is thrown there is caught by nobody.
import type { MultiaddrConnection, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { yamux, type YamuxMuxerInit } from '@libp2p/yamux'

/** Type of the frames that open and end streams, and say how much may be sent on one. */
const WINDOW_UPDATE = 1

/** What every frame goes through in yamux 8; no part of its types. */
interface FrameSender {
  sendFrame(header: { type: number; streamID: number }, data?: unknown): boolean
  streams: { streamId: number; abort(error: Error): void }[]
}

/** yamux whose streams end when their connection cannot be written to any more. @param init as yamux takes it */
export function streamMuxer(init?: YamuxMuxerInit): () => StreamMuxerFactory {
  return () => {
    const factory = yamux(init)()
    const create = factory.createStreamMuxer.bind(factory)
    return Object.assign(factory, {
      createStreamMuxer: (connection: MultiaddrConnection) => guarded(create(connection))
    })
  }
}

function guarded(muxer: StreamMuxer): StreamMuxer {
  const sender = muxer as unknown as FrameSender
  const send = sender.sendFrame.bind(sender)
  sender.sendFrame = (header, data) => {
    try {
      return send(header, data)
    } catch (error) {
      if (header.type !== WINDOW_UPDATE) throw error // whoever writes hears of it
      sender.streams.find(({ streamId }) => streamId === header.streamID)?.abort(error as Error)
      return false
    }
  }
  return muxer
}
