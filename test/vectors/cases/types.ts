// The body types that a node shows, and bodies that are valid but not shown.
import { CID } from 'multiformats/cid'
import { encode } from '@ipld/dag-cbor'
import { alice, bob, headerOf, SALT, sha256, TIME, valid, type Vector } from './build.ts'

const entry = CID.decode(Buffer.concat([Buffer.from([1, 0x55, 0x12, 32]), sha256(headerOf({}))]))
const blob = CID.decode(Buffer.concat([Buffer.from([1, 0x71, 0x12, 32]), sha256(Buffer.from('manifest'))]))
const did = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'

function type(rendered: boolean, name: string, body: { type: string; [key: string]: unknown }): Vector {
  return { ...valid(name, { body: encode({ salt: SALT, ...body }) }), rendered }
}

const consent = alice.sign(Buffer.from('consent'))

export const typeCases: Vector[] = [
  type(true, 'post', { type: 'post', text: 'Hello' }),
  type(true, 'post with everything', {
    type: 'post',
    text: 'Grüße 🙂',
    reply: entry,
    root: entry,
    mentions: [did],
    tags: ['hello', 'größe'],
    blobs: [blob],
    expires: TIME + 86_400_000
  }),
  type(true, 'post with a sealed file', {
    type: 'post',
    text: '',
    blobs: [blob],
    files: [{ name: 'a.txt', size: 3, key: sha256(Buffer.from('file')) }]
  }),
  type(true, 'post with a key that nobody knows', { type: 'post', text: '', later: { deep: [1, null] } }),
  type(true, 'profile', { type: 'profile', name: 'Alice', about: 'Gardens.' }),
  type(true, 'profile without anything', { type: 'profile' }),
  type(true, 'contact', { type: 'contact', contact: did, relation: 'friend', name: 'Bob' }),
  type(true, 'reaction', { type: 'reaction', to: entry, emoji: '🏳️‍🌈' }),
  type(true, 'erase', { type: 'erase', seq: [1, 7, 4_294_967_295] }),
  type(true, 'device/add', { type: 'device/add', device: bob.publicKey, name: 'Laptop', consent }),
  type(true, 'device/revoke', { type: 'device/revoke', device: bob.publicKey, last: 0 }),

  type(false, 'a type that nobody knows', { type: 'poll', question: 'Tea?' }),
  type(false, 'a type by the name of a property of every object', { type: 'constructor' }),
  type(false, 'post without text', { type: 'post' }),
  type(false, 'post whose text is a list', { type: 'post', text: ['Hello'] }),
  type(false, 'post with a reply that is text', { type: 'post', text: '', reply: entry.toString() }),
  type(false, 'post with an empty tag', { type: 'post', text: '', tags: [''] }),
  type(false, 'post with a tag of 65 characters', { type: 'post', text: '', tags: ['a'.repeat(65)] }),
  type(false, 'post with a mention that is no did:key', { type: 'post', text: '', mentions: ['did:web:example.org'] }),
  type(false, 'post with a file whose key is short', {
    type: 'post',
    text: '',
    blobs: [blob],
    files: [{ name: 'a.txt', size: 3, key: sha256(Buffer.from('file')).subarray(1) }]
  }),
  type(false, 'post that expires before 1970', { type: 'post', text: '', expires: -1 }),
  type(false, 'profile with an empty name', { type: 'profile', name: '' }),
  type(false, 'profile whose name is null', { type: 'profile', name: null }),
  type(false, 'contact with a relation that nobody knows', { type: 'contact', contact: did, relation: 'rival' }),
  type(false, 'reaction without emoji', { type: 'reaction', to: entry, emoji: '' }),
  type(false, 'reaction of 33 bytes', { type: 'reaction', to: entry, emoji: 'a'.repeat(33) }),
  type(false, 'erase of nothing', { type: 'erase', seq: [] }),
  type(false, 'erase of seq 0', { type: 'erase', seq: [0] }),
  type(false, 'erase of seq 2^32', { type: 'erase', seq: [2 ** 32] }),
  type(false, 'erase of an integer beyond 2^53', { type: 'erase', seq: [2n ** 60n] }),
  type(false, 'device/add with a short key', {
    type: 'device/add',
    device: bob.publicKey.subarray(1),
    name: 'Laptop',
    consent
  }),
  type(false, 'device/add without consent', { type: 'device/add', device: bob.publicKey, name: 'Laptop' }),
  type(false, 'device/revoke without a last seq', { type: 'device/revoke', device: bob.publicKey })
]
