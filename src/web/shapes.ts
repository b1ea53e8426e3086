// What the node's answers look like: the types of the API itself.
export type {
  CheckName,
  CheckShape,
  ContactShape,
  EntryShape,
  ErrorCode,
  ErrorShape,
  FileProgressShape,
  FileShape,
  InviteShape,
  MeetingShape,
  MissingShape,
  MentionShape,
  PeerShape,
  ProfileShape,
  RequestShape,
  Sentence,
  SentenceCode,
  SentenceValue,
  SettingShape,
  SpaceShape,
  StatusShape,
  SyncShape,
  ThreadEntryShape,
  UploadShape,
  WarningShape
} from '../api/shapes.ts'
export type { CandidateShape, GroupShape, MemberShape, MotionShape, StandingShape } from '../api/group-shapes.ts'
export type { MessageShape } from '../api/message-shapes.ts'
export type { ConversationShape } from '../api/conversation-shapes.ts'
