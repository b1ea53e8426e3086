// Where in the text of a post its list of people is meant. Written out by hand: the parts of a text, those that mean
// somebody as [text, place of the did in the list].

const [ANA, BEN] = [
  'did:key:z6MkiPBsMxVZyTu6YY9rV39jg8ANMu6vJTChgFhF6KWnBuU9',
  'did:key:z6Mkon3Necd6NkkyfoGoHxid2znGc59LU3K7mubaRcFbLfLX'
]
/** Has the end of the first one's, as far as it goes into a text. */
const LIKE_ANA = 'did:key:z6Mkp9v5RajmjtW1CybHodPVma2TmASnmKWrSrJj6KWnBuU9'

type Part = string | [text: string, person: number]

function mention(name: string, mentions: string[], ...parts: Part[]) {
  return { name, text: parts.map((part) => (typeof part === 'string' ? part : part[0])).join(''), mentions, parts }
}

export const mentionCases = [
  mention('a name and the end of a key', [ANA], 'ask ', ['@Ana#6KWnBuU9', 0], ' first'),
  mention('in another order than the list', [BEN, ANA], ['@Ana#6KWnBuU9', 1], ' and ', ['@Ben#RcFbLfLX', 0]),
  mention('no name', [ANA], ['@#6KWnBuU9', 0]),
  mention('a name with white space, signs and other letters', [ANA], ['@Ana  López (die Ältere)#6KWnBuU9', 0]),
  mention('the same person twice', [ANA], ['@Ana#6KWnBuU9', 0], ['@ana#6KWnBuU9', 0]),
  mention('the first of two with the same end', [ANA, LIKE_ANA], ['@Ana#6KWnBuU9', 0]),
  mention('a list that names somebody twice', [BEN, BEN, ANA], ['@Ana#6KWnBuU9', 2]),
  mention('in an address', [ANA], 'https://example.org/', ['@Ana#6KWnBuU9', 0], '/x'),
  mention('directly after a letter, before another alphabet', [ANA], 'x', ['@Ana#6KWnBuU9', 0], 'さん'),
  mention('the nearest @', [ANA], '@a ', ['@Ana#6KWnBuU9', 0]),
  mention('64 code points', [ANA], [`@${'🐝'.repeat(64)}#6KWnBuU9`, 0]),
  mention('65 code points: text', [ANA], `@${'a'.repeat(65)}#6KWnBuU9`),
  mention('a key that is not in the list: text', [BEN], '@Ana#6KWnBuU9'),
  mention('no list: text', [], '@Ana#6KWnBuU9'),
  mention('a letter or digit more: text', [ANA], '@Ana#6KWnBuU9a @Ana#6KWnBuU90 @Ana#6KWnBuU9_'),
  mention('another case: text', [ANA], '@Ana#6kwnbuu9'),
  mention('less of the key: text', [ANA], '@Ana#KWnBuU9'),
  mention('a line between: text', [ANA], '@Ana\n#6KWnBuU9 @A\u2028na#6KWnBuU9 @A\u0085na#6KWnBuU9'),
  mention('a whole did: text', [ANA], `@${ANA}`),
  mention('without @: text', [ANA], 'Ana#6KWnBuU9'),
  mention('a # in the name: text', [ANA], '@Ana#Maria#6KWnBuU9')
]
