// What somebody wrote, as text: addresses of pages and tags can be followed, and whom it mentions is called as the reader does.
import { useSignal } from '@preact/signals'
import { isMe } from '../state/me.ts'
import { personOf } from '../state/people.ts'
import { at } from '../state/route.ts'
import { line, type Piece, pieces } from '../text.ts'
import type { MentionShape } from '../shapes.ts'
import { t } from '../words/index.ts'
import { Name, Warnings } from './person.tsx'

/** Longer texts are shown in part until one wants all of it: characters, lines. */
const LONG_TEXT = 1_200
const LONG_LINES = 20

interface TextProps {
  text: string
  tags?: readonly string[]
  mentions?: readonly MentionShape[]
}

/** Tags, and people who are mentioned, that are not in the text stand below it. */
export function Text({ text, tags = [], mentions = [] }: TextProps) {
  const parts = pieces(
    text,
    mentions.map(({ did }) => did),
    tags
  )
  const isWhole = useSignal(isShort(parts))
  const apart = tags.filter((each) => !parts.some(({ tag }) => tag === each))
  const beside = mentions.filter(({ did }) => !parts.some((part) => part.did === did))
  return (
    <>
      <p class={isWhole.value ? 'text' : 'text cut'} dir="auto">
        {parts.map((piece) => (
          <Part piece={piece} mentions={mentions} />
        ))}
      </p>
      {!isWhole.value && (
        <button type="button" class="quiet whole" onClick={() => (isWhole.value = true)}>
          {t('showWhole')}
        </button>
      )}
      {apart.length + beside.length > 0 && (
        <p class="tags">
          {beside.map((mention) => (
            <Mentioned key={mention.did} mention={mention} />
          ))}
          {apart.map((tag) => (
            <a href={at('tag', tag)}>#{line(tag)}</a>
          ))}
        </p>
      )}
    </>
  )
}

/** By what is shown, which is less than what is written where addresses are long. */
function isShort(parts: readonly Piece[]): boolean {
  const shown = parts.map(({ text }) => text).join('')
  return shown.length <= LONG_TEXT && shown.split('\n', LONG_LINES).length < LONG_LINES
}

function Part({ piece: { text, href, did, tag }, mentions }: { piece: Piece; mentions: readonly MentionShape[] }) {
  const mention = did === undefined ? undefined : mentions.find((each) => each.did === did)
  if (mention !== undefined) return <Mentioned mention={mention} />
  if (tag !== undefined) return <a href={at('tag', tag)}>{text}</a>
  if (href === undefined) return <>{text}</>
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {text}
    </a>
  )
}

function Mentioned({ mention }: { mention: MentionShape }) {
  const { did, name, warnings } = personOf(mention.did) ?? mention
  return (
    <>
      <a class={isMe(did) ? 'mention own' : 'mention'} href={at('person', did)}>
        @<Name did={did} name={name} />
      </a>
      <Warnings warnings={warnings} />
    </>
  )
}
