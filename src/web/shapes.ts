// What the node's answers look like: the types of the API itself.
export type { EntryShape, ContactShape, PeerShape, ProfileShape, RequestShape, WarningShape } from '../api/shapes.ts'
export type { CandidateShape, GroupShape, MemberShape, MotionShape, StandingShape } from '../api/group-shapes.ts'
export type { MessageShape } from '../api/message-shapes.ts'
export type { ConversationShape } from '../api/conversation-shapes.ts'

/** As `GET /api/status` gives it. */
export interface StatusShape {
  did: string
  device: string
  addresses: string[]
  peers: number
  feeds: number
  entries: number
  bytes: number
  uptimeMs: number
  version: string
  messages: { available: boolean; reason?: string }
  paused?: string
}

/** As `GET /api/store` gives it. */
export interface SpaceShape {
  store: 'all' | 'groups' | 'own' | 'none'
  quota: number
  used: number
  distances: { distance: 0 | 1 | 2; feeds: number; bytes: number; quota?: number }[]
  groups: { feeds: number; bytes: number; quota?: number }
  unwanted: number
}

export interface CheckShape {
  check: string
  ok: boolean
  detail: string
  todo?: string
}

export interface MeetingShape {
  did: string
  name: string
  state: 'met' | 'requested' | 'declined'
}

export interface InviteShape {
  link: string
  expires: string
}
