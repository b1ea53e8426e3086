// What the node's answers look like: the types of the API itself.
export type {
  CheckShape,
  ContactShape,
  EntryShape,
  InviteShape,
  MeetingShape,
  MentionShape,
  PeerShape,
  ProfileShape,
  RequestShape,
  StatusShape,
  SyncShape,
  WarningShape
} from '../api/shapes.ts'
export type { CandidateShape, GroupShape, MemberShape, MotionShape, StandingShape } from '../api/group-shapes.ts'
export type { MessageShape } from '../api/message-shapes.ts'
export type { ConversationShape } from '../api/conversation-shapes.ts'

/** As `GET /api/store` gives it. */
export interface SpaceShape {
  store: 'all' | 'groups' | 'own' | 'none'
  quota: number
  used: number
  distances: { distance: 0 | 1 | 2; feeds: number; bytes: number; quota?: number }[]
  groups: { feeds: number; bytes: number; quota?: number }
  unwanted: number
}
