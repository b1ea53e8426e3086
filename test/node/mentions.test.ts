// Posts that mention people, from the one who writes to the one who reads.
import assert from 'node:assert/strict'
import { mentionParts, type Comrade, type FeedItem } from '../../src/index.ts'
import { entriesByMention, Indexer, signingKey } from '../../src/feeds/index.ts'
import { toFeedItem } from '../../src/node/feed-item.ts'
import { People } from '../../src/node/people.ts'
import { formatDid, MAX_MENTIONS, tagOf } from '../../src/trust/index.ts'
import { Author, keyOf, temporaryStore } from '../support/feeds.ts'
import { befriend, Homes, postsOf, reads } from '../support/node.ts'
import { until } from '../support/processes.ts'

function stranger(seed: number): string {
  return formatDid(signingKey(new Uint8Array(32).fill(seed)).publicKey)
}

async function mentioning(node: Comrade, whom: string): Promise<FeedItem[]> {
  return Array.fromAsync(node.feeds.read({ mentions: whom, types: ['post'] }))
}

async function knownAs(node: Comrade, did: string, name: string): Promise<void> {
  await until(async () => (await node.contacts.find(did)).name === name, `${did} is called ${name}`)
}

describe('a post that mentions people', function () {
  this.timeout(60_000)
  let homes: Homes
  let [ana, ben, carol] = [] as Comrade[]

  before(async () => {
    homes = new Homes()
    ;[ana, ben, carol] = await Promise.all(['ana', 'ben', 'carol'].map((name) => homes.start(name)))
    await Promise.all([ana.profile({ name: 'Ana' }), ben.profile({ name: 'Ben' }), carol.profile({ name: 'Carol' })])
    await befriend(ana, ben)
    await befriend(ana, carol)
    await knownAs(ana, ben.identity.did, `Ben${tagOf(ben.identity.did)}`)
    await knownAs(carol, ana.identity.did, `Ana${tagOf(ana.identity.did)}`)
  })
  after(() => homes[Symbol.asyncDispose]())

  it('says what they call themselves, and each reader sees the own name for them', async () => {
    await ana.contacts.name(ben.identity.did, 'Honeybee')
    await ana.feeds.publish({ type: 'post', text: 'ask @honeybee about it', mentions: ['Honeybee'] })
    const sent = `ask @Ben${tagOf(ben.identity.did)} about it`
    for (const [reader, name] of [
      [ana, 'Honeybee'],
      [ben, `Ben${tagOf(ben.identity.did)}`],
      [carol, `Ben${tagOf(ben.identity.did)}`]
    ] as const) {
      await reads(reader, ana.identity.did, sent)
      const [{ mentions, text, body }] = await postsOf(reader, ana.identity.did)
      assert.deepEqual(mentions, [{ did: ben.identity.did, name, warnings: [] }])
      assert.deepEqual(body?.mentions, [ben.identity.did])
      assert.equal(mentionParts(text!, [ben.identity.did])[1].did, ben.identity.did)
    }
  })

  it('is found by whom it mentions, also while it arrives', async () => {
    const heard = new Promise<FeedItem>((resolve) => {
      const listen = ({ detail }: CustomEvent<FeedItem>): void => {
        if (!detail.mentions?.some(({ did }) => did === carol.identity.did)) return
        carol.removeEventListener('entry', listen)
        resolve(detail)
      }
      carol.addEventListener('entry', listen)
    })
    await ana.feeds.publish({ type: 'post', text: 'nobody in particular' })
    await ana.feeds.publish({ type: 'post', text: 'and you', mentions: [carol.identity.did] })
    assert.equal((await heard).text, 'and you')
    assert.deepEqual(
      (await mentioning(carol, carol.identity.did)).map(({ text }) => text),
      ['and you']
    )
  })

  it('is not found any more when it was erased', async () => {
    const { id } = await ana.feeds.publish({ type: 'post', text: 'a slip', mentions: ['Carol'] })
    assert.equal((await mentioning(ana, 'Carol'))[0].text, 'a slip')
    await ana.feeds.erase(id)
    assert.ok((await mentioning(ana, 'Carol')).every(({ text }) => text !== 'a slip'))
  })

  it('marks a name that its author gave to somebody unknown and that looks like a friend', async () => {
    const [other, plain] = [stranger(7), stranger(8)]
    const text = `@Carоl${tagOf(other)} and @Dora${tagOf(plain)}` // the o is Cyrillic
    await ben.feeds.publish({ type: 'post', text, mentions: [other, plain] })
    await reads(ana, ben.identity.did, text)
    const [{ mentions }] = await postsOf(ana, ben.identity.did)
    assert.equal(mentions?.[0].name, `Carоl${tagOf(other)}`)
    assert.deepEqual(mentions?.[0].warnings[0].did, carol.identity.did)
    assert.deepEqual(mentions?.[1], { did: plain, name: `Dora${tagOf(plain)}`, warnings: [] })
  })

  it('stays in the group that it is written to, and is found there', async () => {
    const { id: group } = await (await ana.groups.create({ name: 'bees' })).show()
    await ana.feeds.publish({ type: 'post', text: 'in here, @Carol', mentions: ['Carol'] }, { group })
    const inGroup = await Array.fromAsync(ana.feeds.read({ group, mentions: carol.identity.did }))
    assert.deepEqual(
      inGroup.map(({ mentions }) => mentions?.map(({ did }) => did)),
      [[carol.identity.did]]
    )
    assert.deepEqual(await Array.fromAsync(ana.feeds.read({ group, mentions: ben.identity.did })), [])
    assert.ok((await mentioning(ana, 'Carol')).every(({ group: place }) => place === undefined))
  })

  it('is refused for somebody unknown, and for more than 32', async () => {
    await assert.rejects(ana.feeds.publish({ type: 'post', text: 'x', mentions: ['Zoe'] }), { code: 'WHO_UNKNOWN' })
    const many = Array.from({ length: MAX_MENTIONS + 1 }, (_, i) => stranger(i + 1))
    await assert.rejects(ana.feeds.publish({ type: 'post', text: 'x', mentions: many }), { code: 'BAD_INPUT' })
    await assert.rejects(ana.feeds.publish({ type: 'post', text: 'x', mentions: [1] }), { code: 'BODY_SCHEMA' })
  })
})

describe('a flood of mentions', () => {
  it('calls the first 32 people and no more, in what is found and in what is shown', async () => {
    using held = temporaryStore()
    const [own, author] = [keyOf('own root'), new Author('mallory')]
    const people = new People({
      ...{ store: held.store, root: own.publicKey, device: keyOf('own device').publicKey },
      ...{ mode: 'all', quota: 1e9 }
    })
    people.contacts.follow(author.key.publicKey)
    people.updateNow()
    const flood = Array.from({ length: 1_000 }, (_, i) => keyOf(`called ${i}`).publicKey).map(formatDid)
    const broken = `did:key:z6Mk${'1'.repeat(44)}`
    const text = flood
      .slice(0, 300)
      .map((did) => `@x${tagOf(did)}`)
      .join('')
    held.store.ingest(
      author.write({
        type: 'post',
        text,
        mentions: [broken, ...flood, ...flood.slice(0, 20), formatDid(own.publicKey)]
      })
    )
    const indexer = new Indexer(held.store)
    await indexer.catchUp()
    indexer.stop()
    assert.equal(held.store.get('SELECT count(*) AS n FROM mentions')!.n, MAX_MENTIONS)
    assert.deepEqual(entriesByMention(held.store, formatDid(own.publicKey), { limit: 10 }), [])
    const [found] = entriesByMention(held.store, flood[0], { limit: 10 })
    const item = toFeedItem(found, { people, blobs: { has: () => false } })
    assert.equal(item.mentions?.length, MAX_MENTIONS - 1, 'without the one that is no key')
    const places = mentionParts(
      text,
      item.mentions.map(({ did }) => did)
    ).filter(({ did }) => did !== undefined)
    assert.equal(places.length, MAX_MENTIONS - 1)
    people.close()
  })
})
