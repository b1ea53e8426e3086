// All verbs, in the order in which help lists them. A verb's file is loaded when it is called, not before.
import type { Verb } from './verb.ts'

export interface VerbEntry {
  summary: string
  load: () => Promise<{ verb: Verb }>
}

export const verbs: Readonly<Record<string, VerbEntry>> = {
  up: { summary: 'run the node of this home until it is told to leave', load: () => import('./verbs/up.ts') },
  down: { summary: 'make the running node leave, and wait until it has', load: () => import('./verbs/down.ts') },
  open: { summary: 'let a browser of this machine use the node', load: () => import('./verbs/open.ts') },
  status: { summary: 'show how the running node does', load: () => import('./verbs/status.ts') },
  id: { summary: 'show who you are', load: () => import('./verbs/id.ts') },
  profile: { summary: 'show or change what you say about yourself', load: () => import('./verbs/profile.ts') },
  post: { summary: 'write a post', load: () => import('./verbs/post.ts') },
  feed: { summary: 'read posts, newest first', load: () => import('./verbs/feed.ts') },
  show: { summary: 'show one entry', load: () => import('./verbs/show.ts') },
  save: { summary: 'write the files of a post, once they are here', load: () => import('./verbs/save.ts') },
  erase: { summary: 'ask all who hold an entry of yours to drop its text', load: () => import('./verbs/erase.ts') },
  react: { summary: 'answer an entry with an emoji', load: () => import('./verbs/react.ts') },
  peers: { summary: 'list the nodes that are connected now', load: () => import('./verbs/peers.ts') },
  meet: { summary: 'come to know somebody: by a link, by a did, by a friend', load: () => import('./verbs/meet.ts') },
  follow: { summary: 'fetch and keep what somebody writes', load: () => import('./verbs/follow.ts') },
  unfollow: { summary: 'stop following somebody', load: () => import('./verbs/unfollow.ts') },
  block: { summary: 'neither fetch, show nor serve what somebody writes', load: () => import('./verbs/block.ts') },
  unblock: { summary: 'take a block back', load: () => import('./verbs/unblock.ts') },
  contacts: { summary: 'list the people you know', load: () => import('./verbs/contacts.ts') },
  name: { summary: 'give somebody a name of your own', load: () => import('./verbs/name.ts') },
  message: { summary: 'write to somebody alone', load: () => import('./verbs/message.ts') },
  messages: { summary: 'read private messages, newest first', load: () => import('./verbs/messages.ts') },
  conversation: {
    summary: 'write with several people, and say when messages go away',
    load: () => import('./verbs/conversation.ts')
  },
  group: {
    summary: 'form a group, and decide in it who belongs to it',
    load: () => import('./verbs/group.ts')
  },
  resolve: { summary: 'find where the devices of somebody are', load: () => import('./verbs/resolve.ts') },
  device: {
    summary: 'list, add and end the devices of your identity',
    load: () => import('./verbs/device.ts')
  },
  restore: { summary: 'get your identity back from its recovery phrase', load: () => import('./verbs/restore.ts') },
  store: { summary: 'say whose data this node keeps', load: () => import('./verbs/store.ts') },
  quota: { summary: "limit the space for other people's data", load: () => import('./verbs/quota.ts') },
  export: { summary: 'write feeds to a file', load: () => import('./verbs/export.ts') },
  import: { summary: 'read feeds from a file', load: () => import('./verbs/import.ts') },
  doctor: { summary: 'look for what is wrong, and say what to do', load: () => import('./verbs/doctor.ts') },
  config: { summary: 'show or change settings', load: () => import('./verbs/config.ts') },
  completion: { summary: 'print a completion script for your shell', load: () => import('./verbs/completion.ts') }
}
