// The routes of `group …`: one an action of the verb.
import type { Hono } from 'hono'
import type { Comrade, Contacts, Group, GroupCandidate } from '../node/comrade.ts'
import { candidateShape, groupLinkShape, groupShape, motionShape } from './group-shapes.ts'
import { requests } from './requests.ts'
import { get, post } from './route.ts'

export function groupRoutes(app: Hono, { groups, contacts }: Comrade): void {
  const found = (group: string): Promise<Group> => groups.get(group)
  get(app, 'group/list', requests.nothing, async () => {
    const all = await groups.list()
    return Promise.all(all.map(async ({ id }) => groupShape(await found(id))))
  })
  post(app, 'group/create', requests.newGroup, async (group) => groupShape(await groups.create(group)))
  post(app, 'group/open', requests.groupLink, async ({ link }) => groupShape(await groups.open(link)))
  post(app, 'group/forget', requests.group, async ({ group }) => {
    const { id, name } = await found(group)
    await groups.forget(id)
    return { id, name, forgotten: true }
  })
  get(app, 'group/show', requests.group, async ({ group }) => groupShape(await found(group)))
  get(app, 'group/link', requests.group, async ({ group }) => groupLinkShape(await found(group)))
  get(app, 'group/log', requests.group, async ({ group }) => (await found(group)).log())
  membershipRoutes(app, found, contacts)
  motionRoutes(app, found)
}

function membershipRoutes(app: Hono, found: (group: string) => Promise<Group>, contacts: Contacts): void {
  get(app, 'group/candidates', requests.candidates, async ({ group, who }) => {
    const all = await (await found(group)).candidates()
    return (who === undefined ? all : await ofPerson(all, who, contacts)).map(candidateShape)
  })
  post(app, 'group/apply', requests.group, async ({ group }) => candidateShape(await (await found(group)).apply()))
  for (const action of ['propose', 'vouch', 'retract'] as const) {
    post(app, `group/${action}`, requests.groupPerson, async ({ group, who }) =>
      candidateShape(await (await found(group))[action](who))
    )
  }
  for (const action of ['join', 'leave'] as const) {
    post(app, `group/${action}`, requests.group, async ({ group }) => {
      const one = await found(group)
      await one[action]()
      return groupShape(one)
    })
  }
}

function motionRoutes(app: Hono, found: (group: string) => Promise<Group>): void {
  get(app, 'group/motions', requests.motions, async ({ group, motion }) => {
    const all = await (await found(group)).motions()
    return all.filter(({ motion: id }) => id.startsWith(motion ?? '')).map(motionShape)
  })
  post(app, 'group/expel', requests.groupPerson, async ({ group, who }) =>
    motionShape(await (await found(group)).expel(who))
  )
  post(app, 'group/rule', requests.groupRule, async ({ group, rule }) =>
    motionShape(await (await found(group)).rule(rule))
  )
  post(app, 'group/ballot', requests.groupMotion, async ({ group, motion }) =>
    motionShape(await (await found(group)).ballot(motion))
  )
}

/** The candidacies of one person, by any name that the user has for them. */
async function ofPerson(all: readonly GroupCandidate[], who: string, contacts: Contacts): Promise<GroupCandidate[]> {
  const { did } = await contacts.find(who)
  return all.filter((candidate) => candidate.did === did)
}
