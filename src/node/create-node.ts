// createNode(): opens what a node has on the disk, or makes it on first use, and hands it to the node.
import { FeedStore } from '../feeds/index.ts'
import { generatePhrase } from '../trust/index.ts'
import { type Comrade, NodeError } from './comrade.ts'
import { type Home, homeAt, openHome } from './home.ts'
import { createKeys, hasKeys, isJoining, type Keys, openKeys } from './keystore.ts'
import { lockHome } from './lock.ts'
import { ComradeNode } from './node.ts'
import { deviceNameOf, type NodeOptions, settle } from './options.ts'

/**
 * Makes a node: opens (or, on first use, makes) the data directory, the identity and the store. It neither listens nor
 * dials before `start()`. Dispose of it, or call `stop()`, to let the directory go.
 * @throws NodeError HOME_IN_USE, LOCKED, KEYS_EXPOSED, BAD_INPUT; FeedError STORE_NEWER, DISK_FULL
 */
export async function createNode(options: NodeOptions = {}): Promise<Comrade> {
  deviceNameOf(options.deviceName) // before anything is made
  const settings = settle(options, (directory) => homeAt(directory).config)
  const home = openHome(settings.home)
  const lock = lockHome(home.lock)
  const undo = new DisposableStack()
  undo.use(lock)
  try {
    const { keys, phrase } = await takeKeys(home, options)
    const store = undo.adopt(FeedStore.open(home.store), (opened) => opened.close())
    const node = new ComradeNode({ options, settings, home, lock, keys, phrase, store })
    await node.open()
    undo.move()
    return node
  } catch (error) {
    undo.dispose()
    throw error
  }
}

async function takeKeys(
  home: Home,
  { passphrase, onRecoveryPhrase, keepsRecoveryPhrase }: NodeOptions
): Promise<{ keys: Keys; phrase?: string }> {
  if (hasKeys(home.keys)) return { keys: await openKeys(home.keys, { passphrase }) }
  if (isJoining(home.keys))
    throw new NodeError(
      'FAILED',
      `this home was about to join an identity: join again, or remove ${home.keys}.joining to begin an identity of its own`
    )
  const phrase = generatePhrase()
  await onRecoveryPhrase?.(phrase)
  return createKeys(home.keys, { passphrase, phrase, keepsPhrase: keepsRecoveryPhrase })
}
