// A person, as they are called here: their name, the end of their key, and what may mislead about the name.
import { isMe } from '../state/me.ts'
import { at } from '../state/route.ts'
import { claimOf, line } from '../text.ts'
import type { WarningShape } from '../shapes.ts'
import { t, type Word } from '../words/index.ts'

interface Person {
  did: string
  name: string
  warnings?: readonly WarningShape[]
}

const WARNINGS: Readonly<Record<string, Word>> = {
  'looks-like': 'warnLooksLike',
  'mixed-scripts': 'warnMixedScripts',
  'looks-latin': 'warnLooksLatin',
  'hidden-characters': 'warnHidden',
  'styled-letters': 'warnStyled',
  'looks-tagged': 'warnTagged'
}

/** A name that the user gave stands alone, and so does their own; a claimed one has the end of the key behind it. */
export function Name({ did, name }: Person) {
  const claim = claimOf(did, name)
  if (claim === undefined) return <bdi>{line(name)}</bdi>
  const tag = `#${did.slice(-8)}`
  return (
    <bdi>
      {line(claim)}
      {(claim === '' || !isMe(did)) && <span class="tag">{claim === '' ? tag : ` ${tag}`}</span>}
    </bdi>
  )
}

export function Warnings({ warnings = [] }: Pick<Person, 'warnings'>) {
  if (warnings.length === 0) return null
  const words = warnings.map(({ warning, name }) => t(WARNINGS[warning] ?? 'warnOther', { name: line(name ?? '') }))
  return (
    <span class="warn">
      {'⚠ '}
      {words.join(', ')}
    </span>
  )
}

/** The name, leading to the person. */
export function PersonLink(person: Person) {
  return (
    <>
      <a class="person" href={at('person', person.did)}>
        <Name {...person} />
      </a>
      <Warnings warnings={person.warnings} />
    </>
  )
}

/** A sign for a person or a group: the first letter of the name on a colour that follows from the key. Tells them apart, proves nothing. */
export function Sign({
  did,
  name,
  isSmall = false,
  isGroup = false
}: Person & { isSmall?: boolean; isGroup?: boolean }) {
  const letter = [...line(name).replace(/^[#@+\\]+/, '')][0] ?? '?'
  return (
    <span
      class={`sign${isSmall ? ' small' : ''}${isGroup ? ' square' : ''}`}
      style={{ '--hue': String(hueOf(did)) }}
      aria-hidden="true"
    >
      {letter.toUpperCase()}
    </span>
  )
}

function hueOf(did: string): number {
  let sum = 0
  for (const letter of did) sum = (31 * sum + letter.codePointAt(0)!) % 360
  return sum
}
