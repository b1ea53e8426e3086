// All that an embedding developer imports.
export type { Body, Post, Profile as ProfileBody, Reaction } from './feeds/index.ts'
export { FeedError } from './feeds/index.ts'
export * from './node/index.ts'
