// Encrypts messages for one device until it is killed; each is told on stdout when it may be sent.
import { FeedStore } from '../../../src/feeds/index.ts'
import { Sessions } from '../../../src/messages/index.ts'
import { Vault } from '../../../src/node/vault.ts'

export interface MessageWriterArgument {
  /** Of the store. */
  path: string
  /** Of the vault, in hexadecimal. */
  seed: string
  /** This device's address, and the other's. */
  from: string
  to: string
  /** What the texts begin with. */
  word: string
}

const { path, seed, from, to, word } = JSON.parse(process.argv[2]) as MessageWriterArgument
const store = FeedStore.open(path)
const sessions = await Sessions.open({ store, vault: new Vault(Buffer.from(seed, 'hex')), address: from })
for (let i = 1; ; i++) {
  const { type, bytes } = await sessions.encrypt(to, Buffer.from(`${word} ${i}`))
  process.stdout.write(`${JSON.stringify({ text: `${word} ${i}`, type, bytes: Buffer.from(bytes).toString('hex') })}\n`)
}
