// How people of the demo write: posts with their answers, reactions, private messages; each when what it is about has arrived.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConversationShape } from '../../src/api/conversation-shapes.ts'
import type { MessageShape } from '../../src/api/message-shapes.ts'
import { NodeError } from '../../src/node/comrade.ts'
import type { PersonId } from './people.ts'
import { painted, type PictureName } from './paintings.ts'
import { CONVERSATION, type Post, type PrivateMessage } from './talk.ts'
import type { Village } from './village.ts'

export class Speech {
  readonly #village: Village
  readonly #texts = new Set<string>()
  readonly #newest = new Map<PersonId, string>()

  constructor(village: Village) {
    this.#village = village
  }

  /** Whether somebody of the demo wrote this, and not the newcomer in their name. */
  isOurs(text: string): boolean {
    return this.#texts.has(text)
  }

  /** Id of what somebody posted last, as part of the demo. */
  newestOf(id: PersonId): string | undefined {
    return this.#newest.get(id)
  }

  /** Publishes a post, then the reactions to it, then the answers with theirs. */
  async say(post: Post, reply?: string): Promise<void> {
    const { by, text, tags, picture: name, to, mentions: people, reactions = {}, replies = [] } = post
    const attach = name === undefined ? undefined : [this.#paint(name)]
    const mentions = people?.map((id) => this.#village.at(id).did)
    const id = await this.#post(by, { text, tags, mentions, reply, to, attach })
    if (reply === undefined && to === undefined) this.#newest.set(by, id)
    for (const [who, emoji] of Object.entries(reactions)) await this.react(who as PersonId, id, emoji)
    for (const each of replies) await this.say(each, id)
  }

  async answer(by: PersonId, reply: string, text: string): Promise<void> {
    await this.#post(by, { text, reply })
  }

  async react(by: PersonId, id: string, emoji: string): Promise<void> {
    await this.#hasArrived(by, id)
    await this.#village.at(by).post('react', { id, emoji })
  }

  /** Sends a private message, and the reaction to it. */
  async write({ by, to, text, picture: name, reaction }: PrivateMessage): Promise<void> {
    const who = to === CONVERSATION.name ? await this.#conversation(by) : this.#village.at(to).did
    this.#texts.add(text)
    const attach = name === undefined ? undefined : this.#paint(name)
    const { id } = await this.#village.at(by).post<MessageShape>('message', { who, text, attach })
    if (reaction === undefined) return
    await this.#village.until(() => this.#hasMessage(reaction.by, id), `the message has come to ${reaction.by}`)
    await this.#village.at(reaction.by).post('messages/react', { id, emoji: reaction.emoji })
  }

  async #post(by: PersonId, draft: { text: string; reply?: string; [more: string]: unknown }): Promise<string> {
    this.#texts.add(draft.text)
    if (draft.reply !== undefined) await this.#hasArrived(by, draft.reply)
    const { id } = await this.#village.at(by).post<{ id: string }>('post', draft)
    // Where it mentions somebody it is published with other words.
    this.#texts.add((await this.#village.at(by).get<{ text: string }>('show', { id })).text)
    return id
  }

  #hasArrived(at: PersonId, id: string): Promise<void> {
    const isThere = async (): Promise<boolean> => {
      try {
        // What was sealed for a group can only be answered where it can be opened.
        return (await this.#village.at(at).get<{ type: string }>('show', { id })).type !== 'sealed'
      } catch (error) {
        if (error instanceof NodeError && error.code === 'NOT_FOUND') return false
        throw error
      }
    }
    return this.#village.until(isThere, `${id} has come to ${at}`)
  }

  async #hasMessage(at: PersonId, id: string): Promise<boolean> {
    return (await this.#village.at(at).list<MessageShape>('messages')).some((message) => message.id === id)
  }

  /** What the conversation is called at somebody's node, once it has heard of it. */
  async #conversation(at: PersonId): Promise<string> {
    const { name } = CONVERSATION
    let id: string | undefined
    await this.#village.until(async () => {
      const all = await this.#village.at(at).get<ConversationShape[]>('conversation/list')
      id = all.find((one) => one.name === name)?.id
      return id !== undefined
    }, `${at} hears of the conversation`)
    return id!
  }

  #paint(name: PictureName): string {
    const file = join(this.#village.directory, `${name}.png`)
    writeFileSync(file, painted(name))
    return file
  }
}
