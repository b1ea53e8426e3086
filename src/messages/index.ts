// The door of the messages layer: sessions, contents and cells of private messages. It knows devices' addresses and
// bytes; who is at the other end of a connection is for the node to say.
export { MAX_BUNDLE_SIZE } from './bundle.ts'
export { CellKeys } from './cell-keys.ts'
export { CELL_SIZE, type Piece, readPiece, type Sealed, toCells, TRANSFER_SIZE } from './cell.ts'
export {
  type AttachmentContent,
  type Content,
  type ContentChanges,
  type ConversationContent,
  decodeContent,
  encodeContent,
  known,
  type KnownContent,
  lifetimeOf,
  MAX_FILE_NAME_SIZE,
  MAX_RECEIPT_IDS,
  MAX_STATES,
  MAX_TEXT_SIZE,
  MESSAGE_ID_SIZE,
  newContent,
  type SentState,
  type TextContent
} from './content.ts'
export { ConversationBook, isConversationId } from './conversation-book.ts'
export {
  changesOf,
  CONVERSATION_ID_SIZE,
  type ConversationChanges,
  type ConversationState,
  EMPTY_STATE,
  fromFields,
  MAX_CONVERSATION_NAME_SIZE,
  MAX_MEMBERS,
  MAX_TIMER_MS,
  membersOf,
  merge,
  receive,
  shownTo,
  standingOf,
  type StateFields,
  toFields,
  viewOf,
  withMember,
  withName,
  withoutMember,
  withTimer
} from './conversation-state.ts'
export { Conversations, type StoredMessage } from './conversations.ts'
export { type DeviceAddress, deviceAddress } from './device-address.ts'
export { MessageError, type MessageErrorCode } from './errors.ts'
export { isLibsignalLoaded, type Libsignal, libsignalUnavailable, loadLibsignal } from './libsignal.ts'
export type { Unavailable } from './libsignal-build.ts'
export { LIBSIGNAL_ADVICE, LIBSIGNAL_SENTENCES } from './sentences.ts'
export { MailboxBook, type OwnQueue } from './mailbox-book.ts'
export { MailboxCaller } from './mailbox-caller.ts'
export { type MailboxContact, MailboxContacts } from './mailbox-contacts.ts'
export {
  decodeDescriptor,
  encodeDescriptor,
  type MailboxDescriptor,
  type MailboxPlace,
  MAX_DESCRIPTOR_SIZE,
  MAX_MAILBOX_HOSTS
} from './mailbox-descriptor.ts'
export { MAILBOX_FRAME_SIZE } from './mailbox-frame.ts'
export { MailboxHost } from './mailbox-host.ts'
export { type MailboxKey, mailboxKey } from './mailbox-key.ts'
export {
  type MailboxLimits,
  MailboxQueues,
  MAX_QUEUE_CELLS,
  MAX_QUEUES_PER_FRIEND,
  type NumberedCell
} from './mailbox-queues.ts'
export type { MessageState } from './message-state.ts'
export { Outbox, type Outgoing } from './outbox.ts'
export { OwnCopies, type UntoldMessage } from './own-copies.ts'
export { cellsFor, pad, unpad } from './padding.ts'
export { makePrekeys, type PrekeyOrder } from './prekey-maker.ts'
export { PrekeyStock } from './prekey-stock.ts'
export { BUNDLE_LIFE_MS, type MadePrekey, MAX_ONE_TIME, PREKEY_LIFE_MS } from './prekeys.ts'
export { type Reassembled, Reassembly } from './reassembly.ts'
export type { Recipient, RecipientState } from './recipients.ts'
export { MESSAGE_MIGRATIONS } from './schema.ts'
export {
  BROKEN_INTERVAL_MS,
  FAILURES_UNTIL_GIVEN_UP,
  GIVE_UP_INTERVAL_MS,
  MAX_SEALED_SIZE,
  type SessionEvents,
  Sessions,
  type SessionsOptions
} from './sessions.ts'
export { hasSession, noteIdentity } from './session-table.ts'
export { brokenDevices, refusedDevices } from './session-troubles.ts'
export { Transfers } from './transfers.ts'
export type { Vault } from './vault.ts'
export { Wiping } from './wiping.ts'
