import assert from 'node:assert/strict'
import { contactLine } from '../../src/cli/paint.ts'

const person = {
  did: 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
  name: 'Ana#Gta2doK',
  claimed: 'Ana',
  relation: 'followed' as const,
  vouches: 0,
  groups: 0,
  lastSeen: null
}

const textOf = (line: ReturnType<typeof contactLine>) =>
  [line]
    .flat()
    .map((segment) => (typeof segment === 'string' ? segment : segment.text))
    .join('')

describe('a person in one line', () => {
  it('has a mark behind a name that may mislead, which says why', () => {
    const warnings = [
      { warning: 'looks-like', did: 'did:key:z6Mk…', name: 'Anna' },
      { warning: 'mixed-scripts', did: null, name: null },
      { warning: 'of a later version', did: null, name: null }
    ]
    assert.match(
      textOf(contactLine({ ...person, warnings })),
      /^Ana#Gta2doK {2}\(! looks like Anna; letters of several alphabets; of a later version\) {2}followed/
    )
  })

  it('has none behind any other', () => {
    assert.match(textOf(contactLine({ ...person, warnings: [] })), /^Ana#Gta2doK {2}followed {2}did:key:/)
  })
})
