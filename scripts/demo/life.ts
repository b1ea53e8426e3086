// What goes on while a newcomer looks around: now and then somebody of the demo writes, and friends answer what the
// newcomer writes. All of it is bounded: a demo that was forgotten comes to rest.
import { setTimeout } from 'node:timers/promises'
import type { EntryShape } from '../../src/api/shapes.ts'
import type { MessageShape } from '../../src/api/message-shapes.ts'
import { ANSWERS, type Doing, EMOJI, LATER, REPLIES } from './later.ts'
import { nameOf, friendsOf, type PersonId } from './people.ts'
import type { EventLine, Resident } from './resident.ts'
import type { Speech } from './speech.ts'
import { CONVERSATION } from './talk.ts'
import type { Village } from './village.ts'

const MAX_ANSWERS = 200

export interface LifeInit {
  village: Village
  speech: Speech
  /** Between two doings, on average, in ms. */
  paceMs: number
  /** Is told what happens. */
  tell: (what: string) => void
  signal: AbortSignal
}

export class Life {
  readonly #init: LifeInit
  #answers = 0

  constructor(init: LifeInit) {
    this.#init = init
  }

  /** Goes on until all is said, or the signal fires. */
  async live(): Promise<void> {
    const { village, paceMs, tell } = this.#init
    for (const one of village.residents) one.onLine = (line) => this.#hear(one, line)
    for (const doing of LATER) {
      await this.#pause(paceMs * (0.5 + Math.random()))
      await this.#try(() => this.#do(doing))
    }
    tell('all is said; they still answer what you write')
  }

  async #do(doing: Doing): Promise<void> {
    const { speech, tell } = this.#init
    if ('post' in doing) {
      const { by, to } = doing.post
      await speech.say(doing.post)
      tell(`${nameOf(by)} posts${to === undefined ? '' : ` to @${to}`}`)
    } else if ('message' in doing) {
      const { by, to } = doing.message
      await speech.write(doing.message)
      tell(`${nameOf(by)} writes to ${to === CONVERSATION.name ? 'the three of them' : nameOf(to)} in private`)
    } else await this.#respond(doing)
  }

  async #respond(doing: Exclude<Doing, { post: unknown } | { message: unknown }>): Promise<void> {
    const { speech, tell } = this.#init
    const isAnswer = 'answers' in doing
    const whom = isAnswer ? doing.answers : doing.reactsTo
    const id = speech.newestOf(whom)
    if (id === undefined) return
    await (isAnswer ? speech.answer(doing.by, id, doing.text) : speech.react(doing.by, id, doing.emoji))
    tell(`${nameOf(doing.by)} ${isAnswer ? 'answers' : `reacts with ${doing.emoji} to`} ${nameOf(whom)}`)
  }

  /** Own posts are told at their author's node, messages at the one that they come to. */
  #hear(at: Resident, line: EventLine): void {
    if (line.event === 'entry' && line.author === at.did) this.#hearPost(at, line as unknown as EntryShape)
    if (line.event === 'message') this.#hearMessage(at, line as unknown as MessageShape)
  }

  #hearPost(at: Resident, { id, type, text, group }: EntryShape): void {
    if (type !== 'post' || text === null || group !== null || !this.#isAnswered(text)) return
    const [place, friends] = [this.#answers++, friendsOf(at.id)]
    const friend = (nth: number): PersonId => friends[(place + nth) % friends.length]
    void this.#try(async () => {
      const { speech, tell } = this.#init
      await this.#pause(this.#breath())
      await speech.react(friend(0), id, inTurn(EMOJI, place))
      await this.#pause(this.#breath())
      await speech.answer(friend(1), id, inTurn(ANSWERS, place))
      tell(`${nameOf(friend(1))} answers what you wrote as ${nameOf(at.id)}`)
    })
  }

  #hearMessage(at: Resident, { from, type, text, conversation }: MessageShape): void {
    if (from === at.did || type !== 'text' || text === null || conversation !== null || !this.#isAnswered(text)) return
    const writer = this.#init.village.residents.find(({ did }) => did === from)
    if (writer === undefined) return
    const place = this.#answers++
    void this.#try(async () => {
      await this.#pause(this.#breath())
      await this.#init.speech.write({ by: at.id, to: writer.id, text: inTurn(REPLIES, place) })
      this.#init.tell(`${nameOf(at.id)} answers your message to them as ${nameOf(writer.id)}`)
    })
  }

  #isAnswered(text: string): boolean {
    return !this.#init.speech.isOurs(text) && this.#answers < MAX_ANSWERS
  }

  /** As long as somebody needs who writes a short line at once. */
  #breath(): number {
    return this.#init.paceMs / 8
  }

  #pause(ms: number): Promise<void> {
    return setTimeout(ms, undefined, { signal: this.#init.signal })
  }

  /** Somebody whose node has ended, or who does not get what they would answer, says nothing; the others go on. */
  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (this.#init.signal.aborted) return
      this.#init.tell(`somebody could not: ${(error as Error).message}`)
    }
  }
}

function inTurn(texts: readonly string[], place: number): string {
  return texts[place % texts.length]
}
