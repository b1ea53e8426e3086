// All that the node can say: the codes of all tables. Types alone.
import type { PAUSE_SENTENCES } from '../feeds/index.ts'
import type { INVALIDITY_SENTENCES, STANDING_SENTENCES } from '../groups/index.ts'
import type { LIBSIGNAL_ADVICE, LIBSIGNAL_SENTENCES } from '../messages/index.ts'
import type { REFUSAL_SENTENCES } from './refusal-sentences.ts'
import type {
  ADVICE_SENTENCES,
  CHECK_SENTENCES,
  DEVICE_SENTENCES,
  DIAL_SENTENCES,
  GROUP_SENTENCES,
  WARNING_SENTENCES
} from './sentences.ts'

export type SentenceCode =
  | keyof typeof PAUSE_SENTENCES
  | keyof typeof DEVICE_SENTENCES
  | keyof typeof CHECK_SENTENCES
  | keyof typeof DIAL_SENTENCES
  | keyof typeof ADVICE_SENTENCES
  | keyof typeof WARNING_SENTENCES
  | keyof typeof GROUP_SENTENCES
  | keyof typeof STANDING_SENTENCES
  | keyof typeof INVALIDITY_SENTENCES
  | keyof typeof LIBSIGNAL_SENTENCES
  | keyof typeof LIBSIGNAL_ADVICE
  | keyof typeof REFUSAL_SENTENCES
