// How a group decides, as people write it: `isqrt`, `log2`, `constant:2`, `percent:10`.
import { DEFAULT_RULE, MAX_QUORUM, type Rule } from '../../groups/index.ts'
import { NodeError } from '../comrade.ts'

const EXPECTED = 'expected isqrt, log2, constant:<k> or percent:<p>'

/**
 * @param before whose other fields stay
 * @throws NodeError BAD_INPUT
 */
export function parseRule(text: string, before: Rule = DEFAULT_RULE): Rule {
  const match = /^(isqrt|log2)$|^(constant|percent):(\d{1,4})$/.exec(text)
  if (match === null) throw new NodeError('BAD_INPUT', `${EXPECTED}, found "${text.slice(0, 40)}"`)
  const [, plain, kind, digits] = match
  if (plain !== undefined) return { ...before, quorum: plain as Rule['quorum'], value: 0 }
  const value = Number(digits)
  const max = kind === 'percent' ? 100 : MAX_QUORUM
  if (value < 1 || value > max) throw new NodeError('BAD_INPUT', `${kind}: a number from 1 to ${max}, not ${value}`)
  return { ...before, quorum: kind as Rule['quorum'], value }
}

export function formatRule({ quorum, value }: Rule): string {
  return quorum === 'constant' || quorum === 'percent' ? `${quorum}:${value}` : quorum
}
