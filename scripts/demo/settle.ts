// What has happened before a newcomer comes: names, acquaintances, posts with their threads, groups, private messages.
// Each step is what a user could do, asked of that user's own node.
import type { Status } from '../../src/node/comrade.ts'
import { GROUPS, type GroupPlan } from './groups.ts'
import { nameOf, FRIENDS, INTRODUCTION, PEOPLE, type PersonId } from './people.ts'
import type { Speech } from './speech.ts'
import { CONVERSATION, GROUP_POSTS, MESSAGES, POSTS } from './talk.ts'
import type { Village } from './village.ts'

interface Candidate {
  did: string
  vouches: number
  needed: number
}

/** @param tell is told what is done now */
export async function settle(village: Village, speech: Speech, tell: (step: string) => void): Promise<void> {
  tell('they say who they are, and meet')
  await Promise.all(PEOPLE.map(({ id, name, about }) => village.at(id).post('profile', { name, about })))
  await Promise.all(FRIENDS.map(([one, other]) => meet(village, one, other)))
  tell('they post, answer and react')
  for (const post of POSTS) await speech.say(post)
  tell('they form two groups')
  await Promise.all(GROUPS.map((plan) => form(village, plan)))
  for (const post of GROUP_POSTS) await speech.say(post)
  tell('they write in private')
  await writeInPrivate(village, speech)
  await introduce(village)
  // What is in these directories is thrown away: nobody has to write these words down.
  await Promise.all(village.residents.map((one) => one.post('recovery/confirm')))
}

async function meet(village: Village, one: PersonId, other: PersonId): Promise<void> {
  const { link } = await village.at(one).post<{ link: string }>('meet/invite')
  await village.at(other).post('meet', { with: link, name: nameOf(one) })
  await village.at(one).post('name', { who: village.at(other).did, petname: nameOf(other) })
}

async function introduce(village: Village): Promise<void> {
  const { by, one, other } = INTRODUCTION
  await village.at(by).post('meet/introduce', { one: village.at(one).did, other: village.at(other).did })
}

async function form(village: Village, plan: GroupPlan): Promise<void> {
  const { name, founder, members, candidate, motion } = plan
  const { id, link } = await village.at(founder).post<{ id: string; link: string }>('group/create', { name })
  const asks = async (who: PersonId, vouchedBy: readonly PersonId[]): Promise<void> => {
    await village.at(who).post('group/open', { link })
    await village.at(who).post('group/apply', { group: id })
    for (const voucher of vouchedBy) await vouch(village, id, voucher, who)
    await village.until(
      async () => (await candidacy(village, id, who, who))?.vouches === vouchedBy.length,
      `${who} sees the vouches for @${name}`
    )
  }
  for (const member of members) {
    await asks(member.id, member.vouchedBy)
    await village.at(member.id).post('group/join', { group: id })
  }
  await allCount(village, id, [founder, ...members.map((member) => member.id)])
  if (candidate !== undefined) await asks(candidate.id, candidate.vouchedBy)
  if (motion !== undefined) await village.at(motion.by).post('group/rule', { group: id, rule: motion.rule })
}

async function vouch(village: Village, group: string, voucher: PersonId, who: PersonId): Promise<void> {
  await village.until(
    async () => (await candidacy(village, group, voucher, who)) !== undefined,
    `${voucher} hears that ${who} asks`
  )
  await village.at(voucher).post('group/vouch', { group, who: village.at(who).did })
}

async function candidacy(village: Village, group: string, at: PersonId, who: PersonId): Promise<Candidate | undefined> {
  const { did } = village.at(who)
  return (await village.at(at).get<Candidate[]>('group/candidates', { group })).find((one) => one.did === did)
}

async function allCount(village: Village, group: string, members: readonly PersonId[]): Promise<void> {
  for (const id of members)
    await village.until(
      async () => (await village.at(id).get<{ size: number }>('group/show', { group })).size === members.length,
      `${id} counts all members`
    )
}

async function writeInPrivate(village: Village, speech: Speech): Promise<void> {
  const { by, name, with: others } = CONVERSATION
  const { messages } = await village.at(by).get<Status>('status')
  if (!messages.available) return // doctor and the page say why
  const people = others.map((id) => village.at(id).did)
  await village.at(by).post('conversation/create', { name, people })
  for (const message of MESSAGES) await speech.write(message)
}
